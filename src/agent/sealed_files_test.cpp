// SPDX-License-Identifier: Apache-2.0
#include "agent/sealed_files.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "agent/identity.h"
#include "agent/testing/fakes.h"
#include "base/test_directory.h"
#include "base/testing.h"

namespace muster::agent {
namespace {

Identity enrolled() {
  Identity identity;
  identity.server_url = "https://muster.example";
  identity.agent = AgentId{parse_uuid("0192c0de-aaaa-7000-8000-000000000001").value()};
  identity.key = "ak_first";
  identity.pending_key = "ak_second";
  identity.org = "1";
  return identity;
}

class SealedFilesTest : public ::testing::Test {
 protected:
  testing::FakeFiles disk_;
  SeededRng rng_{1};
  SealedFiles files_{disk_, crypto::SecretKey{1, 2, 3}, rng_};
};

TEST_F(SealedFilesTest, NoKeyIsOnDiskAndBothComeBack) {
  files_.write(Identity::file, encode_identity(enrolled()));
  const std::string& stored = disk_.content.at(Identity::file);
  EXPECT_EQ(stored.find("ak_"), std::string::npos) << stored;
  EXPECT_NE(stored.find("https://muster.example"), std::string::npos);
  const Identity again = decode_identity(*files_.read(Identity::file)).value();
  EXPECT_EQ(again.key, "ak_first");
  EXPECT_EQ(again.pending_key, "ak_second");
  EXPECT_EQ(again.org, "1");
}

TEST_F(SealedFilesTest, TheSameIdentityIsNeverTheSameText) {
  files_.write(Identity::file, encode_identity(enrolled()));
  const std::string first = disk_.content.at(Identity::file);
  files_.write(Identity::file, encode_identity(enrolled()));
  EXPECT_NE(disk_.content.at(Identity::file), first);
}

TEST_F(SealedFilesTest, AnotherMachineCannotReadItAndIsToldWhy) {
  files_.write(Identity::file, encode_identity(enrolled()));
  SealedFiles other(disk_, crypto::SecretKey{9}, rng_);
  const auto identity = decode_identity(*other.read(Identity::file));
  ASSERT_FALSE(identity.ok());
  EXPECT_NE(identity.error().message.find("another machine"), std::string::npos);
}

TEST_F(SealedFilesTest, APlainFileOfAnOlderAgentIsReadAndSealedWhenItIsNextWritten) {
  disk_.content[Identity::file] = encode_identity(enrolled());
  const auto text = files_.read(Identity::file);
  EXPECT_EQ(decode_identity(*text)->key, "ak_first");
  files_.write(Identity::file, *text);
  EXPECT_EQ(disk_.content.at(Identity::file).find("ak_"), std::string::npos);
}

TEST_F(SealedFilesTest, OtherFilesAreAsTheyAre) {
  files_.write("state.json", "{}");
  EXPECT_EQ(disk_.content.at("state.json"), "{}");
  EXPECT_EQ(files_.read("state.json"), "{}");
  EXPECT_FALSE(files_.read("absent").has_value());
}

TEST(MachineKey, IsTheMachines) {
  const TestDirectory one, other;
  for (const auto* directory : {&one, &other}) {
    std::filesystem::create_directories(directory->path() + "/etc");
  }
  std::ofstream(one.path() + "/etc/machine-id") << "1f2e\n";
  std::ofstream(other.path() + "/etc/machine-id") << "1f2f\n";
  EXPECT_EQ(machine_key(one.path()), machine_key(one.path()));
  EXPECT_NE(machine_key(one.path()), machine_key(other.path()));
}

}  // namespace
}  // namespace muster::agent
