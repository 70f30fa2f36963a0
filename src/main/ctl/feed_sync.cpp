// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/feed_sync.h"

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include "base/text.h"
#include "crypto/random.h"
#include "egress/client.h"
#include "feeds/feed.h"
#include "fleet/feed_sync.h"
#include "fleet/fleet.h"
#include "main/ctl/data_directory.h"
#include "main/ctl/files.h"
#include "store/sqlite/sqlite_connection.h"

namespace muster::ctl {

namespace {

constexpr Duration look_again = std::chrono::seconds(1);

const Columns synced = {
    {"kind", "kind"},
    {"changed", "changed", &formats::yes_no},
    {"source", "source"},
    {"bytes", "fetched", &formats::bytes},
    {"files", "files"},
    {"published", "published"},
    {"records", "records"},
    {"skipped", "skipped"},
    {"superseded", "superseded"},
    {"hosts_matched", "hosts matched"},
    {"findings_opened", "findings opened"},
    {"findings_resolved", "findings resolved"},
    {"failure", "failure"},
};

const Columns served = {
    {"kind", "kind"},
    {"source", "source"},
    {"published", "published"},
    {"records", "records", &formats::number},
    {"checked_at", "checked", &formats::time},
    {"imported_at", "imported", &formats::time},
    {"failures", "failures"},
    {"failure", "last failure"},
};

std::string progress_line(std::string_view kind, std::string_view file, std::uint64_t bytes,
                          std::optional<std::uint64_t> of, std::int64_t records) {
  constexpr std::uint64_t kib = 1024;
  std::string line(kind);
  line.append(": ").append(file).append(", ").append(std::to_string(bytes / kib));
  if (of) line.append(" of ").append(std::to_string(*of / kib));
  return line.append(" KiB, ").append(std::to_string(records)).append(" records");
}

std::vector<std::string> chosen_kinds(const FlagValues& values) {
  return values.has("kind") ? values.texts("kind") : feed_kinds();
}

void print_outcome(const Shell& shell, const std::string& json, const Columns& columns) {
  const auto object = thread_json().parse(json);
  CHECK(object.ok());
  shell.print_facts(facts_of(columns, *object));
  shell.print("\n");
}

/// Objects as one JSON value, an array, or each as facts.
void print_outcomes(const Shell& shell, const std::vector<std::string>& objects,
                    const Columns& columns) {
  if (!shell.json()) {
    for (const std::string& object : objects) print_outcome(shell, object, columns);
    return;
  }
  std::string array;
  for (const std::string& object : objects) array.append(array.empty() ? "" : ", ").append(object);
  shell.print_json("[" + array + "]");
}

/// `read`: from files that were there, nothing was fetched.
std::string encode_outcome(feeds::FeedKind kind, const Result<fleet::SyncOutcome>& done,
                           bool read) {
  JsonWriter json;
  json.begin_object().member("kind", feeds::feed_name(kind));
  if (!done.ok()) return json.member("failure", done.error().message).end_object().take();
  json.member("changed", done->changed).member("source", done->source).member("files", done->files);
  if (!read) json.member("bytes", done->bytes);
  if (done->changed) fleet::write_import(json, done->imported);
  return json.end_object().take();
}

Result<Config> config_of(const FlagValues& values) {
  return values.has("config") ? read_config(values.text("config")) : Config{};
}

fleet::SyncWorld world_of(const Shell& shell, const egress::Client& client, const Clock& clock) {
  fleet::SyncWorld world;
  world.fetch = [&client](const http::FetchOrder& order) { return client.fetch(order); };
  world.now = [&clock] { return clock.now(); };
  world.pause = [](Duration time) {
    std::this_thread::sleep_for(time);
    return true;
  };
  world.goes_on = [&shell](const fleet::SyncProgress& at) {
    shell.progress(
        progress_line(feeds::feed_name(at.kind), at.file, at.bytes, at.bytes_of, at.records));
    return true;
  };
  return world;
}

void fail_if_any(const std::vector<std::string>& failed) {
  if (failed.empty()) return;
  std::string names;
  for (const std::string& name : failed) names.append(names.empty() ? "" : ", ").append(name);
  throw std::runtime_error("not synced: " + names);
}

/// Whether `feed`, a row of GET /api/v1/feeds, is one of `kinds` and not done yet.
bool is_under_way(const Json& feed, const std::vector<std::string>& kinds) {
  return std::find(kinds.begin(), kinds.end(), text_at(feed, "kind")) != kinds.end() &&
         text_at(feed, "state") != "idle";
}

void show_progress(const Shell& shell, const Json& feed) {
  if (text_at(feed, "state") != "running") return;
  const auto number = [&](std::string_view path) {
    const auto found = find_path(feed, path);
    return found ? found->integer().value_or(0) : 0;
  };
  const std::int64_t of = number("progress.bytes_of");
  shell.progress(
      progress_line(text_at(feed, "kind"), text_at(feed, "progress.file"),
                    static_cast<std::uint64_t>(number("progress.bytes")),
                    of > 0 ? std::optional(static_cast<std::uint64_t>(of)) : std::nullopt,
                    number("progress.records")));
}

}  // namespace

std::vector<std::string> feed_kinds() {
  return {
#define FEED(name) #name,
#include "feeds/feeds.def"
#undef FEED
  };
}

std::vector<Flag> feed_sync_flags() {
  return {
      {.name = "--kind",
       .member = "kind",
       .what = "Which feeds; all by default",
       .kind = Flag::Kind::texts,
       .choices = feed_kinds(),
       .shown = "KIND"},
      {.name = "--full",
       .member = "full",
       .what = "Fetch everything anew, in place of what is there, not only what changed",
       .kind = Flag::Kind::on},
      {.name = "--no-wait",
       .member = "no_wait",
       .what = "Ask the server, and do not wait until it is done",
       .kind = Flag::Kind::on},
      {.name = "--config",
       .member = "config",
       .what = "Configuration file (TOML) with the sources, for --data",
       .kind = Flag::Kind::file},
      {.name = "--feeds",
       .member = "feeds",
       .what = "Take the files of this directory instead, for --data",
       .shown = "DIR"},
  };
}

Result<void> sync_feeds(const Shell& shell, Session& session, const FlagValues& values) {
  for (const char* local : {"config", "feeds"}) {
    if (values.has(local)) return invalid_field("--" + std::string(local), "needs --data");
  }
  const std::vector<std::string> kinds = chosen_kinds(values);
  std::vector<std::string> asked;
  JsonWriter order;
  order.begin_object().member("full", values.has("full")).end_object();
  for (const std::string& kind : kinds) {
    const std::string answer = TRY(session.call(
        http::Method::post, "/api/v1/feeds/" + kind + "/sync", std::string(order.text())));
    asked.push_back(answer);
  }
  if (values.has("no_wait")) {
    if (shell.json()) print_outcomes(shell, asked, served);
    return {};
  }
  std::vector<std::string> failed;
  for (bool waits = true; waits;) {
    waits = false;
    std::vector<std::string> rows;
    TRY(session.list("/api/v1/feeds", "", std::nullopt, [&](const Json& feed) {
      if (std::find(kinds.begin(), kinds.end(), text_at(feed, "kind")) == kinds.end()) return;
      waits = waits || is_under_way(feed, kinds);
      show_progress(shell, feed);
      rows.push_back(feed.serialise());
      const auto failures = find_path(feed, "failures");
      if (failures && failures->integer().value_or(0) > 0) {
        failed.emplace_back(text_at(feed, "kind"));
      }
    }));
    if (waits) {
      failed.clear();
      std::this_thread::sleep_for(look_again);
      continue;
    }
    shell.progress("");
    print_outcomes(shell, rows, served);
  }
  fail_if_any(failed);
  return {};
}

Result<void> sync_feeds_here(const Shell& shell, const FlagValues& values) {
  const Config config = TRY(config_of(values));
  fleet::FeedSources sources = TRY(fleet::FeedSources::read(config));
  if (values.has("feeds")) {
    // One that is missing holds no feed, and that would be no failure.
    const std::string given = values.text("feeds");
    if (!std::filesystem::exists(given)) {
      return Error{Errc::not_found, given + ": there is no such directory"};
    }
    sources.use_directory(std::filesystem::absolute(given).string());
  }
  const std::string directory = values.text("data");
  const auto lock = TRY(lock_data_directory(directory, true));
  crypto::SystemRng rng;
  const SystemClock clock;
  fleet::Fleet fleet(std::make_unique<store::SqliteDatabase>(directory), directory + "/secret", rng,
                     clock.now(), {}, fleet::index_file_in(directory));
  const egress::Client client(
      egress::rules_of(config, "muster/" MUSTER_VERSION), egress::resolve_by_system,
      [&shell](const std::string& host, const IpAddress& address) {
        shell.remark(host + " is " + format_ip_address(address) + ", which may not be called");
      });
  const fleet::SyncWorld world = world_of(shell, client, clock);
  const fleet::FeedTarget target{fleet.store, fleet.ids, fleet.catalogue, fleet.packages};
  std::vector<std::string> failed;
  std::vector<std::string> outcomes;
  for (const std::string& name : chosen_kinds(values)) {
    const auto kind = feeds::parse_feed_kind(name).value();
    const auto done =
        fleet::sync_feed(target, sources, world, fleet::Actor::server(), kind, values.has("full"));
    shell.progress("");
    // A directory need not hold every kind.
    const bool none = values.has("feeds") && !values.has("kind") && !done.ok() &&
                      done.error().code == Errc::not_found;
    if (none) {
      shell.remark(name + ": there is no file of it");
      continue;
    }
    outcomes.push_back(encode_outcome(kind, done, values.has("feeds")));
    // With JSON they are one value, which ends with the last of them.
    if (!shell.json()) print_outcome(shell, outcomes.back(), synced);
    if (!done.ok()) {
      failed.push_back(name);
      continue;
    }
    for (const std::string& remark : done->imported.remarks) shell.remark(name + ": " + remark);
  }
  if (shell.json()) print_outcomes(shell, outcomes, synced);
  fail_if_any(failed);
  return {};
}

}  // namespace muster::ctl
