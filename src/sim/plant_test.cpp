// SPDX-License-Identifier: Apache-2.0
// A checker that does not find the fault planted for it proves nothing.
#include "sim/plant.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "sim/world.h"

namespace muster::sim {
namespace {

struct Planted {
  const char* name;
  Plant plant;
  Claim claim;
  std::uint64_t first_seed = 1;  // where a world with its chance comes late: the first that has it
};

void PrintTo(const Planted& planted, std::ostream* out) {
  *out << planted.name;
}

constexpr Planted all_planted[] = {
    {"SyncsLie", Plant::syncs_lie, Claim::results_are_kept},
    {"AnswersEarly", Plant::answers_early, Claim::results_are_kept, 27},
    {"JournalsForgotten", Plant::journals_forgotten, Claim::runs_are_reported_once},
    {"CancelsForged", Plant::cancels_forged, Claim::cancelled_work_does_not_start},
    {"ExpiriesForgotten", Plant::expiries_forgotten, Claim::expired_work_does_not_start},
    {"ApprovalsSkipped", Plant::approvals_skipped, Claim::unapproved_work_is_not_given},
    {"OrdersForged", Plant::orders_forged, Claim::orders_are_kept},
    {"WorkLeft", Plant::work_left, Claim::work_ends},
    {"ChangesForged", Plant::changes_forged, Claim::audit_tells_every_change},
    {"AuditCut", Plant::audit_cut, Claim::audit_is_one_chain},
    {"EnrolmentsDropped", Plant::enrolments_dropped, Claim::enrolments_are_kept},
    {"KeysGarbled", Plant::keys_garbled, Claim::nobody_is_locked_out},
    {"BeatsForged", Plant::beats_forged, Claim::presence_is_never_false},
    {"PresenceBack", Plant::presence_back, Claim::last_seen_never_goes_back},
    {"MemoryLeads", Plant::memory_leads, Claim::memory_equals_the_store},
    {"FindingsLost", Plant::findings_lost, Claim::findings_equal_from_scratch},
    {"ReportsForged", Plant::reports_forged, Claim::software_is_what_the_host_has},
    {"WorkHidden", Plant::work_hidden, Claim::work_is_delivered},
    {"DisksGarbled", Plant::disks_garbled, Claim::the_server_starts},
    {"OutageInvented", Plant::outage_invented, Claim::nobody_is_told_of_falsely},
    {"OutageRepeated", Plant::outage_repeated, Claim::outages_are_told_once},
    {"DowntimeTold", Plant::downtime_told, Claim::downtime_is_nobodys_outage},
};

class PlantedFault : public testing::TestWithParam<Planted> {};

TEST_P(PlantedFault, IsFoundByItsChecker) {
  // Not every world gives every fault its chance: there must be a crash, a cancel, a delta.
  constexpr std::uint64_t seeds = 60;
  const std::uint64_t first = GetParam().first_seed;
  std::uint64_t found = 0;
  for (std::uint64_t seed = first; seed < first + seeds && found == 0; ++seed) {
    Scenario scenario = scenario_of(seed);
    scenario.ends = true;
    scenario.plant = GetParam().plant;
    World world(seed, scenario);
    world.run();
    const auto& breaches = world.ledger().breaches();
    const bool named = std::any_of(breaches.begin(), breaches.end(), [](const Breach& breach) {
      return breach.claim == GetParam().claim;
    });
    if (named) found = seed;
  }
  EXPECT_NE(found, 0U) << "none of " << seeds
                       << " seeds broke: " << claim_sentence(GetParam().claim);
  RecordProperty("seed", std::to_string(found));
}

INSTANTIATE_TEST_SUITE_P(Each, PlantedFault, testing::ValuesIn(all_planted),
                         [](const auto& planted) { return std::string(planted.param.name); });

}  // namespace
}  // namespace muster::sim
