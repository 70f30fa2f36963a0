// SPDX-License-Identifier: Apache-2.0
#include "agent/collectors/tree.h"

#include <seccomp.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <system_error>

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

/// What Tree does in a process whose openat2(2) gives `error`.
enum class Said { there, absent, throws };
Said look_without_openat2(const fs::path& root, const std::string& path, int error) {
  const pid_t child = fork();
  if (child == 0) {
    const scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    seccomp_rule_add(filter, SCMP_ACT_ERRNO(static_cast<std::uint16_t>(error)), SCMP_SYS(openat2),
                     0);
    if (seccomp_load(filter) != 0) _exit(99);
    const std::atomic<bool> stop{false};
    try {
      _exit(static_cast<int>(Tree(root, stop).exists(path) ? Said::there : Said::absent));
    } catch (const std::system_error&) {
      _exit(static_cast<int>(Said::throws));
    }
  }
  int status = 0;
  waitpid(child, &status, 0);
  return static_cast<Said>(WEXITSTATUS(status));
}

TEST_F(TreeTest, WhatCannotBeLookedForIsNotAbsent) {
  put("var/lib/dpkg/status", "");
  // An old kernel, a container's filter, a host out of descriptors, a broken disk.
  for (const int error : {ENOSYS, EPERM, ENFILE, EIO}) {
    EXPECT_EQ(look_without_openat2(root_, "var/lib/dpkg/status", error), Said::throws) << error;
  }
  EXPECT_EQ(look_without_openat2(root_, "var/lib/dpkg/status", ENOENT), Said::absent);
}

/// Layers, the uppermost first, as overlayfs keeps them.
class LayersTest : public TreeTest {
 protected:
  fs::path layer(int number) {
    const fs::path path = fs::path(directory_.path()) / ("layer" + std::to_string(number));
    fs::create_directories(path);
    return path;
  }
  void put_in(int number, const std::string& path, const std::string& content) {
    fs::create_directories((layer(number) / path).parent_path());
    std::ofstream(layer(number) / path) << content;
  }
  /// False where only root may, and this is not root.
  bool whiteout(int number, const std::string& path) {
    fs::create_directories((layer(number) / path).parent_path());
    return mknod((layer(number) / path).c_str(), S_IFCHR, makedev(0, 0)) == 0;
  }
  std::vector<fs::path> three() { return {layer(3), layer(2), layer(1)}; }
  std::vector<std::string> all(std::string_view pattern) {
    std::vector<std::string> found;
    Tree(three(), stop_).match(pattern, Links::within, [&](const std::string& p) {
      found.push_back(p);
    });
    return found;
  }
};

TEST_F(LayersTest, TheUppermostFileIsTheOneInForce) {
  put_in(1, "db/status", "first");
  put_in(2, "db/status", "second");
  put_in(1, "db/other", "lowest");
  layer(3);
  Tree tree(three(), stop_);
  EXPECT_TRUE(tree.layered());
  EXPECT_EQ(tree.read("db/status", 100, Links::within), "second");
  EXPECT_EQ(tree.read("db/other", 100, Links::none), "lowest");
  EXPECT_EQ(tree.place_of("db/status"), layer(2) / "db/status");
  EXPECT_EQ(all("db/*"), (std::vector<std::string>{"db/other", "db/status"}));
}

TEST_F(LayersTest, AFileHidesTheFolderBelowIt) {
  put_in(1, "app/package.json", "old");
  put_in(3, "app", "a file by now");
  EXPECT_FALSE(Tree(three(), stop_).read("app/package.json", 100, Links::within).has_value());
  EXPECT_TRUE(all("app/*").empty());
}

TEST_F(LayersTest, ALinkLeadsWithinItsLayerAndHidesWhatIsBelowIt) {
  put_in(1, "lib/db", "stale");
  put_in(1, "other/db", "x");
  layer(2);
  fs::create_symlink("/usr/lib", layer(3) / "lib");
  put_in(3, "usr/lib/db", "new");
  Tree tree(three(), stop_);
  EXPECT_EQ(tree.read("lib/db", 100, Links::within), "new");
  EXPECT_FALSE(tree.place_of("lib/db").has_value());
  fs::create_symlink("../../../../../etc", layer(3) / "out");
  EXPECT_FALSE(tree.read("out/hostname", 100, Links::within).has_value());
}

TEST_F(LayersTest, WhatAnUpperLayerRemovedIsGone) {
  put_in(1, "db/status.d/a", "a");
  put_in(1, "db/status.d/b", "b");
  put_in(1, "gone/x", "x");
  put_in(3, "db/status.d/c", "c");
  if (!whiteout(2, "db/status.d/a") || !whiteout(3, "gone")) GTEST_SKIP() << "needs root";
  Tree tree(three(), stop_);
  EXPECT_FALSE(tree.read("db/status.d/a", 100, Links::within).has_value());
  EXPECT_FALSE(tree.exists("db/status.d/a"));
  EXPECT_FALSE(tree.exists("gone/x"));
  EXPECT_EQ(all("db/status.d/*"), (std::vector<std::string>{"db/status.d/b", "db/status.d/c"}));
  EXPECT_TRUE(all("gone/*").empty());
}

TEST_F(LayersTest, AnOpaqueFolderHidesWhatIsBelowIt) {
  put_in(1, "app/modules/old/package.json", "old");
  put_in(3, "app/modules/new/package.json", "new");
  layer(2);
  const fs::path modules = layer(3) / "app/modules";
  if (setxattr(modules.c_str(), "trusted.overlay.opaque", "y", 1, 0) != 0) {
    GTEST_SKIP() << "needs root and a file system with such attributes";
  }
  EXPECT_EQ(all("app/modules/*/package.json"),
            std::vector<std::string>{"app/modules/new/package.json"});
  EXPECT_FALSE(Tree(three(), stop_).exists("app/modules/old/package.json"));
}

TEST_F(TreeTest, AStoppedWalkEndsAtOnce) {
  put("a/x", "");
  stop_ = true;
  EXPECT_TRUE(matches("*/x").empty());
}

}  // namespace
}  // namespace muster::agent
