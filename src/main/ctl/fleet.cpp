// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/grammar.h"

namespace muster::ctl {

namespace {

const Columns shown = {
    {"agents", "agents"},
    {"online", "online"},
    {"offline", "offline"},
    {"unknown", "unknown"},
    {"flapping", "flapping"},
    {"stale", "stale (7 days)"},
    {"never_called", "never called"},
    {"average_health", "average health"},
    {"uptime_percent_30d", "uptime (30 days)", &formats::percent},
    {"outages_30d", "outages (30 days)"},
    {"hours_between_outages_30d", "hours between outages"},
    {"tasks_completed_7d", "tasks completed (7 days)"},
    {"tasks_failed_7d", "tasks failed (7 days)"},
    {"task_success_percent_7d", "task success (7 days)", &formats::percent},
    {"reporting_hosts", "hosts that report software"},
    {"packages", "packages"},
    {"packages_not_assessed", "packages not assessed"},
    {"hosts_past_support", "hosts past their OS support"},
    {"at", "counted", &formats::time},
};

}  // namespace

void add_fleet(Grammar& grammar) {
  grammar.noun("fleet", "All agents together")
      .call({"show", "Show the fleet in numbers", "muster fleet show --org default"},
            http::Method::get, "/api/v1/fleet", {org_flag("Only of that organisation")},
            facts_view(shown));
}

}  // namespace muster::ctl
