// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/settings.h"
#include "base/json_read.h"
#include "base/result.h"

/// What a server sets on a host of ours, within what the host's owner allows (docs/adr/0018).
namespace muster::agent {

/// As the server gave it, and as it is kept: config.json. Lost or damaged, it is fetched again.
struct PushedConfig {
  static constexpr const char* file = "config.json";

  std::string hash;      // SHA-256 of `document` in hexadecimal; empty: nothing is set
  std::string document;  // a JSON object

  friend bool operator==(const PushedConfig&, const PushedConfig&) = default;
};

/// `data` of the answer to GET /api/agent/config. Fails with invalid_field when it has no document,
/// or one of another hash than it says.
Result<PushedConfig> read_config(const Json& data);

std::string encode_config(const PushedConfig& config);
/// Nothing for a damaged file.
std::optional<PushedConfig> decode_config(std::string_view json);

/// The owner's settings with what a server pushed laid over those that agent.toml does not name;
/// sources that either leaves out are left out. All of it or nothing: fails with invalid_field
/// naming the member that is not known, of the wrong type, or out of this host's bounds.
Result<Settings> lay_over(const Settings& own, std::string_view document);

/// A setting in force that a server may push.
struct Origin {
  std::string name;       // "intervals.poll_seconds"
  std::string value;      // for people
  std::string_view from;  // "file", "server", "file and server" or "default"
};
/// `own` with `document`, which lay_over() took, or which is empty.
std::vector<Origin> origins(const Settings& own, std::string_view document);

}  // namespace muster::agent
