// SPDX-License-Identifier: Apache-2.0
#include "model/acceptance.h"

#include <vector>

#include <gtest/gtest.h>

#include "base/testing.h"

namespace muster::model {
namespace {

constexpr int severities = static_cast<int>(Severity::critical) + 1;

Acceptance acceptance(Severity severity, bool known_exploited) {
  Acceptance made;
  made.severity = severity;
  made.known_exploited = known_exploited;
  return made;
}

TEST(Acceptances, HoldForWhatTheOperatorSawAndEndForWhatIsWorse) {
  // Every severity and exploitation when it was accepted, against every one now.
  for (int i = 0; i < severities * severities * 4; ++i) {
    const auto then = static_cast<Severity>(i % severities);
    const auto now = static_cast<Severity>(i / severities % severities);
    const bool exploited_then = (i / (severities * severities)) % 2 == 1;
    const bool exploited_now = i / (severities * severities) / 2 == 1;
    const auto end = end_of(acceptance(then, exploited_then), now, exploited_now, test_epoch);
    const Severity ceiling = then == Severity::unknown ? Severity::medium : then;
    if (exploited_now && !exploited_then) {
      EXPECT_EQ(end, AcceptanceEnd::became_exploited) << i;
    } else if (now > ceiling) {
      EXPECT_EQ(end, AcceptanceEnd::severity_rose) << i;
    } else {
      EXPECT_EQ(end, std::nullopt) << i;
    }
  }
}

TEST(Acceptances, EndAtTheirMomentAndNotBefore) {
  Acceptance made = acceptance(Severity::low, false);
  made.ends_at = test_epoch;
  EXPECT_EQ(end_of(made, Severity::low, false, test_epoch - Duration(1)), std::nullopt);
  EXPECT_EQ(end_of(made, Severity::low, false, test_epoch), AcceptanceEnd::expired);
  EXPECT_EQ(end_of(made, Severity::critical, true, test_epoch), AcceptanceEnd::expired)
      << "one reason is told: the first that holds";
  made.ends_at.reset();
  EXPECT_EQ(end_of(made, Severity::low, false, {number_id_max}), std::nullopt) << "for good";
}

TEST(Acceptances, ScopesHaveNamesThatAreReadBack) {
  for (const auto scope : {AcceptanceScope::host, AcceptanceScope::hosts, AcceptanceScope::image,
                           AcceptanceScope::images}) {
    EXPECT_EQ(parse_acceptance_scope(acceptance_scope_name(scope)), scope);
  }
  EXPECT_EQ(parse_acceptance_scope("everything"), std::nullopt);
}

}  // namespace
}  // namespace muster::model
