// SPDX-License-Identifier: Apache-2.0
#include "agent/collectors/tree.h"

#include <sys/stat.h>

#include <fstream>

#include <gtest/gtest.h>

#include "base/test_directory.h"

namespace muster::agent {
namespace {

namespace fs = std::filesystem;

class TreeTest : public testing::Test {
 protected:
  void put(const std::string& path, const std::string& content) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << content;
  }
  std::vector<std::string> matches(std::string_view pattern, Links links = Links::none) {
    std::vector<std::string> found;
    Tree(root_, stop_).match(pattern, links, [&](const std::string& p) { found.push_back(p); });
    return found;
  }

  TestDirectory directory_;
  fs::path root_ = fs::path(directory_.path()) / "root";
  std::atomic<bool> stop_{false};
};

TEST(Fits, AStarIsAnyText) {
  EXPECT_TRUE(fits("a.dist-info", "*.dist-info"));
  EXPECT_TRUE(fits("python3.11", "python3*"));
  EXPECT_TRUE(fits("abcabc", "a*b*c"));
  EXPECT_TRUE(fits("x", "*"));
  EXPECT_FALSE(fits("abc", "a*bb*c"));
  EXPECT_FALSE(fits("dist-info", "*.dist-info"));
  EXPECT_FALSE(fits("aba", "ab*ba")) << "pieces do not overlap";
}

TEST_F(TreeTest, PatternsFindFilesInOrderAndSkipHiddenOnes) {
  put("home/b/x.json", "");
  put("home/a/x.json", "");
  put("home/.hidden/x.json", "");
  put("home/a/.cargo/y", "");
  EXPECT_EQ(matches("home/*/x.json"), (std::vector<std::string>{"home/a/x.json", "home/b/x.json"}));
  EXPECT_EQ(matches("home/*/.cargo/*"), std::vector<std::string>{"home/a/.cargo/y"});
  EXPECT_TRUE(Tree(root_, stop_).exists("home/a/.cargo/y"));
}

TEST_F(TreeTest, NoLinkLeadsOutOfTheRoot) {
  std::ofstream(fs::path(directory_.path()) / "secret") << "outside";
  put("secret", "inside");
  put("etc/real", "real");
  fs::create_symlink("../../../../secret", root_ / "etc/up");
  fs::create_symlink("/etc/real", root_ / "etc/absolute");
  Tree tree(root_, stop_);
  // As for a process whose root this is.
  EXPECT_EQ(tree.read("etc/up", 100, Links::within), "inside");
  EXPECT_EQ(tree.read("etc/absolute", 100, Links::within), "real");
  EXPECT_FALSE(tree.read("../secret", 100, Links::none).has_value());
  EXPECT_FALSE(tree.read("etc/../../secret", 100, Links::none).has_value());
}

TEST_F(TreeTest, UsersLinksAreNotFollowedAtAll) {
  put("home/a/real/package.json", "x");
  fs::create_symlink("real", root_ / "home/a/node_modules");
  Tree tree(root_, stop_);
  EXPECT_FALSE(tree.read("home/a/node_modules/package.json", 100, Links::none).has_value());
  EXPECT_TRUE(tree.read("home/a/node_modules/package.json", 100, Links::within).has_value());
}

TEST_F(TreeTest, OnlyRegularFilesOfTheRightSizeAreRead) {
  put("file", "12345");
  ASSERT_EQ(mkfifo((root_ / "pipe").c_str(), 0600), 0);
  Tree tree(root_, stop_);
  EXPECT_EQ(tree.read("file", 5, Links::none), "12345");
  EXPECT_FALSE(tree.read("file", 4, Links::none).has_value());
  EXPECT_FALSE(tree.read("pipe", 100, Links::none).has_value()) << "and does not wait";
  EXPECT_FALSE(tree.read(".", 100, Links::none).has_value());
}

TEST_F(TreeTest, AStoppedWalkEndsAtOnce) {
  put("a/x", "");
  stop_ = true;
  EXPECT_TRUE(matches("*/x").empty());
}

}  // namespace
}  // namespace muster::agent
