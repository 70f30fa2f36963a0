// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <iterator>

#include "base/config.h"
#include "main/ctl/grammar.h"

namespace muster::ctl {

namespace {

const Columns columns = {
    {"key", "KEY", &formats::id},
    {"value", "IN FORCE"},
    {"default", "DEFAULT"},
};

Result<void> explain(const Shell& shell, const FlagValues& values) {
  Config config;
  if (values.has("config")) {
    const std::string path = values.text("config");
    std::ifstream file(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    if (!file) return Error{Errc::not_found, path + ": cannot be read"};
    auto parsed = parse_config(text);
    if (!parsed.ok()) {
      Error error = std::move(parsed).error();
      error.message = path + ": " + error.message;
      return error;
    }
    config = *std::move(parsed);
  }
  print_blocks(shell, explain_config_json(config), columns, "meaning", {"setting", "settings"});
  return {};
}

}  // namespace

void add_config(Grammar& grammar) {
  grammar.noun("config", "The server's configuration file")
      .local({"explain", "Show every key with the value in force, its default and its meaning",
              "muster config explain --config /etc/muster/musterd.toml"},
             {{.name = "--config",
               .member = "config",
               .what = "Configuration file (TOML); the defaults without it",
               .kind = Flag::Kind::file}},
             explain);
}

}  // namespace muster::ctl
