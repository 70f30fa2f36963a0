// SPDX-License-Identifier: Apache-2.0
#include "model/cvss.h"

#include <gtest/gtest.h>

namespace muster::model {
namespace {

/// Scores published with their vectors in the National Vulnerability Database.
TEST(Cvss, GivesTheScoresThatThePublishersGive) {
  const std::pair<std::string_view, int> published[] = {
      {"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 100},  // CVE-2021-44228
      {"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 98},   // CVE-2014-6271
      {"CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H", 88},   // CVE-2023-4863
      {"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", 75},   // CVE-2014-0160
      {"CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", 78},   // CVE-2021-3156
      {"CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:C/C:L/I:L/A:N", 47},
      {"CVSS:3.0/AV:N/AC:L/PR:L/UI:R/S:C/C:L/I:L/A:N", 54},
      {"CVSS:3.0/AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N", 16},
      {"CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:C/C:H/I:H/A:H", 91},
      {"CVSS:3.1/AV:L/AC:H/PR:H/UI:N/S:C/C:H/I:H/A:H", 75},
      {"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0},
      {"CVSS:3.1/A:H/I:H/C:H/S:U/UI:N/PR:N/AC:L/AV:N/E:P/RL:O", 98},
  };
  for (const auto& [vector, tenths] : published) {
    EXPECT_EQ(cvss3_base_tenths(vector), tenths) << vector;
  }
}

TEST(Cvss, AVectorThatIsNotWholeOrOfAnotherVersionHasNoScore) {
  for (const std::string_view vector :
       {"", "CVSS:3.1/", "CVSS:2.0/AV:N/AC:L/Au:N/C:P/I:P/A:P",
        "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H", "CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        "CVSS:3.1/AV:N/AV:L/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}) {
    EXPECT_FALSE(cvss3_base_tenths(vector).has_value()) << vector;
  }
}

TEST(Cvss, WordsBeginWhereTheStandardSays) {
  EXPECT_EQ(severity_of_cvss(0), Severity::negligible);
  EXPECT_EQ(severity_of_cvss(1), Severity::low);
  EXPECT_EQ(severity_of_cvss(39), Severity::low);
  EXPECT_EQ(severity_of_cvss(40), Severity::medium);
  EXPECT_EQ(severity_of_cvss(69), Severity::medium);
  EXPECT_EQ(severity_of_cvss(70), Severity::high);
  EXPECT_EQ(severity_of_cvss(90), Severity::critical);
}

}  // namespace
}  // namespace muster::model
