// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.h"
#include "model/task.h"

/// Which work needs a second person before it is given out (docs/adr/0026). What then happens to a
/// task is in model/task.
namespace muster::model {

enum class ApprovalPolicy : std::uint8_t {
  none,   // no work
  risky,  // commands, updates and uninstalls, and what is for many hosts at once
  all,    // all work
};
std::string_view approval_policy_name(ApprovalPolicy policy);
std::optional<ApprovalPolicy> parse_approval_policy(std::string_view text);

/// What an organisation has set.
struct ApprovalRule {
  ApprovalPolicy policy = ApprovalPolicy::none;
  std::int64_t hosts = 0;  // risky are also tasks for more of them at once
  Duration within{};       // that time, or they never run
};

/// Whether tasks of that type for so many agents, created by one call, need approval.
bool needs_approval(const ApprovalRule& rule, TaskType type, std::size_t agents);

}  // namespace muster::model
