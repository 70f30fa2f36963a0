// SPDX-License-Identifier: Apache-2.0
#include "base/limits.h"
#include "base/time.h"
#include "crypto/random.h"
#include "feeds/feed.h"
#include "fleet/feed_import.h"
#include "fleet/fleet.h"
#include "main/ctl/data_directory.h"
#include "main/ctl/feed_sync.h"
#include "main/ctl/files.h"
#include "main/ctl/grammar.h"
#include "store/sqlite/sqlite_connection.h"

namespace muster::ctl {

namespace {

const Columns held = {
    {"kind", "KIND"},
    {"records", "RECORDS", &formats::number},
    {"published", "PUBLISHED"},
    {"imported_at", "IMPORTED", &formats::time},
    {"age_seconds", "AGE", &formats::age},
    {"stale", "STALE", &formats::yes_no},
    {"state", "SYNC"},
    {"checked_at", "CHECKED", &formats::time},
    {"source", "SOURCE"},
    {"failures", "FAILED"},
    {"failure", "LAST FAILURE"},
};

constexpr std::size_t stale_column = 5;

const Columns imported = {
    {"kind", "kind"},
    {"published", "published"},
    {"records", "records"},
    {"skipped", "skipped"},
    {"superseded", "superseded"},
    {"hosts_matched", "hosts matched"},
    {"findings_opened", "findings opened"},
    {"findings_resolved", "findings resolved"},
};

void print_import(const Shell& shell, const Json& outcome) {
  shell.print_facts(facts_of(imported, outcome));
  const auto remarks = outcome.find("remarks");
  if (!remarks || !remarks->is_array()) return;
  remarks->for_each([&](const Json& remark) {
    shell.remark("skipped: " + std::string(remark.string().value_or("")));
  });
}

Result<void> show_status(const Shell& shell, Session& session, const FlagValues& values) {
  constexpr Counted feeds = {"feed", "feeds"};
  const std::string path = "/api/v1/feeds";
  if (shell.json()) return print_list(shell, session, path, values, held, feeds);
  ListPrinter printer(shell, held, feeds);
  const auto add = [&](const Json& feed) {
    std::vector<Cell> cells = cells_of(held, feed);
    const auto imported_at = feed.find("imported_at");
    // What was never there is not old, and not fresh either.
    if (!imported_at || imported_at->is_null()) cells[stale_column] = {"none", Style::notice};
    printer.add_row(std::move(cells));
  };
  const bool more = TRY(session.list(path, "", list_limit(shell, values), add));
  printer.finish(more);
  return {};
}

Result<std::vector<std::string>> read_files(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  files.reserve(paths.size());
  for (const std::string& path : paths)
    files.push_back(TRY(read_file(path, limits::feed_body_bytes)));
  return files;
}

/// The files in one body. Members of gzip and frames of zstd may be joined, but not with others.
Result<std::string> joined(const std::vector<std::string>& files) {
  const auto form_of = [](const std::string& file) {
    for (const std::string_view magic : {"\x1f\x8b", "\x28\xb5\x2f\xfd"}) {
      if (file.starts_with(magic)) return magic;
    }
    return std::string_view{};
  };
  std::string body;
  for (const std::string& file : files) {
    if (form_of(file) != form_of(files.front())) {
      return invalid_field("PATH", "several files must all be plain, all .gz or all .zst");
    }
    body += file;
  }
  if (body.size() <= limits::feed_body_bytes) return body;
  return Error{Errc::body_too_large, "together the files are larger than the " +
                                         std::to_string(limits::feed_body_bytes) +
                                         " bytes that a server takes; use --data on its machine"};
}

Result<void> import_feed(const Shell& shell, Session& session, const FlagValues& values) {
  const auto files = TRY(read_files(values.texts("path")));
  return call_and_print(shell, session, http::Method::post, values.expand("/api/v1/feeds/{kind}"),
                        TRY(joined(files)), print_import);
}

Result<void> import_feed_here(const Shell& shell, const FlagValues& values) {
  const std::string directory = values.text("data");
  auto files = TRY(read_files(values.texts("path")));
  const auto lock = TRY(lock_data_directory(directory, true));
  crypto::SystemRng rng;
  const SystemClock clock;
  fleet::Fleet fleet(std::make_unique<store::SqliteDatabase>(directory), directory + "/secret", rng,
                     clock.now(), {}, fleet::index_file_in(directory));
  const fleet::ImportOutcome outcome = TRY(fleet::import_feed(
      fleet.store, fleet.ids, fleet.catalogue, fleet.packages, fleet::Actor::server(),
      feeds::parse_feed_kind(values.text("kind")).value(), std::move(files), clock.now()));
  JsonWriter json;
  json.begin_object().member("kind", outcome.feed);
  fleet::write_import(json, outcome);
  json.end_object();
  if (shell.json()) {
    shell.print_json(json.text());
  } else {
    print_import(shell, TRY(thread_json().parse(json.text())));
  }
  return {};
}

}  // namespace

void add_feeds(Grammar& grammar) {
  grammar.noun("feeds", "Advisory feeds: what is known about vulnerabilities")
      .slow_or_local(
          {"import", "Import a feed's files as published: plain, .gz, .zst or .zip",
           "muster feeds import --kind kev known_exploited_vulnerabilities.json"},
          {{.name = "--kind",
            .member = "kind",
            .what = "Which feed the files are of",
            .required = true,
            .choices = feed_kinds(),
            .shown = "KIND"},
           {.name = "PATH",
            .member = "path",
            .what = "The files; together they replace what was imported of that kind before",
            .kind = Flag::Kind::files,
            .required = true}},
          import_feed, import_feed_here)
      .slow_or_local(
          {"sync", "Bring feeds up to date from their sources ([feeds] of the configuration)",
           "muster feeds sync --kind kev --kind epss"},
          feed_sync_flags(), sync_feeds, sync_feeds_here)
      .remote({"status", "Show what each feed holds and how old it is", "muster feeds status"},
              {limit_flag()}, show_status);
}

}  // namespace muster::ctl
