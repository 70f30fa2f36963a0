// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include "base/json_write.h"
#include "crypto/random.h"
#include "fleet/fleet.h"
#include "main/ctl/data_directory.h"
#include "main/ctl/files.h"
#include "main/ctl/grammar.h"
#include "store/sql/agents.h"
#include "store/sqlite/sqlite_connection.h"
#include "store/sqlite/sqlite_copy.h"

namespace muster::ctl {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t secret_bytes = 32;

const Columns backed_up = {
    {"file", "file"},
    {"bytes", "size", &formats::bytes},
    {"secret", "secret"},
};

const Columns restored = {
    {"data", "data"},
    {"agents", "agents", &formats::number},
    {"hosts", "hosts", &formats::number},
};

void print_outcome(const Shell& shell, const std::string& json, const Columns& columns) {
  if (shell.json()) return shell.print_json(json);
  shell.print_facts(facts_of(columns, thread_json().parse(json).value()));
}

store::CopyProgress shown_on(const Shell& shell) {
  return [&shell](std::uint64_t done, std::uint64_t of) {
    constexpr std::uint64_t mib = 1024 * 1024;
    shell.progress(done == of
                       ? std::string()
                       : std::to_string(done / mib) + " of " + std::to_string(of / mib) + " MiB");
  };
}

/// The store of a data directory, which a server may be using.
Result<std::string> database_in(const std::string& directory) {
  std::string path = directory + "/muster.db";
  if (fs::exists(path)) return path;
  return Error{Errc::not_found, path +
                                    ": there is no embedded store (a PostgreSQL store is backed "
                                    "up with pg_dump)"};
}

Result<void> copy_secret(const std::string& from, const std::string& to) {
  return write_new_file(to, TRY(read_file(from, secret_bytes)), 0600);
}

Result<void> back_up(const Shell& shell, const FlagValues& values) {
  const std::string directory = values.text("data");
  const std::string file = values.text("file");
  const std::string database = TRY(database_in(directory));
  const std::string secret = values.has("with_secret") ? file + ".secret" : "";
  if (fs::exists(file)) return invalid_field("FILE", file + " exists already");
  if (!secret.empty()) TRY(copy_secret(directory + "/secret", secret));
  std::uint64_t bytes = 0;
  try {
    bytes = store::copy_sqlite(database, file, shown_on(shell));
  } catch (...) {
    if (!secret.empty()) fs::remove(secret);
    throw;
  }
  JsonWriter json;
  json.begin_object().member("file", file).member("bytes", bytes).key("secret");
  if (secret.empty()) {
    json.null();
  } else {
    json.value(secret);
  }
  print_outcome(shell, json.end_object().take(), backed_up);
  if (secret.empty()) {
    shell.remark("Not in it: " + directory +
                 "/secret, without which it cannot be restored. Keep a copy somewhere else.");
  }
  return {};
}

/// Where the secret is that opens the backup.
Result<std::string> secret_for(const FlagValues& values, const std::string& file,
                               const std::string& directory) {
  if (values.has("secret_file")) return values.text("secret_file");
  for (const std::string& path : {directory + "/secret", file + ".secret"}) {
    if (fs::exists(path)) return path;
  }
  return invalid_field("--secret-file", "is needed: neither " + directory + "/secret nor " + file +
                                            ".secret is there");
}

/// What a restore makes in a data directory: gone again, with the directory if that is new, unless
/// it is kept.
class Restoration {
 public:
  explicit Restoration(const std::string& directory)
      : directory_(directory), is_new_(!fs::exists(directory)), had_lock_(exists("lock")) {}
  ~Restoration() {
    std::error_code ignored;
    fs::remove_all(staging(), ignored);
    if (kept_) return;
    if (made_secret_) fs::remove(place("secret"), ignored);
    if (!had_lock_) fs::remove(place("lock"), ignored);
    if (is_new_) fs::remove(directory_, ignored);
  }
  Restoration(const Restoration&) = delete;
  Restoration& operator=(const Restoration&) = delete;

  std::string place(const std::string& name) const { return directory_ + "/" + name; }
  std::string staging() const { return place("restoring"); }
  /// Makes it, empty: a restore that was killed may have left one.
  void stage() {
    fs::remove_all(staging());
    fs::create_directory(staging());
    fs::permissions(staging(), fs::perms::owner_all);
  }
  Result<void> take_secret(const std::string& from) {
    if (exists("secret")) return {};
    TRY(copy_secret(from, place("secret")));
    made_secret_ = true;
    return {};
  }
  void keep() { kept_ = true; }

