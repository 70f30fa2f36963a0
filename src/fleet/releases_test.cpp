// SPDX-License-Identifier: Apache-2.0
#include "fleet/releases.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "fleet/blobs.h"
#include "fleet/hosts.h"
#include "fleet/testing.h"

namespace muster::fleet {
namespace {

class Releases : public testing::Test {
 protected:
  ReleaseOrder order(const std::string& version, const std::string& content) {
    ReleaseOrder made;
    made.version = version;
    made.os = "linux";
    made.arch = "amd64";
    made.sha256 = fleet.upload(content, store::server_org);
    return made;
  }
  Result<Release> publish(const ReleaseOrder& order) {
    return fleet->store.write([&](store::Tx& tx) {
      return publish_release(tx, fleet->ids, fleet.actor, OperatorId{1}, fleet->signing_key, order,
                             fleet.now);
    });
  }
  Release publish(const std::string& version, const std::string& content = "program") {
    return publish(order(version, content + " " + version)).value();
  }
  void withdraw(ReleaseId id) {
    fleet->store.write([&](store::Tx& tx) {
      withdraw_release(tx, fleet->ids, fleet.actor, id, fleet.now).value();
    });
  }
  std::string offered(std::string_view running = "1.0.0") {
    const auto release = offer_update(fleet->store, fleet->told_releases, agent.org, agent.agent,
                                      running, fleet.now);
    return release ? release->facts.version : "none";
  }
  std::string opened() {
    const auto release = open_update(fleet->store, fleet->told_releases, agent.org, agent.agent,
                                     "linux", "amd64", fleet.now);
    return release.ok() ? release->release.facts.version : release.error().message;
  }
  ReleaseOrder::Signed sign(const model::Manifest& manifest) {
    const std::string text = model::encode_manifest(manifest);
    return {text, offline.sign(text), offline.public_key()};
  }

