// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <iterator>

#include "base/limits.h"
#include "main/ctl/grammar.h"

namespace muster::ctl {

namespace {

const Columns held = {
    {"kind", "KIND"},
    {"records", "RECORDS", &formats::number},
    {"published", "PUBLISHED"},
    {"imported_at", "IMPORTED", &formats::time},
    {"age_seconds", "AGE", &formats::age},
};

const Columns imported = {
    {"kind", "kind"},
    {"published", "published"},
    {"records", "records"},
    {"skipped", "skipped"},
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

Result<std::string> read_feed(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const auto size = file.tellg();
  if (!file || size < 0) return Error{Errc::not_found, path + ": cannot be read"};
  if (static_cast<std::size_t>(size) > limits::feed_body_bytes) {
    return Error{Errc::body_too_large, path + ": is larger than the " +
                                           std::to_string(limits::feed_body_bytes) +
                                           " bytes that a server takes; compress it"};
  }
  std::string bytes(static_cast<std::size_t>(size), '\0');
  file.seekg(0);
  file.read(bytes.data(), size);
  if (!file) return Error{Errc::not_found, path + ": cannot be read"};
  return bytes;
}

Result<void> import_feed(const Shell& shell, Session& session, const FlagValues& values) {
  std::string bytes = TRY(read_feed(values.text("path")));
  return call_and_print(shell, session, http::Method::post, values.expand("/api/v1/feeds/{kind}"),
                        std::move(bytes), print_import);
}

std::vector<std::string> feed_kinds() {
  return {
#define FEED(name) #name,
#include "feeds/feeds.def"
#undef FEED
  };
}

}  // namespace

void add_feeds(Grammar& grammar) {
  grammar.noun("feeds", "Advisory feeds: what is known about vulnerabilities")
      .slow({"import", "Import a feed's file as published: plain, .gz or .zst",
             "muster feeds import --kind kev known_exploited_vulnerabilities.json"},
            {{.name = "--kind",
              .member = "kind",
              .what = "Whose file it is",
              .required = true,
              .choices = feed_kinds(),
              .shown = "KIND"},
             {.name = "PATH",
              .member = "path",
              .what = "The file; it replaces what was imported of that kind before",
              .kind = Flag::Kind::file,
              .required = true,
              .only_one_because =
                  "each import replaces what was imported of that kind before, so give one file"}},
            import_feed)
      .list({"status", "Show what each feed holds and how old it is", "muster feeds status"},
            "/api/v1/feeds", {}, held, {"feed", "feeds"});
}

}  // namespace muster::ctl
