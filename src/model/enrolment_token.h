// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "base/time.h"

namespace muster::model {

/// Who may use an enrolment token, and what its use gives.
struct TokenTerms {
  /// Put on the host of every agent that enrols with it.
  std::vector<std::string> tags;
  /// Networks that an enrolment may come from; none is from anywhere.
  std::vector<IpNetwork> networks;
  /// "linux" or "linux/arm64": what may enrol; none is anything.
  std::vector<std::string> systems;
};

/// Whether a machine of `os` and `arch` that calls from `peer` may enrol. An address that cannot be
/// read is in no network.
bool admits(const TokenTerms& terms, std::string_view peer, std::string_view os,
            std::string_view arch);

/// Whether `text` names a system that an agent can be: an operating system, or one and its
/// architecture.
bool is_system(std::string_view text);

enum class TokenState : std::uint8_t { active, expired, exhausted, revoked };
/// What of a token's facts counts first.
constexpr TokenState token_state(bool revoked, bool used_up, bool expired) {
  if (revoked) return TokenState::revoked;
  if (used_up) return TokenState::exhausted;
  return expired ? TokenState::expired : TokenState::active;
}
std::string_view token_state_name(TokenState state);
std::optional<TokenState> parse_token_state(std::string_view text);

}  // namespace muster::model
