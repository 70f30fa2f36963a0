// SPDX-License-Identifier: Apache-2.0
#include "model/approval.h"

#include <gtest/gtest.h>

namespace muster::model {
namespace {

constexpr TaskType all_types[] = {TaskType::execute_test, TaskType::execute_command,
                                  TaskType::update_agent, TaskType::uninstall};

TEST(NeedsApproval, IsDecidedByPolicyTypeAndNumberOfHosts) {
  for (const TaskType type : all_types) {
    for (const std::size_t agents : {1U, 10U, 11U, 1000U}) {
      const bool risky = type != TaskType::execute_test || agents > 10;
      EXPECT_FALSE(needs_approval({ApprovalPolicy::none, 10, {}}, type, agents));
      EXPECT_EQ(needs_approval({ApprovalPolicy::risky, 10, {}}, type, agents), risky)
          << task_type_name(type) << " for " << agents;
      EXPECT_TRUE(needs_approval({ApprovalPolicy::all, 10, {}}, type, agents));
    }
  }
}

TEST(NeedsApproval, PoliciesAreReadAsTheyAreWritten) {
  for (const auto policy : {ApprovalPolicy::none, ApprovalPolicy::risky, ApprovalPolicy::all}) {
    EXPECT_EQ(parse_approval_policy(approval_policy_name(policy)), policy);
  }
  EXPECT_FALSE(parse_approval_policy("some"));
}

}  // namespace
}  // namespace muster::model
