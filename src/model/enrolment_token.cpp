// SPDX-License-Identifier: Apache-2.0
#include "model/enrolment_token.h"

#include <algorithm>
#include <array>

namespace muster::model {

namespace {

constexpr std::array<std::string_view, 3> operating_systems = {"windows", "linux", "darwin"};
constexpr std::array<std::string_view, 2> architectures = {"amd64", "arm64"};
constexpr std::array<std::string_view, 4> state_names = {"active", "expired", "exhausted",
                                                         "revoked"};

template <typename Words>
bool is_among(std::string_view text, const Words& words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool means(std::string_view system, std::string_view os, std::string_view arch) {
  const auto slash = system.find('/');
  return system.substr(0, slash) == os &&
         (slash == std::string_view::npos || system.substr(slash + 1) == arch);
}

}  // namespace

bool admits(const TokenTerms& terms, std::string_view peer, std::string_view os,
            std::string_view arch) {
  if (!terms.networks.empty()) {
    const auto address = parse_ip_address(peer);
    if (!address || !contains(terms.networks, *address)) return false;
  }
  return terms.systems.empty() ||
         std::any_of(terms.systems.begin(), terms.systems.end(),
                     [&](std::string_view system) { return means(system, os, arch); });
}

bool is_system(std::string_view text) {
  const auto slash = text.find('/');
  return is_among(text.substr(0, slash), operating_systems) &&
         (slash == std::string_view::npos || is_among(text.substr(slash + 1), architectures));
}

std::string_view token_state_name(TokenState state) {
  return state_names.at(static_cast<std::size_t>(state));
}

std::optional<TokenState> parse_token_state(std::string_view text) {
  for (std::size_t i = 0; i < state_names.size(); ++i) {
    if (state_names.at(i) == text) return static_cast<TokenState>(i);
  }
  return std::nullopt;
}

}  // namespace muster::model
