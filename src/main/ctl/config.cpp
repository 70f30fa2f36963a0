// SPDX-License-Identifier: Apache-2.0
#include "base/config.h"
#include "base/json_read.h"
#include "main/ctl/grammar.h"

namespace muster::ctl {

namespace {

const Columns columns = {
    {"key", "KEY", &formats::id},
    {"value", "IN FORCE"},
    {"default", "DEFAULT"},
};

Flag changed_flag() {
  return {.name = "--changed",
          .member = "changed",
          .what = "Only what is not the default",
          .kind = Flag::Kind::on};
}

Result<void> print_settings(const Shell& shell, const std::string& rows, const FlagValues& values) {
  JsonDocument document;
  JsonWriter shown;
  shown.begin_array();
  TRY(document.parse(rows)).for_each([&](const Json& row) {
    const auto changed = row.find("changed");
    const bool is_changed = changed && changed->boolean().value_or(false);
    if (is_changed || !values.has("changed")) shown.raw(row.serialise());
  });
  shown.end_array();
  print_blocks(shell, shown.take(), columns, "meaning", {"setting", "settings"});
  return {};
}

Result<void> explain(const Shell& shell, const FlagValues& values) {
  const Config config = values.has("config") ? TRY(read_config(values.text("config"))) : Config{};
  return print_settings(shell, explain_config_json(config), values);
}

Result<void> show(const Shell& shell, Session& session, const FlagValues& values) {
  const std::string rows = TRY(session.call(http::Method::get, "/api/v1/config"));
  return print_settings(shell, rows, values);
}

}  // namespace

void add_config(Grammar& grammar) {
  grammar.noun("config", "The server's configuration")
      .remote({"show", "Show what the server that answers runs with, its flags included",
               "muster config show --changed"},
              {changed_flag()}, show)
      .local({"explain", "Show what a configuration file sets, with each key's default and meaning",
              "muster config explain --config /etc/muster/musterd.toml"},
             {{.name = "--config",
               .member = "config",
               .what = "Configuration file (TOML); the defaults without it",
               .kind = Flag::Kind::file},
              changed_flag()},
             explain);
}

}  // namespace muster::ctl
