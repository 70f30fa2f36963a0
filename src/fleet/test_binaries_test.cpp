// SPDX-License-Identifier: Apache-2.0
#include "fleet/test_binaries.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "fleet/blobs.h"
#include "fleet/reported_results.h"
#include "fleet/testing.h"

namespace muster::fleet {
namespace {

/// Octets that repeat at no chunk's size.
std::string content_of(std::size_t bytes, char first = 0) {
  std::string content(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) {
    content[i] = static_cast<char>((i + static_cast<std::size_t>(first)) % 251);
  }
  return content;
}

class TestBinaries : public testing::Test {
 protected:
  std::string read_all(http::Stream stream) {
    std::string content;
    while (content.size() < stream.bytes) {
      const std::string piece = stream.source->read(stream.offset + content.size());
      if (piece.empty()) return "cut off";
      EXPECT_LE(piece.size(), limits::blob_chunk_bytes);
      content += piece;
    }
    return content;
  }
  /// What is stored under that name; nothing when there is none.
  std::optional<std::string> stored(const crypto::Sha256& digest, OrgId org = TestFleet::org) {
    const auto stream = open_blob(fleet->store, {org, digest});
    if (!stream) return std::nullopt;
    return read_all(*stream);
  }
  Result<crypto::Sha256> try_upload(std::string_view content, OrgId org = TestFleet::org) {
    return store_blob(fleet->store, fleet->ids, fleet.actor, org, content, fleet.now);
  }
  /// Room that is taken: an upload of that size that has begun, or without an end a file that
  /// something refers to.
  void hold(std::string_view content, std::size_t bytes, OrgId org,
            std::optional<Instant> delete_at) {
    const store::BlobName name{org, crypto::sha256(content)};
    fleet->store.write([&](store::Tx& tx) {
      store::begin_blob(tx, name, bytes, delete_at.value_or(fleet.now));
      if (delete_at) return;
      store::finish_blob(tx, name, fleet.now);
      EXPECT_TRUE(store::keep_blob(tx, name));
    });
  }
  Result<TestBinary> upload(const std::string& name, std::string_view content) {
    TestBinary binary;
    binary.org = TestFleet::org;
    binary.test = test;
    binary.name = name;
    binary.sha256 = fleet.upload(content);
    return fleet->store.write([&](store::Tx& tx) {
      return register_test_binary(tx, fleet->ids, fleet.actor, binary, fleet.now);
    });
  }
  void remove(const std::string& name) {
    fleet->store.write([&](store::Tx& tx) {
      delete_test_binary(tx, fleet->ids, fleet.actor, TestFleet::org, test, name, fleet.now)
          .value();
    });
  }
  /// A task with that program, in the agent's hands.
  TaskId give_task(AgentId agent, const TestBinary& binary) {
    TaskOrder order(model::TaskType::execute_test);
    order.agents = {agent};
    order.payload.test_uuid = binary.test.text();
    order.payload.binary_name = binary.name;
    return fleet.create(order).value().front();
  }
  void claim(const Enrolled& agent) {
    fleet->store.write([&](store::Tx& tx) {
      const Poller poller{agent.org, agent.agent, agent.host, true};
      EXPECT_TRUE(claim_task(tx, fleet.board(), poller, fleet.now));
    });
  }
  bool may_fetch(const Enrolled& agent, const std::string& name) {
    return open_test_binary(fleet->store, agent.org, agent.agent, test, name).ok();
  }

