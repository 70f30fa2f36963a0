// SPDX-License-Identifier: Apache-2.0
#include "vuln/rpm_builds.h"

#include <gtest/gtest.h>

namespace muster::vuln {
namespace {

TEST(RpmBuilds, AnEpochThatOneTextDoesNotTellDoesNotCount) {
  EXPECT_TRUE(compare_rpm_builds("1.1.1k-7.el8", "1:1.1.1k-7.el8") == 0);
  EXPECT_TRUE(compare_rpm_builds("1.1.1k-6.el8", "1:1.1.1k-7.el8") < 0);
  EXPECT_TRUE(compare_rpm_builds("1:1.1.1k-8.el8", "1.1.1k-7.el8") > 0);
  EXPECT_TRUE(compare_rpm_builds("0:2.0-1", "1:1.0-1") < 0) << "both tell";
  EXPECT_TRUE(compare_rpm_builds("2.0-1", "1.0-1") > 0);
}

TEST(RpmBuilds, OfAModuleShareWhatTheStreamIsCalledBy) {
  EXPECT_EQ(common_parts("7.4.19-2.module_el8.6.0+2", "7.4.6-4.module_el8.3.0+1"), 2U);
  EXPECT_EQ(common_parts("7.3.29-1.module_el8.5.0+1", "7.4.6-4.module_el8.3.0+1"), 1U);
  EXPECT_EQ(common_parts("1:10.8.2-1.20.18.2.1.module_el8+1", "10.8.2-1.20.16.0.1.module_el8+1"),
            5U)
      << "npm of Node.js 20";
  EXPECT_EQ(common_parts("1.02-1.module_el8+1", "1.2-1.module_el8+9"), 3U);
  EXPECT_EQ(common_parts("16.2-1.module_el8+1", "18.2-1.module_el8+1"), 0U);
  EXPECT_EQ(common_parts("", ""), 0U);
}

TEST(RpmBuilds, OfAModuleHaveNothingToDoWithOthers) {
  EXPECT_TRUE(may_be_of_stream("1.2-1.el9", "1.0-1.el9"));
  EXPECT_FALSE(may_be_of_stream("1.2-1.module_el9+1", "1.0-1.el9"));
  EXPECT_FALSE(may_be_of_stream("1.2-1.el9", "1.0-1.module_el9+1"));
  EXPECT_FALSE(may_be_of_stream("18.2-1.module_el9+1", "16.1-1.module_el9+1"));
  EXPECT_TRUE(may_be_of_stream("8.2.1-1.module_el9+1", "8.1.1-1.module_el9+1"));
}

}  // namespace
}  // namespace muster::vuln
