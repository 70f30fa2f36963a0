// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/files.h"

#include <csignal>
#include <filesystem>

#include <gtest/gtest.h>
#include <sys/resource.h>

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

TEST(Directories, OfFeedsThatAreMissingAreNotTakenForEmptyOnes) {
  const TestDirectory directory;
  test::Desk desk;
  const std::string none = directory.path() + "/feeds";
  const auto refused =
      desk.run({"feeds", "sync", "--data", directory.path() + "/data", "--feeds", none});
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.err.find(none + ": there is no such directory"), std::string::npos)
      << refused.err;
}

TEST(NewFiles, ThatCannotBeWrittenWholeLeaveNothingAndSayWhy) {
  const TestDirectory directory;
  const std::string path = directory.path() + "/key.pem";
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto former = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit few{4, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &few), 0);
  const auto refused = write_new_file(path, "0123456789", 0600);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, former);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message, path + ": File too large");
  EXPECT_FALSE(std::filesystem::exists(path)) << "half a key would be in the way of the next";
  EXPECT_TRUE(write_new_file(path, "0123456789", 0600).ok());
  EXPECT_FALSE(write_new_file(path, "other", 0600).ok()) << "never over one that is there";
}

}  // namespace
}  // namespace muster::ctl
