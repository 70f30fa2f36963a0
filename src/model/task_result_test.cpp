// SPDX-License-Identifier: Apache-2.0
#include "model/task_result.h"

#include <limits>
#include <map>

#include <gtest/gtest.h>

#include "base/limits.h"
#include "base/testing.h"
#include "model/task.h"

namespace muster::model {
namespace {

using Names = std::vector<std::string_view>;

TEST(Outcome, EveryExitCodeUpToAThousandIsOneOfTheTable) {
  const std::map<std::int64_t, Outcome> known = {
      {1, Outcome::error},        {101, Outcome::unprotected}, {105, Outcome::protected_},
      {126, Outcome::protected_}, {127, Outcome::protected_},  {259, Outcome::error},
      {999, Outcome::error},
  };
  for (std::int64_t code = 0; code <= 1000; ++code) {
    const auto found = known.find(code);
    EXPECT_EQ(outcome_of(code), found == known.end() ? Outcome::inconclusive : found->second)
        << code;
  }
}

TEST(Outcome, WhatWasKilledOrCrashedIsAnError) {
  EXPECT_EQ(outcome_of(-1), Outcome::error);
  EXPECT_EQ(outcome_of(std::numeric_limits<std::int64_t>::min()), Outcome::error);
  EXPECT_EQ(outcome_of(3221225477), Outcome::error) << "STATUS_ACCESS_VIOLATION";
  EXPECT_EQ(outcome_of(0xC0000000), Outcome::error);
  EXPECT_EQ(outcome_of(0xFFFFFFFF), Outcome::error);
  EXPECT_EQ(outcome_of(0xC0000000 - 1), Outcome::inconclusive);
  EXPECT_EQ(outcome_of(0x100000000), Outcome::inconclusive);
  EXPECT_EQ(outcome_of(std::numeric_limits<std::int64_t>::max()), Outcome::inconclusive);
}

TEST(Outcome, NamesAreReadBack) {
  for (const Outcome outcome : {Outcome::not_run, Outcome::inconclusive, Outcome::protected_,
                                Outcome::error, Outcome::unprotected}) {
    EXPECT_EQ(parse_outcome(outcome_name(outcome)), outcome);
  }
  EXPECT_EQ(outcome_name(Outcome::protected_), "protected");
  EXPECT_EQ(parse_outcome("Protected"), std::nullopt);
  EXPECT_EQ(parse_outcome(""), std::nullopt);
}

Control control(std::int64_t exit_code, bool compliant = false, bool skipped = false) {
  Control made;
  made.exit_code = exit_code;
  made.compliant = compliant;
  made.skipped = skipped;
  return made;
}

TEST(Outcome, OfAControlIgnoresWhatItCallsCompliant) {
  EXPECT_EQ(outcome_of(control(101, true)), Outcome::unprotected);
  EXPECT_EQ(outcome_of(control(126, false)), Outcome::protected_);
  EXPECT_EQ(outcome_of(control(101, false, true)), Outcome::not_run) << "skipped";
}

TEST(Outcome, OfABundleIsThatOfItsWorstControl) {
  TaskResult result;
  result.exit_code = 126;
  EXPECT_EQ(outcome_of(result), Outcome::protected_) << "without controls, the exit code";
  result.controls = {control(0, false, true)};
  EXPECT_EQ(outcome_of(result), Outcome::not_run);
  result.controls.push_back(control(0));
  EXPECT_EQ(outcome_of(result), Outcome::inconclusive);
  result.controls.push_back(control(105));
  EXPECT_EQ(outcome_of(result), Outcome::protected_);
  result.controls.push_back(control(999));
  EXPECT_EQ(outcome_of(result), Outcome::error);
  result.controls.push_back(control(101));
  EXPECT_EQ(outcome_of(result), Outcome::unprotected);
  result.controls.push_back(control(127));
  EXPECT_EQ(outcome_of(result), Outcome::unprotected);
}

TEST(Output, HasADigestUnlessItIsEmpty) {
  EXPECT_EQ(Output("abc").sha256()->text(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Output("").sha256(), std::nullopt);
  EXPECT_TRUE(Output("", true).truncated());
}

struct Flagged : testing::Test {
  Flagged() {
    task.id = {Uuid{{1}}};
    task.test_uuid = "0190f1c2-0000-7000-8000-00000000000a";
    result.received_at = test_epoch;
  }
  Names flags() {
    result.flags = {};
    flag_untruths(result, claims, task);
    return result.flags.names();
  }
  Task task;
  TaskResult result;
  ResultClaims claims;
};

TEST_F(Flagged, NothingIsWrongWithAResultThatClaimsNothing) {
  EXPECT_EQ(flags(), Names{});
  claims.bundle.emplace();
  EXPECT_EQ(flags(), Names{});
}

TEST_F(Flagged, IdsOfOthersAreForeignInAnyCaseOfLetters) {
  claims = {"0190F1C2-0000-7000-8000-00000000000b", "another", BundleClaims{"a third", {}, {}, {}}};
  EXPECT_EQ(flags(), (Names{"foreign_bundle", "foreign_test", "foreign_task"}));
  claims = {task.id.text(), "0190F1C2-0000-7000-8000-00000000000A",
            BundleClaims{task.test_uuid, {}, {}, {}}};
  EXPECT_EQ(flags(), Names{});
}

TEST_F(Flagged, TotalsMustBeThoseOfTheControls) {
  result.controls = {control(126, true), control(101, false), control(101, false)};
  const auto differ = [&](std::optional<std::int64_t> total, std::optional<std::int64_t> passed,
                          std::optional<std::int64_t> failed) {
    claims.bundle = BundleClaims{"", total, passed, failed};
    return flags() == Names{"totals_differ"};
  };
  EXPECT_FALSE(differ(3, 1, 2));
  EXPECT_FALSE(differ(3, {}, {}));
  EXPECT_TRUE(differ(99, 1, 2));
  EXPECT_TRUE(differ(2, 1, 2));
  EXPECT_TRUE(differ(3, 2, 2));
  EXPECT_TRUE(differ(3, 0, 2));
  EXPECT_TRUE(differ(3, 1, 1));
  EXPECT_TRUE(differ(3, 1, 3));
}

TEST_F(Flagged, SkippedControlsMayCountOrNot) {
  result.controls = {control(126, true), control(0, false, true), control(0, true, true)};
  const auto differ = [&](std::int64_t passed, std::int64_t failed) {
    claims.bundle = BundleClaims{"", 3, passed, failed};
    return !flags().empty();
  };
  EXPECT_FALSE(differ(1, 0));
  EXPECT_FALSE(differ(2, 1));
  EXPECT_TRUE(differ(0, 0));
  EXPECT_TRUE(differ(3, 0));
  EXPECT_TRUE(differ(1, 2));
}

TEST_F(Flagged, TotalsOfABundleThatWasCutAreNotHeldAgainstIt) {
  claims.bundle = BundleClaims{"", 3000, 3000, 0};
  result.flags.set(ResultFlag::controls_left_out);
  flag_untruths(result, claims, task);
  EXPECT_EQ(result.flags.names(), Names{"controls_left_out"});
}

TEST_F(Flagged, TimesMustBePossible) {
  const auto at = [](std::chrono::seconds after) { return format_rfc3339(test_epoch + after); };
  using std::chrono::seconds;
  result.started_at = at(seconds(-10));
  result.completed_at = at(seconds(-10));
  EXPECT_EQ(flags(), Names{});
  result.completed_at = at(seconds(-11));
  EXPECT_EQ(flags(), Names{"ends_before_start"});
  result.completed_at = format_rfc3339(test_epoch + limits::result_clock_margin);
  EXPECT_EQ(flags(), Names{}) << "clocks differ";
  result.completed_at =
      format_rfc3339(test_epoch + limits::result_clock_margin + std::chrono::seconds(1));
  EXPECT_EQ(flags(), Names{"in_the_future"});
  result.started_at = at(std::chrono::hours(2));
  EXPECT_EQ(flags(), (Names{"ends_before_start", "in_the_future"}));
  result.started_at = "";
  result.completed_at = "yesterday";
  EXPECT_EQ(flags(), Names{}) << "what is no time claims nothing";
}

}  // namespace
}  // namespace muster::model
