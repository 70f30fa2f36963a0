// SPDX-License-Identifier: Apache-2.0
#include "agent/files.h"

#include <sys/stat.h>

#include <fstream>

#include <gtest/gtest.h>

#include "agent/gzip.h"
#include "http/body_coding.h"

namespace muster::agent {
namespace {

class DiskFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    root_ = std::filesystem::path(testing::TempDir()) / (std::string("muster-") + info->name());
    std::filesystem::remove_all(root_);
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  static unsigned mode_of(const std::filesystem::path& path) {
    struct stat facts {};
    return stat(path.c_str(), &facts) == 0 ? facts.st_mode & 07777U : 0U;
  }

  std::filesystem::path root_;
};

TEST_F(DiskFilesTest, EverythingIsForTheOwnerOnly) {
  umask(0);
  DiskFiles files(root_ / "deep" / "state");
  files.write("identity.json", "{}");
  files.write("journal/a.json", "{}");
  umask(022);
  EXPECT_EQ(mode_of(root_ / "deep/state"), 0700U);
  EXPECT_EQ(mode_of(root_ / "deep/state/identity.json"), 0600U);
  EXPECT_EQ(mode_of(root_ / "deep/state/journal"), 0700U);
  EXPECT_EQ(mode_of(root_ / "deep/state/journal/a.json"), 0600U);
}

TEST_F(DiskFilesTest, AnExistingOpenDirectoryIsClosed) {
  std::filesystem::create_directories(root_);
  std::filesystem::permissions(root_, std::filesystem::perms::all);
  DiskFiles files(root_);
  EXPECT_EQ(mode_of(root_), 0700U);
}

TEST_F(DiskFilesTest, WritesReplaceAndCutOffWritesNeverWere) {
  DiskFiles files(root_);
  EXPECT_FALSE(files.read("a").has_value());
  files.write("journal/a", "one");
  files.write("journal/a", "two");
  EXPECT_EQ(files.read("journal/a"), "two");
  std::ofstream(root_ / "journal/b.new") << "half";
  EXPECT_EQ(files.list("journal"), std::vector<std::string>{"journal/a"});
  EXPECT_TRUE(files.list("absent").empty());
  files.remove("journal/a");
  files.remove("journal/a");
  EXPECT_FALSE(files.read("journal/a").has_value());
}

TEST_F(DiskFilesTest, ALargeFileGrowsAtItsEndAndBecomesAProgram) {
  DiskFiles files(root_);
  EXPECT_FALSE(files.inspect("builds/a.part").has_value());
  EXPECT_TRUE(files.append("builds/a.part", 0, "first and garbage"));
  EXPECT_TRUE(files.append("builds/a.part", 6, "second"));
  const auto facts = files.inspect("builds/a.part");
  ASSERT_TRUE(facts.has_value());
  EXPECT_EQ(facts->size, 12);
  EXPECT_EQ(facts->sha256, crypto::sha256("first second"));
  EXPECT_EQ(mode_of(root_ / "builds/a.part"), 0600U);
  files.publish("builds/a.part", "builds/a");
  EXPECT_FALSE(files.inspect("builds/a.part").has_value());
  EXPECT_EQ(files.read("builds/a"), "first second");
  EXPECT_EQ(mode_of(root_ / "builds/a"), 0700U);
}

TEST_F(DiskFilesTest, NoLinkIsFollowed) {
  DiskFiles files(root_);
  std::ofstream(root_ / "target") << "x";
  std::filesystem::create_symlink("target", root_ / "link");
  EXPECT_THROW(files.inspect("link"), std::system_error);
  EXPECT_FALSE(files.append("link", 0, "y"));
  EXPECT_EQ(files.read("target"), "x");
}

TEST_F(DiskFilesTest, OneProcessHasTheDirectory) {
  DiskFiles first(root_);
  DiskFiles second(root_);
  EXPECT_TRUE(first.lock());
  EXPECT_FALSE(second.lock());
}

TEST_F(DiskFilesTest, ABrokenDiskIsAnException) {
  DiskFiles files(root_);
  std::filesystem::create_directories(root_ / "name.new");
  EXPECT_THROW(files.write("name", "content"), std::system_error);
}

TEST(Gzip, IsWhatTheServerUnpacks) {
  const std::string content = std::string(100000, 'a') + "end";
  const std::string packed = gzip(content);
  EXPECT_LT(packed.size(), 1000U);
  EXPECT_EQ(http::decode_body(Compression::gzip, packed, 1 << 20).value(), content);
  EXPECT_EQ(http::decode_body(Compression::gzip, gzip(""), 10).value(), "");
}

}  // namespace
}  // namespace muster::agent
