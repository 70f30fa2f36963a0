// SPDX-License-Identifier: Apache-2.0
#include "fleet/agent_scripts.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "fleet/blobs.h"
#include "fleet/testing.h"

namespace muster::fleet {
namespace {

class Scripts : public testing::Test {
 protected:
  Result<AgentScript> upload(const std::string& platform, const std::string& version,
                             std::string_view content = "#!/bin/bash\n") {
    AgentScript script;
    script.platform = platform;
    script.version = version;
    script.sha256 = fleet.upload(content, store::server_org);
    return fleet->store.write([&](store::Tx& tx) {
      return upload_agent_script(tx, fleet->ids, fleet->scripts, fleet.actor, script, fleet.now);
    });
  }
  bool offered(std::string_view platform, std::string_view running) {
    return fleet->scripts.find_newer(platform, running).has_value();
  }

  TestFleet fleet;
};

TEST_F(Scripts, AreOfferedToEarlierVersionsOfTheirPlatformAlone) {
  ASSERT_TRUE(upload("linux", "1.10.0").ok());
  EXPECT_TRUE(offered("linux", "1.9.3"));
  EXPECT_FALSE(offered("linux", "1.10.0"));
  EXPECT_FALSE(offered("linux", "2.0.0"));
  EXPECT_FALSE(offered("linux", "a version that cannot be compared"));
  EXPECT_FALSE(offered("windows", "1.0.0"));
}

TEST_F(Scripts, NoneIsOfferedBeforeAnUpload) {
  EXPECT_FALSE(offered("linux", "0.0.1"));
  EXPECT_FALSE(open_agent_script(fleet->store, "linux").ok());
}

TEST_F(Scripts, AreReplacedRememberedAndDeleted) {
  ASSERT_TRUE(upload("linux", "1.0.0").ok());
  ASSERT_TRUE(upload("linux", "1.1.0", "another").ok());
  fleet.reopen();
  EXPECT_TRUE(offered("linux", "1.0.0"));
  EXPECT_EQ(open_agent_script(fleet->store, "linux")->script.size, 7);
  const auto remove = [&] {
    return fleet->store.write([&](store::Tx& tx) {
      return delete_agent_script(tx, fleet->ids, fleet->scripts, fleet.actor, "linux", fleet.now);
    });
  };
  EXPECT_TRUE(remove().ok());
  EXPECT_FALSE(offered("linux", "1.0.0"));
  EXPECT_EQ(remove().error().code, Errc::not_found);
}

TEST_F(Scripts, WhatIsNoScriptIsRefused) {
  EXPECT_EQ(upload("beos", "1.0.0").error().field, "platform");
  EXPECT_EQ(upload("linux", "latest").error().field, "version");
  EXPECT_EQ(upload("linux", "1.0.0", std::string(limits::script_bytes + 1, 'a')).error().field,
            "sha256");
  EXPECT_EQ(fleet.count("SELECT count(*) FROM agent_scripts"), 0);
}

TEST_F(Scripts, TheirFilesAreKeptWhileTheyAreOffered) {
  const AgentScript script = upload("linux", "1.0.0").value();
  ASSERT_TRUE(upload("macos", "1.0.0").ok()) << "the same file for two platforms";
  ASSERT_TRUE(fleet->store
                  .write([&](store::Tx& tx) {
                    return delete_agent_script(tx, fleet->ids, fleet->scripts, fleet.actor, "linux",
                                               fleet.now);
                  })
                  .ok());
  fleet.now = fleet.now + limits::loose_blob_life + Duration(1);
  delete_loose_blobs(fleet->store, fleet.now);
  EXPECT_TRUE(open_agent_script(fleet->store, "macos").ok());
}

}  // namespace
}  // namespace muster::fleet
