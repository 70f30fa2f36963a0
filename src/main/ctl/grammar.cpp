// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/grammar.h"

#include <algorithm>

#include <CLI/CLI.hpp>

#include "base/json_write.h"
#include "base/limits.h"

namespace muster::ctl {

namespace {

constexpr Duration usual_patience = std::chrono::seconds(60);
/// The whole Debian tracker, matched against a whole fleet, takes minutes.
constexpr Duration long_patience = std::chrono::minutes(15);

Result<void> check_limit(const std::string& text) {
  if (text.find_first_not_of("0123456789") == std::string::npos && text != "0") return {};
  return Error{Errc::invalid_field, "must be 1 or more"};
}

}  // namespace

Verb& Noun::add(const Words& words, std::vector<Flag> flags) {
  CLI::App* app = app_.add_subcommand(words.name, words.what);
  app->footer("Example:\n  " + words.example +
              "\n\nAlso: --json, --wide, --server URL, --token-file FILE, --ca-file FILE");
  Verb verb;
  verb.app = app;
  verb.values = std::make_unique<FlagValues>(std::move(flags));
  verb.values->bind(*app);
  verb.patience = usual_patience;
  verbs_.push_back(std::move(verb));
  return verbs_.back();
}

Noun& Noun::list(const Words& words, std::string path, std::vector<Flag> flags,
                 const Columns& columns, Counted counted, PageWarning warning) {
  flags.push_back(limit_flag());
  return remote(words, std::move(flags),
                [path = std::move(path), &columns, counted, warning = std::move(warning)](
                    const Shell& shell, Session& session, const FlagValues& values) {
                  return print_list(shell, session, path, values, columns, counted, warning);
                });
}

Noun& Noun::call(const Words& words, http::Method method, std::string path, std::vector<Flag> flags,
                 View view) {
  return remote(words, std::move(flags),
                [method, path = std::move(path), view = std::move(view)](
                    const Shell& shell, Session& session, const FlagValues& values) {
                  std::string target = values.expand(path);
                  std::string body;
                  if (method == http::Method::post || method == http::Method::put) {
                    JsonWriter json;
                    json.begin_object();
                    values.write_members(json, path);
                    body = json.end_object().take();
                  } else if (const std::string query = values.query(path); !query.empty()) {
                    target.append("?").append(query);
                  }
                  return call_and_print(shell, session, method, target, body, view);
                });
}

Noun& Noun::remote(const Words& words, std::vector<Flag> flags, RemoteAction action) {
  add(words, std::move(flags)).remote = std::move(action);
  return *this;
}

Noun& Noun::slow(const Words& words, std::vector<Flag> flags, RemoteAction action) {
  Verb& verb = add(words, std::move(flags));
  verb.remote = std::move(action);
  verb.patience = long_patience;
  return *this;
}

Noun& Noun::slow_or_local(const Words& words, std::vector<Flag> flags, RemoteAction action,
                          LocalAction local) {
  flags.push_back({.name = "--data",
                   .member = "data",
                   .what = "Work on this data directory, without a server",
                   .shown = "DIR"});
  Verb& verb = add(words, std::move(flags));
  verb.remote = std::move(action);
  verb.local = std::move(local);
  verb.patience = long_patience;
  return *this;
}

Noun& Noun::local(const Words& words, std::vector<Flag> flags, LocalAction action) {
  add(words, std::move(flags)).local = std::move(action);
  return *this;
}

Grammar::Grammar(CLI::App& root) : root_(root) {
#define NOUN(name) add_##name(*this);
#include "main/ctl/nouns.def"
#undef NOUN
}

Noun Grammar::noun(const std::string& name, const std::string& what) {
  CLI::App* app = root_.add_subcommand(name, what);
  app->require_subcommand(1);
  return Noun(*app, verbs_);
}

Noun Grammar::root() {
  return Noun(root_, verbs_);
}

const Verb& Grammar::chosen() const {
  const auto found = std::find_if(verbs_.begin(), verbs_.end(),
                                  [](const Verb& verb) { return verb.app->parsed(); });
  CHECK(found != verbs_.end());
  return *found;
}

View facts_view(const Columns& columns, std::string remark) {
  return [&columns, remark = std::move(remark)](const Shell& shell, const Json& object) {
    shell.print_facts(facts_of(columns, object));
    if (!remark.empty()) shell.remark(remark);
  };
}

View row_view(const Columns& columns) {
  return [&columns](const Shell& shell, const Json& object) {
    Table table = table_of(columns);
    table.add(cells_of(columns, object));
    shell.print(table.render(shell.look()));
  };
}

Result<void> call_and_print(const Shell& shell, Session& session, http::Method method,
                            const std::string& target, const std::string& body, const View& view) {
  const std::string answer = TRY(session.call(method, target, body));
  JsonDocument document;
  const Result<Json> object = document.parse(answer);
  if (!object.ok() || !object->is_object()) {
    return Error{Errc::unavailable, "the answer is not an object of Muster"};
  }
  if (shell.json()) {
    shell.print_json(answer);
  } else {
    view(shell, *object);
  }
  return {};
}

Result<void> print_list(const Shell& shell, Session& session, const std::string& path,
                        const FlagValues& values, const Columns& columns, Counted counted,
                        const PageWarning& warning) {
  const auto most = list_limit(shell, values);
  ListPrinter printer(shell, columns, counted);
  // The pages have limits of their own.
  std::string said;
  const bool more = TRY(session.list(
      values.expand(path), values.query(path + "{limit}"), most,
      [&](const Json& item) { printer.add(item); },
      [&](const Json& page) {
        if (warning) said = warning(page, values);
      }));
  printer.finish(more);
  if (!said.empty()) shell.warn(said);
  return {};
}

std::optional<std::size_t> list_limit(const Shell& shell, const FlagValues& values) {
  if (const auto count = values.integer("limit")) return static_cast<std::size_t>(*count);
  if (shell.json()) return std::nullopt;
  return static_cast<std::size_t>(limits::page_size);
}

Flag limit_flag() {
  return {.name = "--limit",
          .member = "limit",
          .what = "How many to show (1000 by default; all with --json)",
          .kind = Flag::Kind::integer,
          .check = check_limit};
}

Flag id_flag(const std::string& what) {
  return {.name = "ID", .member = "id", .what = what, .required = true};
}

Flag org_flag(const std::string& what) {
  return {.name = "--org", .member = "org", .what = what, .shown = "ORG"};
}

Flag since_flag(const std::string& what) {
  return {.name = "--since",
          .member = "since",
          .what = what + " (RFC 3339)",
          .check = check_time,
          .shown = "TIME"};
}

Flag until_flag(const std::string& what) {
  return {.name = "--until",
          .member = "until",
          .what = what + " (RFC 3339)",
          .check = check_time,
          .shown = "TIME"};
}

}  // namespace muster::ctl
