// SPDX-License-Identifier: Apache-2.0
// A store goes into a file and comes back as a data directory; nothing else's place is taken.
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "base/test_directory.h"
#include "main/ctl/testing/canned.h"
#include "store/store.h"

namespace muster::ctl {
namespace {

namespace fs = std::filesystem;
using test::Desk;
using test::Transcript;

constexpr const char* small_nvd = R"(
{"id": "CVE-2099-0001", "configurations": [{"nodes": [{"operator": "OR", "cpeMatch": [{"vulnerable": true,
  "criteria": "cpe:2.3:a:7-zip:7-zip:*:*:*:*:*:*:*:*", "versionEndExcluding": "23.01"}]}]}]}
)";

class Backup : public testing::Test {
 protected:
  TestDirectory directory{memory_backed_path()};
  Desk desk;
  std::string data = directory.path() + "/data";
  std::string other = directory.path() + "/other";
  std::string file = directory.path() + "/backup.db";

  void SetUp() override {
    const std::string feed = write("nvd.json", small_nvd);
    ASSERT_EQ(desk.run({"feeds", "import", "--kind", "nvd", feed, "--data", data}).code, 0);
  }
  std::string write(const std::string& name, const std::string& content) {
    const std::string path = directory.path() + "/" + name;
    std::ofstream(path) << content;
    fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
    return path;
  }
  Transcript back_up(std::vector<std::string> more = {}) {
    std::vector<std::string> line{"backup", file, "--data", data, "--json"};
    line.insert(line.end(), more.begin(), more.end());
    return desk.run(line);
  }
  Transcript restore(std::vector<std::string> more = {}) {
    std::vector<std::string> line{"restore", file, "--data", other, "--json"};
    line.insert(line.end(), more.begin(), more.end());
    return desk.run(line);
  }
  /// A failure of the environment is one object, as every other.
  static void expect_broken(const Transcript& done) {
    EXPECT_EQ(done.code, 1);
    EXPECT_TRUE(done.err.starts_with(R"({"error": "unavailable", "message": ")")) << done.err;
  }
  bool finds_the_flaw(const std::string& store) {
    const std::string package =
        write("packages.jsonl", R"({"name": "7-Zip", "version": "22.01", "ecosystem": "windows"})");
    const Transcript done = desk.run({"scan", "--packages", package, "--data", store});
    return done.out.find("CVE-2099-0001") != std::string::npos;
  }
};

TEST_F(Backup, ComesBackAsItWas) {
  ASSERT_TRUE(finds_the_flaw(data));
  const Transcript kept = back_up({"--with-secret"});
  ASSERT_EQ(kept.code, 0) << kept.err;
  EXPECT_NE(kept.out.find("backup.db.secret"), std::string::npos) << kept.out;
  const Transcript done = restore();
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_NE(done.out.find("\"agents\": 0"), std::string::npos) << done.out;
  EXPECT_TRUE(finds_the_flaw(other));
  EXPECT_EQ(fs::status(other + "/secret").permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_FALSE(fs::exists(other + "/restoring"));
}

TEST_F(Backup, NeedsNoLockOfTheServer) {
  const auto server = store::DirectoryLock::acquire(data);
  ASSERT_NE(server, nullptr);
  EXPECT_EQ(back_up().code, 0);
}

TEST_F(Backup, TakesNothingsPlace) {
  write("backup.db", "mine");
  const Transcript kept = back_up({"--with-secret"});
  EXPECT_EQ(kept.code, 2);
  EXPECT_NE(kept.err.find("exists already"), std::string::npos) << kept.err;
  EXPECT_FALSE(fs::exists(file + ".secret"));

  fs::remove(file);
  ASSERT_EQ(back_up({"--with-secret"}).code, 0);
  ASSERT_EQ(restore().code, 0);
  const Transcript again = restore();
  EXPECT_EQ(again.code, 2);
  EXPECT_NE(again.err.find("holds a server's data already"), std::string::npos) << again.err;
}

TEST_F(Backup, IsNotRestoredWithoutItsSecret) {
  ASSERT_EQ(back_up().code, 0);
  const Transcript without = restore();
  EXPECT_EQ(without.code, 2);
  EXPECT_NE(without.err.find("--secret-file"), std::string::npos) << without.err;
  EXPECT_FALSE(fs::exists(other));

  const std::string wrong = write("wrong", std::string(32, 'x'));
  expect_broken(restore({"--secret-file", wrong}));
  EXPECT_FALSE(fs::exists(other)) << "it was made for this";

  EXPECT_EQ(restore({"--secret-file", data + "/secret"}).code, 0);
  EXPECT_FALSE(fs::exists(other + "/secret")) << "a secret that is kept apart stays there";
}

TEST_F(Backup, ThatIsDamagedIsNotRestored) {
  ASSERT_EQ(back_up({"--with-secret"}).code, 0);
  {
    std::fstream damaged(file, std::ios::in | std::ios::out | std::ios::binary);
    damaged.seekp(4096 * 3 + 3);
    damaged << "\xff\xff\xff\xff\xff";
  }
  expect_broken(restore());
  EXPECT_FALSE(fs::exists(other));
}

TEST_F(Backup, IsRestoredIntoNoDirectoryThatHoldsSomething) {
  ASSERT_EQ(back_up({"--with-secret"}).code, 0);
  fs::create_directory(other);
  write("other/notes.txt", "mine");
  const Transcript refused = restore();
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.err.find("is not empty: it holds notes.txt"), std::string::npos) << refused.err;
  EXPECT_FALSE(fs::exists(other + "/lock"));

  fs::remove(other + "/notes.txt");
  fs::copy_file(data + "/secret", other + "/secret");
  EXPECT_EQ(restore().code, 0) << "the secret may wait there";
}

}  // namespace
}  // namespace muster::ctl
