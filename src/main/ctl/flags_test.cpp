// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/flags.h"

#include <gtest/gtest.h>

#include "main/ctl/testing/canned.h"

namespace muster::ctl {
namespace {

TEST(Variables, ThatAreNotSetAreAMistakeAndNotEmpty) {
  test::Desk desk;
  const auto given = [&](const std::string& variable) {
    return desk.run({"tasks", "create", "--type", "execute_command", "--agent", "a", "--command",
                     "id", "--env", variable});
  };
  const auto unset = given("MUSTER_TEST_IS_NOT_SET");
  EXPECT_EQ(unset.code, 2);
  EXPECT_NE(unset.err.find("MUSTER_TEST_IS_NOT_SET is not set here"), std::string::npos)
      << unset.err;
  EXPECT_EQ(given("=value").code, 2);
  EXPECT_TRUE(desk.server.requests.empty()) << "nothing runs without its password";
  given("NAME=");
  ASSERT_EQ(desk.server.requests.size(), 1U);
  EXPECT_NE(desk.server.requests.front().body.find(R"("NAME": "")"), std::string::npos)
      << "an empty one is asked for by its sign";
}

}  // namespace
}  // namespace muster::ctl
