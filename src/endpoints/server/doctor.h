// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace muster::endpoints {

struct App;

/// A bound of the server and how near it is.
struct Budget {
  std::string_view name;  // "connections"
  std::string_view unit;  // "connections", "bytes", "seconds"
  std::uint64_t used = 0;
  std::uint64_t most = 0;  // used at one time since the start; as `used` where that is not kept
  std::uint64_t limit = 0;
};

/// The bounds that are known; without a machine (App::machine_use) the store's alone.
std::vector<Budget> budgets(const App& app);

/// Something that an operator should know of before agents feel it.
struct Check {
  enum class State : std::uint8_t { fine, near, over };
  std::string name;
  State state = State::fine;
  std::string found;   // "3,112 of 100,000 connections"
  std::string advice;  // empty when all is well
};
std::string_view check_state_name(Check::State state);

/// A budget is near from 80 % and over from 95 % on, by its most.
Check::State state_of(const Budget& budget);

/// Every budget, then the certificate, the feeds, the machine's clock, and the agents that are
/// refused for theirs or whose new key is not adopted.
std::vector<Check> check_server(const App& app, Instant now);

}  // namespace muster::endpoints
