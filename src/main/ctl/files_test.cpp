// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/files.h"

#include <gtest/gtest.h>

#include "base/test_directory.h"
#include "main/ctl/testing/canned.h"

namespace muster::ctl {
namespace {

TEST(Files, ThatCannotBeReadAreNamedWithTheReasonAndCountAsAMistakeInTheCommand) {
  const TestDirectory directory;
  test::Desk desk;
  const auto refused = desk.run({"audit", "verify", directory.path()});
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.err.find(directory.path() + ": Is a directory"), std::string::npos)
      << "an empty log would be proven: " << refused.err;
  const auto missing = desk.run({"audit", "verify", directory.path() + "/log"});
  EXPECT_EQ(missing.code, 2);
  EXPECT_NE(missing.err.find("/log: No such file or directory"), std::string::npos) << missing.err;
}

}  // namespace
}  // namespace muster::ctl
