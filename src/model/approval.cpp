// SPDX-License-Identifier: Apache-2.0
#include "model/approval.h"

namespace muster::model {

namespace {

/// A test runs a program that was uploaded and reviewed as one; all else is made up in the order.
bool is_risky(TaskType type) {
  return type != TaskType::execute_test;
}

}  // namespace

std::string_view approval_policy_name(ApprovalPolicy policy) {
  switch (policy) {
    case ApprovalPolicy::none:
      return "none";
    case ApprovalPolicy::risky:
      return "risky";
    case ApprovalPolicy::all:
      return "all";
  }
  return "none";
}

std::optional<ApprovalPolicy> parse_approval_policy(std::string_view text) {
  for (const auto policy : {ApprovalPolicy::none, ApprovalPolicy::risky, ApprovalPolicy::all}) {
    if (approval_policy_name(policy) == text) return policy;
  }
  return std::nullopt;
}

bool needs_approval(const ApprovalRule& rule, TaskType type, std::size_t agents) {
  switch (rule.policy) {
    case ApprovalPolicy::none:
      return false;
    case ApprovalPolicy::risky:
      return is_risky(type) || agents > static_cast<std::size_t>(rule.hosts);
    case ApprovalPolicy::all:
      return true;
  }
  return true;
}

}  // namespace muster::model