  TestFleet fleet;
  const Uuid test = make_uuid7(fleet.rng, fleet.now);
};

TEST_F(TestBinaries, FilesOfAnySizeAreReadBackFromAnyPlace) {
  constexpr std::size_t chunk = limits::blob_chunk_bytes;
  for (const std::size_t bytes : {std::size_t{1}, chunk - 1, chunk, chunk + 1,
                                  chunk * limits::blob_chunks_per_commit + 1, chunk * 20}) {
    const std::string content = content_of(bytes);
    const crypto::Sha256 digest = fleet.upload(content);
    EXPECT_EQ(digest, crypto::sha256(content));
    EXPECT_TRUE(stored(digest) == content) << bytes;
    const auto stream = open_blob(fleet->store, {TestFleet::org, digest});
    const std::string end = stream->source->read(bytes - 1);
    EXPECT_EQ(end, content.substr(bytes - 1)) << bytes;
  }
}

TEST_F(TestBinaries, AnUploadIsManySmallCommits) {
  // What a commit of agents waits behind is what one call of `wait` finds queued.
  std::size_t commits = 0;
  fleet->store.step_writer([&] {
    ++commits;
    fleet->store.commit_queued();
    return true;
  });
  fleet.upload(content_of(5 * limits::MiB));
  EXPECT_EQ(commits, 7U) << "a beginning, five times a MiB, an end";
}

TEST_F(TestBinaries, AnUploadThatWasCutShortIsInvisibleUntilItIsRepeatedAndGoesOtherwise) {
  const std::string content = content_of(3 * limits::MiB);
  const auto cut_short = [&] {
    fleet.faults->arrange(12, store::testing::Faults::How::fail);
    EXPECT_THROW(fleet.upload(content), store::StoreError);
    EXPECT_EQ(stored(crypto::sha256(content)), std::nullopt);
    EXPECT_GT(fleet.count("SELECT count(*) FROM blobs"), 0);
  };
  cut_short();
  fleet.upload(content);
  EXPECT_TRUE(stored(crypto::sha256(content)) == content);
  fleet.now = fleet.now + limits::loose_blob_life;
  EXPECT_EQ(delete_loose_blobs(fleet->store, fleet.now), 1U);
  EXPECT_EQ(fleet.count("SELECT count(*) FROM blob_chunks"), 0);
  cut_short();
  EXPECT_EQ(delete_loose_blobs(fleet->store, fleet.now), 0U) << "it may still be under way";
  EXPECT_EQ(delete_loose_blobs(fleet->store, fleet.now + limits::loose_blob_life), 1U);
  EXPECT_EQ(fleet.count("SELECT count(*) FROM blob_chunks"), 0);
  EXPECT_EQ(fleet.count("SELECT count(*) FROM blobs"), 0);
}

TEST_F(TestBinaries, WhatNothingRefersToHasItsBoundUntilItGoes) {
  for (const OrgId owner : {TestFleet::org, store::server_org}) {
    hold("a", loose_blobs_bytes - limits::MiB, owner, fleet.now + limits::loose_blob_life);
    fleet.upload("fits", owner);
    const auto refused = try_upload("one more", owner);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, Errc::rate_limited);
    EXPECT_TRUE(refused.error().retry_after_seconds);
    EXPECT_TRUE(try_upload("fits", owner).ok()) << "it is there";
  }
  EXPECT_TRUE(try_upload("one more", OrgId{2}).ok()) << "another organisation has its own";
  delete_loose_blobs(fleet->store, fleet.now + limits::loose_blob_life);
  EXPECT_TRUE(try_upload("one more").ok());
}

TEST_F(TestBinaries, AnUploadThatWasCutShortIsRepeatedAlsoWhenNothingElseFits) {
  const std::string content = content_of(3 * limits::MiB);
  hold("a", loose_blobs_bytes - content.size(), TestFleet::org,
       fleet.now + limits::loose_blob_life);
  hold(content, content.size(), TestFleet::org, fleet.now + limits::loose_blob_life);
  EXPECT_FALSE(try_upload("one more").ok());
  EXPECT_TRUE(try_upload(content).ok());
  EXPECT_TRUE(stored(crypto::sha256(content)) == content);
}

TEST_F(TestBinaries, AllFilesOfAnOrganisationHaveABoundThatDeletingMakesRoomIn) {
  hold("a", org_blobs_bytes - limits::MiB, TestFleet::org, {});
  hold("a", org_blobs_bytes - limits::MiB, store::server_org, {});
  upload("kept", "fits").value();
  EXPECT_EQ(try_upload("one more").error().code, Errc::body_too_large);
  EXPECT_TRUE(try_upload("one more", store::server_org).ok()) << "its admins keep what is there";
  remove("kept");
  EXPECT_EQ(try_upload("one more").error().code, Errc::body_too_large) << "agents may fetch it";
  delete_loose_blobs(fleet->store, fleet.now + limits::loose_blob_life);
  EXPECT_TRUE(try_upload("one more").ok());
}

TEST_F(TestBinaries, AnUploadIsInTheAuditLogOnceAndARefusedOneIsNot) {
  const auto rows = [&] {
    return fleet.count("SELECT count(*) FROM audit WHERE action = 'blobs.upload' AND org_id = 1");
  };
  fleet.upload("content");
  EXPECT_EQ(rows(), 1);
  fleet.upload("content");
  EXPECT_EQ(rows(), 1) << "it changed nothing";
  hold("a", loose_blobs_bytes, TestFleet::org, fleet.now + limits::loose_blob_life);
  EXPECT_FALSE(try_upload("one more").ok());
  EXPECT_EQ(rows(), 1);
}

TEST_F(TestBinaries, WhatIsReferredToStaysAndWhatWasLetGoIsThereForAWhile) {
  const TestBinary a = upload("a", "one").value();
  upload("b", "one").value();
  const Instant later = fleet.now + limits::loose_blob_life * 2;
  EXPECT_EQ(delete_loose_blobs(fleet->store, later), 0U);
  remove("a");
  delete_loose_blobs(fleet->store, later);
  EXPECT_EQ(stored(a.sha256), "one") << "b is the same";
  remove("b");
  EXPECT_EQ(delete_loose_blobs(fleet->store, fleet.now), 0U);
  EXPECT_EQ(stored(a.sha256), "one");
  EXPECT_EQ(delete_loose_blobs(fleet->store, later), 1U);
  EXPECT_EQ(stored(a.sha256), std::nullopt);
}

TEST_F(TestBinaries, NamesAreWhatFieldedAgentsCanPutIntoAPath) {
  for (const char* name : {"a", "T1.sh", "x_y-z.exe", "0"}) EXPECT_TRUE(is_binary_name(name));
  for (const char* name : {"", ".", "..", ".x", "a/b", "a b", "a%2f", "ä", "a\\b"}) {
    EXPECT_FALSE(is_binary_name(name)) << name;
  }
  EXPECT_FALSE(is_binary_name(std::string(limits::name_bytes + 1, 'a')));
  EXPECT_EQ(upload("../x", "x").error().field, "name");
}

TEST_F(TestBinaries, OnlyAFileThatWasUploadedForTheOrganisationCanBeGivenOut) {
  TestBinary binary;
  binary.org = TestFleet::org;
  binary.test = test;
  binary.name = "x";
  binary.sha256 = fleet.upload("elsewhere", OrgId{2});
  const auto outcome = fleet->store.write([&](store::Tx& tx) {
    return register_test_binary(tx, fleet->ids, fleet.actor, binary, fleet.now);
  });
  EXPECT_EQ(outcome.error().code, Errc::not_found);
}

TEST_F(TestBinaries, OnlyAnAgentWithTheTaskInItsHandsMayFetch) {
  const Enrolled one = fleet.enrol("web-1");
  const Enrolled other = fleet.enrol("web-2");
  const TestBinary binary = upload("t", "program").value();
  upload("u", "another").value();
  const TaskId task = give_task(one.agent, binary);
  EXPECT_FALSE(may_fetch(one, "t")) << "not delivered yet";
  claim(one);
  EXPECT_TRUE(may_fetch(one, "t"));
  EXPECT_FALSE(may_fetch(one, "u")) << "another program of the test";
  EXPECT_FALSE(may_fetch(other, "t"));
  fleet->store.write([&](store::Tx& tx) {
    model::TaskResult result;
    result.task = task;
    const TaskBoard board = fleet.board();
    ReportedResult reported(board, {one.org, one.agent, one.host, true}, result, {}, fleet.now);
    record_result(tx, reported).value();
  });
  EXPECT_FALSE(may_fetch(one, "t")) << "done";
}

TEST_F(TestBinaries, ATaskGetsTheProgramItNamesAlsoOnceThatWasReplaced) {
  const Enrolled agent = fleet.enrol("web-1");
  const TestBinary binary = upload("t", "old").value();
  give_task(agent.agent, binary);
  claim(agent);
  upload("t", "new").value();
  const auto opened =
      open_test_binary(fleet->store, TestFleet::org, agent.agent, test, "t").value();
  EXPECT_EQ(opened.sha256, binary.sha256);
  EXPECT_EQ(read_all(opened.content), "old");
}

TEST_F(TestBinaries, AReplacedProgramStaysUntilTheTasksThatNameItAreOver) {
  const Enrolled agent = fleet.enrol("web-1");
  const TestBinary old = upload("t", "old").value();
  const TaskId task = give_task(agent.agent, old);
  upload("t", "new").value();
  const Duration life = limits::loose_blob_life;
  EXPECT_EQ(delete_loose_blobs(fleet->store, fleet.now + life), 1U);
  EXPECT_EQ(stored(old.sha256), "old") << "the host was off since";
  EXPECT_EQ(delete_loose_blobs(fleet->store, fleet.now + life), 0U) << "put off";
  claim(agent);
  EXPECT_TRUE(may_fetch(agent, "t"));
  EXPECT_EQ(delete_loose_blobs(fleet->store, fleet.now + life * 2), 1U);
  EXPECT_EQ(stored(old.sha256), "old") << "it may be fetching it";
  fleet->store.write(
      [&](store::Tx& tx) { cancel_task(tx, fleet.board(), fleet.actor, task, fleet.now).value(); });
  EXPECT_EQ(delete_loose_blobs(fleet->store, fleet.now + life * 3), 1U);
  EXPECT_EQ(stored(old.sha256), std::nullopt);
}

TEST_F(TestBinaries, ADeletedProgramStaysUntilTheTasksThatNameItAreOver) {
  const Enrolled agent = fleet.enrol("web-1");
  const TestBinary binary = upload("t", "program").value();
  give_task(agent.agent, binary);
  remove("t");
  delete_loose_blobs(fleet->store, fleet.now + limits::loose_blob_life);
  claim(agent);
  EXPECT_TRUE(may_fetch(agent, "t"));
}

TEST_F(TestBinaries, AreListedPageByPage) {
  for (const char* name : {"c", "a", "b"}) upload(name, name).value();
  std::string names;
  std::string cursor;
  do {
    const TestBinaryPage page =
        list_test_binary_page(fleet->store, std::nullopt, test, cursor, 1).value();
    EXPECT_EQ(page.total.value, 3);
    for (const TestBinary& one : page.binaries) names += one.name;
    cursor = page.next_cursor;
  } while (!cursor.empty());
  EXPECT_EQ(names, "abc");
  EXPECT_EQ(list_test_binary_page(fleet->store, {}, {}, "nonsense", 1).error().field, "cursor");
}

}  // namespace
}  // namespace muster::fleet