 private:
  bool exists(const char* name) const { return fs::exists(place(name)); }

  std::string directory_;
  bool is_new_;
  bool had_lock_;
  bool made_secret_ = false;
  bool kept_ = false;
};

/// A secret may wait in the directory; a lock and a draft are what a killed restore leaves.
Result<void> check_empty(const std::string& directory) {
  if (!fs::exists(directory)) return {};
  if (!fs::is_directory(directory)) return invalid_field("--data", directory + " is no directory");
  for (const auto& entry : fs::directory_iterator(directory)) {
    const std::string name = entry.path().filename();
    if (name == "muster.db") {
      return invalid_field("--data",
                           directory + " holds a server's data already; move it away first");
    }
    if (name != "secret" && name != "lock" && name != "restoring") {
      return invalid_field("--data", directory + " is not empty: it holds " + name);
    }
  }
  return {};
}

/// Opens the draft as a server would: its secrets, its migrations, all that is kept in memory.
std::string open_once(const std::string& staging, const std::string& secret,
                      const std::string& file, const std::string& directory) {
  crypto::SystemRng rng;
  const SystemClock clock;
  fleet::Fleet fleet(std::make_unique<store::SqliteDatabase>(staging), secret, rng, clock.now());
  fleet.store.write([&](store::Tx& tx) {
    fleet::record_audit(tx, fleet.ids, store::server_org, fleet::Actor::server(), "store.restore",
                        fs::path(file).filename().string(), {}, clock.now());
  });
  JsonWriter json;
  fleet.store.read([&](store::Reader& reader) {
    json.begin_object()
        .member("data", directory)
        .member("agents", store::count_agents(reader, {}).value)
        .member("hosts", store::count_hosts(reader, {}).value)
        .end_object();
  });
  return json.take();
}

Result<void> restore(const Shell& shell, const FlagValues& values) {
  const std::string directory = values.text("data");
  const std::string file = values.text("file");
  TRY(check_empty(directory));
  if (!fs::exists(file)) return Error{Errc::not_found, file + ": cannot be read"};
  const std::string secret = TRY(secret_for(values, file, directory));
  TRY(read_file(secret, secret_bytes));
  store::check_sqlite(file);

  Restoration restoration(directory);
  const auto lock = TRY(lock_data_directory(directory, true));
  restoration.stage();
  const std::string draft = restoration.staging() + "/muster.db";
  store::copy_sqlite(file, draft, shown_on(shell));
  const std::string json = open_once(restoration.staging(), secret, file, directory);
  // One that the operator named stays where it is: it is kept apart from the data on purpose.
  const bool apart = values.has("secret_file");
  if (!apart) TRY(restoration.take_secret(secret));
  store::move_sqlite(draft, restoration.place("muster.db"));
  restoration.keep();
  print_outcome(shell, json, restored);
  shell.remark("Start musterd on it" + (apart ? " with --secret-file " + secret : "") +
               ". What came after the backup is not known to it.");
  return {};
}

Flag data_flag(const std::string& what) {
  return {.name = "--data", .member = "data", .what = what, .required = true, .shown = "DIR"};
}

Flag file_flag(const std::string& what) {
  return {.name = "FILE", .member = "file", .what = what, .required = true};
}

}  // namespace

void add_backup(Grammar& grammar) {
  Noun root = grammar.root();
  root.local({"backup", "Copy a server's embedded store while it runs",
              "muster backup /srv/backup/muster-2026-11-29.db --data /var/lib/muster"},
             {file_flag("The copy; must not exist yet"),
              data_flag("The server's data directory"),
              {.name = "--with-secret",
               .member = "with_secret",
               .what = "Copy the secret file too, as FILE.secret: both together are all there is",
               .kind = Flag::Kind::on}},
             back_up);
  root.local(
      {"restore", "Make a data directory from a backup",
       "muster restore /srv/backup/muster-2026-11-29.db --data /var/lib/muster"},
      {file_flag("What backup wrote"),
       data_flag("The new data directory"),
       {.name = "--secret-file",
        .member = "secret_file",
        .what = "The secret that the store was sealed with (default DATA/secret, or FILE.secret)",
        .kind = Flag::Kind::file}},
      restore);
}

}  // namespace muster::ctl
