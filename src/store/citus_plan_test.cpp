// SPDX-License-Identifier: Apache-2.0
#include "store/citus_plan.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace muster::store {
namespace {

const CitusTable& table_named(const CitusPlan& plan, const std::string& name) {
  const auto found = std::find_if(plan.tables.begin(), plan.tables.end(),
                                  [&](const CitusTable& table) { return table.name == name; });
  EXPECT_NE(found, plan.tables.end()) << name;
  return *found;
}

TEST(PlanCitus, DistributesWhatLeadsWithAnOrganisationAndKeepsTheRestWhole) {
  const CitusPlan plan = plan_citus();
  for (const char* name : {"hosts", "agents", "tasks", "results", "findings", "packages"}) {
    EXPECT_TRUE(table_named(plan, name).distributed) << name;
  }
  for (const char* name : {"orgs", "operator_tokens", "feeds", "advisories", "secrets"}) {
    EXPECT_FALSE(table_named(plan, name).distributed) << name;
  }
  EXPECT_EQ(plan.statements.size(), plan.tables.size() + 1);
  for (const char* name : {"nodes", "writers", "schema_migrations"}) {
    EXPECT_EQ(plan.script().find("'" + std::string(name) + "'"), std::string::npos) << name;
  }
  EXPECT_NE(plan.script().find("SELECT create_distributed_table('hosts', 'org_id', colocate_with"
                               " => '"),
            std::string::npos);
}

TEST(PlanCitus, NoUniqueIndexOfADistributedTableLacksTheOrganisation) {
  for (const CitusTable& table : plan_citus().tables) {
    EXPECT_TRUE(table.offending_indexes.empty())
        << table.name << ": " << table.offending_indexes.front();
  }
}

}  // namespace
}  // namespace muster::store
