// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"

namespace muster::agent {

/// Who this agent is to its server: identity.json. Nothing the server answers ever removes it.
struct Identity {
  static constexpr const char* file = "identity.json";
  /// Where enrolment keeps a copy of the certificates that prove the server.
  static constexpr const char* copied_ca_file = "ca.pem";

  std::string server_url;
  AgentId agent;
  std::string key;
  /// Offered by the server and not proved yet; `key` stays valid there until this one is used.
  std::string pending_key;
  std::string org;
  std::string update_public_key;  // base64 of 32 bytes
  std::string ca_file;            // PEM that proves the server; empty: the system's
};

std::string encode_identity(const Identity& identity);
/// With its keys as `sealed_keys` alone.
std::string encode_sealed_identity(const Identity& identity, const std::string& sealed_keys);
/// What such a file says without its keys.
Result<Identity> decode_sealed_identity(std::string_view json);
/// Fails with invalid_json, invalid_field or missing_field for a damaged file.
Result<Identity> decode_identity(std::string_view json);

}  // namespace muster::agent
