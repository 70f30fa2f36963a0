// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "main/ctl/grammar.h"

namespace muster::ctl {

namespace {

constexpr std::string_view path = "/api/v1/settings";

void print_settings(const Shell& shell, const Json& answer) {
  std::vector<Fact> facts;
  const auto settings = answer.find("settings");
  if (settings && settings->is_object()) {
    settings->for_each_member([&](std::string_view name, const Json& value) {
      facts.push_back({std::string(name), formats::text.cell(value)});
    });
  }
  shell.print_facts(facts);
  if (!facts.empty()) return;
  shell.remark("nothing is set for " + std::string(text_at(answer, "scope")) + " " +
               std::string(text_at(answer, "target")));
}

Result<void> check_pair(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || !is_plain_text(text)) {
    return Error{Errc::invalid_field, "must be KEY=VALUE"};
  }
  return {};
}

/// true, false, null, a number or a quoted text are what they are in JSON; all else is a text.
void write_value(JsonWriter& json, std::string_view text) {
  JsonDocument document;
  const Result<Json> value = document.parse(text);
  if (value.ok() && !value->is_object() && !value->is_array()) {
    json.raw(value->serialise());
  } else {
    json.value(text);
  }
}

std::string target_of(const FlagValues& values) {
  // The pairs are the body's.
  return std::string(path) + "?" + values.query("{pairs}");
}

Result<void> set_settings(const Shell& shell, Session& session, const FlagValues& values) {
  JsonWriter json;
  json.begin_object();
  for (const std::string& pair : values.texts("pairs")) {
    const auto equals = pair.find('=');
    json.key(pair.substr(0, equals));
    write_value(json, std::string_view(pair).substr(equals + 1));
  }
  json.end_object();
  return call_and_print(shell, session, http::Method::put, target_of(values), json.take(),
                        print_settings);
}

std::vector<Flag> scope_flags() {
  return {
      {.name = "--scope",
       .member = "scope",
       .what = "Where it holds: a host's own wins over its tags', those over its organisation's",
       .required = true,
       .choices = {"org", "tag", "host"},
       .shown = "org|tag|host"},
      {.name = "--target",
       .member = "target",
       .what = "Organisation or host by id or name, or the tag; the organisation default if absent",
       .shown = "TARGET"},
      org_flag("Organisation of the tag"),
  };
}

}  // namespace

void add_settings(Grammar& grammar) {
  std::vector<Flag> set_flags = scope_flags();
  set_flags.push_back({.name = "settings",
                       .member = "pairs",
                       .what = "What to set; KEY=null removes a setting",
                       .kind = Flag::Kind::texts,
                       .required = true,
                       .check = check_pair,
                       .shown = "KEY=VALUE..."});
  grammar.noun("settings", "What hosts are told about their reporting")
      .call({"show", "Show what is set in one scope",
             "muster settings show --scope tag --target laptops"},
            http::Method::get, std::string(path), scope_flags(), print_settings)
      .remote({"set", "Set or remove settings in one scope; others stay",
               "muster settings set --scope tag --target laptops scan_interval=43200"},
              std::move(set_flags), set_settings);
}

}  // namespace muster::ctl
