// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/duration.h"

#include <gtest/gtest.h>

namespace muster::ctl {
namespace {

using std::chrono::seconds;

TEST(Duration, IsANumberAndAUnit) {
  EXPECT_EQ(parse_duration("3600s").value(), seconds(3600));
  EXPECT_EQ(parse_duration("30m").value(), seconds(1800));
  EXPECT_EQ(parse_duration("24h").value(), seconds(86400));
  EXPECT_EQ(parse_duration("7d").value(), seconds(604800));
  EXPECT_EQ(parse_duration("2w").value(), seconds(1209600));
  EXPECT_EQ(parse_duration("0s").value(), seconds(0));
}

TEST(Duration, IsNeverGuessed) {
  for (const char* text : {"", "24", "h", "-1h", "1.5h", "1 h", "1H", "1h30m", "1y", "0x1s"}) {
    EXPECT_FALSE(parse_duration(text).ok()) << text;
  }
}

TEST(Duration, IsAtMostAHundredYears) {
  EXPECT_EQ(parse_duration("36500d").value(), seconds(3153600000));
  EXPECT_FALSE(parse_duration("36501d").ok());
  EXPECT_FALSE(parse_duration("9223372036854775807w").ok());
  EXPECT_FALSE(parse_duration("99999999999999999999s").ok());
}

}  // namespace
}  // namespace muster::ctl