  TestFleet fleet;
  const Enrolled agent = fleet.enrol("web-1");
  const crypto::SigningKey offline{crypto::SigningKey::make_seed(fleet.rng)};
};

TEST_F(Releases, TheHighestIsOfferedNotTheLastPublished) {
  EXPECT_EQ(offered(), "none");
  EXPECT_EQ(opened(), "No version available for this platform");
  publish("2.10.0");
  publish("2.9.0");
  EXPECT_EQ(offered(), "2.10.0");
  EXPECT_EQ(opened(), "2.10.0");
  EXPECT_EQ(offered("2.10.0"), "none");
  EXPECT_EQ(offered("v2.10.0"), "none") << "the same version";
}

TEST_F(Releases, OperatorsSeeOfEachAgentWhatItIsOfferedAndHowItStandsToThat) {
  fleet.now = fleet.now + Duration(1);
  const Enrolled other = fleet.enrol("web-2");
  const auto seen = [&] {
    std::string states;
    const AgentPage page =
        list_agent_page(fleet->store, fleet->presence, fleet.config, {}, "", 10, fleet.now).value();
    for (const AgentView& view : page.agents) {
      states += view.hostname + " " + std::string(update_state_name(view.update)) + " " +
                view.offered_version.value_or("-") + ", ";
    }
    return states;
  };
  EXPECT_EQ(seen(), "web-2 nothing_offered -, web-1 nothing_offered -, ");
  const Release release = publish("1.0.1");
  EXPECT_EQ(seen(), "web-2 behind 1.0.1, web-1 behind 1.0.1, ");
  const AgentView alone =
      show_agent(fleet->store, fleet->presence, fleet.config, other.agent, fleet.now).value();
  EXPECT_EQ(alone.update, model::UpdateState::behind);
  EXPECT_EQ(alone.offered_version, "1.0.1");
  withdraw(release.id);
  publish("1.0.0");
  EXPECT_EQ(seen(), "web-2 up_to_date 1.0.0, web-1 up_to_date 1.0.0, ");
}

TEST_F(Releases, AreSignedForTheFieldAndForOurOwnAgent) {
  const Release release = publish("1.2.3");
  EXPECT_TRUE(crypto::verify(release.facts.sha256.octets(), release.signature,
                             fleet->signing_key.public_key()));
  EXPECT_TRUE(crypto::verify(release.manifest, release.manifest_signature, release.signer));
  EXPECT_EQ(release.signer, fleet->signing_key.public_key());
  EXPECT_EQ(model::parse_manifest(release.manifest).value().sha256, release.facts.sha256);
  EXPECT_GT(publish("1.2.2").facts.serial, release.facts.serial) << "serials grow";
}

TEST_F(Releases, APublicationBetweenTwoCallsOfAnAgentDoesNotComeBetweenThem) {
  publish("2.0.0");
  EXPECT_EQ(offered(), "2.0.0");
  publish("3.0.0");
  EXPECT_EQ(opened(), "2.0.0") << "as it was told";
  EXPECT_EQ(offered(), "3.0.0");
  EXPECT_EQ(opened(), "3.0.0");
  publish("4.0.0");
  fleet.now = fleet.now + ToldReleases::life * 2;
  EXPECT_EQ(opened(), "4.0.0") << "what it was told is long ago";
}

TEST_F(Releases, WithdrawnOnesAreNotGivenOutAlsoToThoseThatWereTold) {
  publish("2.0.0");
  const Release bad = publish("3.0.0");
  EXPECT_EQ(offered(), "3.0.0");
  withdraw(bad.id);
  EXPECT_EQ(opened(), "2.0.0");
  EXPECT_EQ(offered(), "2.0.0");
  publish("3.0.0");
  EXPECT_EQ(offered(), "3.0.0") << "the same file again";
}

TEST_F(Releases, APublishedVersionDoesNotChange) {
  publish("2.0.0", "one");
  EXPECT_EQ(publish(order("2.0.0", "two")).error().code, Errc::name_taken);
  publish("2.0.0", "one");
  EXPECT_EQ(fleet.count("SELECT count(*) FROM releases"), 1);
  EXPECT_EQ(fleet.count("SELECT count(*) FROM audit WHERE action = 'releases.publish'"), 1);
}

TEST_F(Releases, TheirFilesStay) {
  const Release release = publish("2.0.0");
  withdraw(release.id);
  delete_loose_blobs(fleet->store, fleet.now + limits::loose_blob_life * 2);
  publish("2.0.0");
  EXPECT_EQ(opened(), "2.0.0");
}

TEST_F(Releases, AManifestThatWasSignedElsewhereMustHoldInAllItSays) {
  ReleaseOrder made = order("2.0.0", "program");
  const model::Manifest right{"2.0.0", "linux", "amd64", made.sha256, 7, 5, std::nullopt};
  const auto refused = [&](auto&& change) {
    model::Manifest wrong = right;
    change(wrong);
    made.manifest = sign(wrong);
    const auto outcome = publish(made);
    return outcome.ok() ? "published" : outcome.error().field;
  };
  EXPECT_EQ(refused([](auto& m) { m.version = "2.0.1"; }), "manifest");
  EXPECT_EQ(refused([](auto& m) { m.os = "windows"; }), "manifest");
  EXPECT_EQ(refused([](auto& m) { m.arch = "arm64"; }), "manifest");
  EXPECT_EQ(refused([](auto& m) { m.size = 8; }), "manifest");
  EXPECT_EQ(refused([](auto& m) { m.sha256.bytes[0] ^= 1; }), "manifest");
  made.manifest = sign(right);
  made.manifest->signature[0] ^= 1;
  EXPECT_EQ(publish(made).error().field, "manifest_signature");
  made.manifest = sign(right);
  const Release release = publish(made).value();
  EXPECT_EQ(release.facts.serial, 5);
  EXPECT_EQ(release.signer, offline.public_key());
  EXPECT_TRUE(crypto::verify(release.facts.sha256.octets(), release.signature,
                             fleet->signing_key.public_key()))
      << "agents in the field know the server's key only";
  made = order("2.0.1", "program");
  made.manifest =
      sign({"2.0.1", "linux", "amd64", made.sha256, 7, 5, fleet.now + std::chrono::hours(1)});
  EXPECT_EQ(publish(made).error().field, "manifest") << "the serial of another";
  EXPECT_NE(publish(made).error().message.find("--serial 6"), std::string::npos)
      << "it says how to sign again";
}

TEST_F(Releases, ExpiredOnesAreNotGivenOut) {
  publish("1.5.0");
  ReleaseOrder made = order("2.0.0", "program");
  made.manifest = sign({"2.0.0", "linux", "amd64", made.sha256, 7, number_id_max,
                        fleet.now + std::chrono::hours(1)});
  publish(made).value();
  EXPECT_EQ(offered(), "2.0.0");
  fleet.now = fleet.now + std::chrono::hours(1);
  EXPECT_EQ(opened(), "1.5.0");
  EXPECT_EQ(offered(), "1.5.0");
}

TEST_F(Releases, AreListedNewestFirst) {
  for (const char* version : {"1.1.0", "1.3.0", "1.2.0"}) publish(version);
  std::string versions;
  std::string cursor;
  do {
    const ReleasePage page = list_release_page(fleet->store, cursor, 2).value();
    EXPECT_EQ(page.total.value, 3);
    for (const Release& release : page.releases) versions += release.facts.version + " ";
    cursor = page.next_cursor;
  } while (!cursor.empty());
  EXPECT_EQ(versions, "1.2.0 1.3.0 1.1.0 ");
}

}  // namespace
}  // namespace muster::fleet
