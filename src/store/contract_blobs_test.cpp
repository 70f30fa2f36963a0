// SPDX-License-Identifier: Apache-2.0
// What store/sql/blobs does, on every engine.
#include "store/sql/blobs.h"
#include "store/sql/releases.h"
#include "store/testing/contract.h"

namespace muster::store {
namespace {

using testing::now;
using testing::org;
using testing::other_org;

class BlobContract : public testing::Contract {
 protected:
  static BlobName name_of(std::string_view content, OrgId of = org) {
    return {of, crypto::sha256(content)};
  }
  /// Two chunks.
  void put(const BlobName& name, Instant delete_at = now) {
    write([&](Tx& tx) {
      EXPECT_FALSE(begin_blob(tx, name, 9, delete_at));
      insert_chunk(tx, name, 0,
                   std::string("ab\0\xFF"
                               "e",
                               5));
      insert_chunk(tx, name, 1, "last");
      insert_chunk(tx, name, 1, "not this");
      finish_blob(tx, name, now);
    });
  }
  auto found(const BlobName& name) {
    return read([&](Reader& reader) { return find_blob(reader, name); });
  }
  std::string chunk(const BlobName& name, std::int64_t position) {
    return read([&](Reader& reader) { return find_chunk(reader, name, position); });
  }
  bool delete_some(const BlobName& name, Instant at, int chunks_max = 1) {
    return write([&](Tx& tx) { return delete_some_of_blob(tx, name, at, chunks_max); });
  }
  TestBinary binary(const Uuid& test, const std::string& name, OrgId of = org) {
    return {of, test, name, crypto::sha256(name), 9, now, {7}};
  }
};
ON_EVERY_DATABASE(BlobContract);

TEST_P(BlobContract, OctetsAreReadBackOnceTheBlobIsWhole) {
  const BlobName name = name_of("a");
  write([&](Tx& tx) { begin_blob(tx, name, 9, now); });
  EXPECT_EQ(found(name), std::nullopt) << "not whole";
  put(name);
  EXPECT_EQ(found(name), 9U);
  EXPECT_EQ(chunk(name, 0), std::string("ab\0\xFF"
                                        "e",
                                        5));
  EXPECT_EQ(chunk(name, 1), "last");
  EXPECT_EQ(chunk(name, 2), "");
  EXPECT_EQ(found(name_of("a", other_org)), std::nullopt);
  EXPECT_EQ(chunk(name_of("a", other_org), 0), "");
  EXPECT_TRUE(write([&](Tx& tx) { return begin_blob(tx, name, 9, now); })) << "there already";
}

TEST_P(BlobContract, WhatNothingRefersToGoesPieceByPieceWhenItIsDue) {
  const BlobName name = name_of("a");
  put(name, now + Duration(10));
  EXPECT_FALSE(delete_some(name, now + Duration(9)));
  EXPECT_EQ(found(name), 9U);
  const auto due = [&](Instant at) {
    return read([&](Reader& reader) { return list_due_blobs(reader, at, 9).size(); });
  };
  EXPECT_EQ(due(now + Duration(9)), 0U);
  EXPECT_EQ(due(now + Duration(10)), 1U);
  EXPECT_TRUE(delete_some(name, now + Duration(10)));
  EXPECT_EQ(found(name), std::nullopt) << "no longer whole";
  EXPECT_EQ(chunk(name, 0).size(), 5U);
  EXPECT_EQ(chunk(name, 1), "");
  EXPECT_TRUE(delete_some(name, now + Duration(10)));
  EXPECT_EQ(due(now + Duration(10)), 1U);
  EXPECT_FALSE(delete_some(name, now + Duration(10)));
  EXPECT_EQ(due(now + Duration(10)), 0U);
}

TEST_P(BlobContract, TheRoomOfAnOrganisationIsThatOfItsWholeLooseAndKeptBlobs) {
  const auto room = [&](std::int64_t bytes_least) {
    const BlobRoom found =
        read([&](Reader& reader) { return sum_blobs(reader, org, bytes_least); });
    return std::pair(found.all, found.loose);
  };
  using Room = std::pair<std::int64_t, std::int64_t>;
  EXPECT_EQ(room(1), Room(0, 0));
  put(name_of("loose"));
  put(name_of("kept"));
  put(name_of("elsewhere", other_org));
  write([&](Tx& tx) {
    keep_blob(tx, name_of("kept"));
    begin_blob(tx, name_of("under way"), 5'000'000'000, now);
  });
  EXPECT_EQ(room(1), Room(5'000'000'018, 5'000'000'009));
  EXPECT_EQ(room(10), Room(5'000'000'020, 5'000'000'010)) << "small ones count for more";
}

TEST_P(BlobContract, ABlobBecomesWholeOnceAndHasARowBefore) {
  const BlobName name = name_of("a");
  const auto has_row = [&] {
    return read([&](Reader& reader) { return has_blob_row(reader, name); });
  };
  EXPECT_FALSE(has_row());
  write([&](Tx& tx) { begin_blob(tx, name, 9, now); });
  EXPECT_TRUE(has_row());
  EXPECT_TRUE(write([&](Tx& tx) { return finish_blob(tx, name, now); }));
  EXPECT_FALSE(write([&](Tx& tx) { return finish_blob(tx, name, now); }));
}

TEST_P(BlobContract, AnUploadOfTheSameContentEndsItsDeletion) {
  const BlobName name = name_of("a");
  put(name);
  EXPECT_TRUE(delete_some(name, now));
  put(name, now + Duration(10));
  EXPECT_FALSE(delete_some(name, now + Duration(5)));
  EXPECT_EQ(found(name), 9U);
  EXPECT_EQ(chunk(name, 1), "last");
}

TEST_P(BlobContract, OnlyAWholeBlobIsKeptAndOneThatIsReferredToStays) {
  const Uuid test = uuid();
  const TestBinary used = binary(test, "used");
  const BlobName name{org, used.sha256};
  EXPECT_EQ(write([&](Tx& tx) { return keep_blob(tx, name); }), std::nullopt);
  put(name, now);
  EXPECT_EQ(write([&](Tx& tx) { return keep_blob(tx, name); }), 9U);
  EXPECT_FALSE(delete_some(name, now + Duration(99)));
  write([&](Tx& tx) {
    set_test_binary(tx, used);
    let_go_of_blob(tx, name, now);
  });
  EXPECT_FALSE(delete_some(name, now));
  EXPECT_EQ(found(name), 9U) << "somebody else refers to it";
  EXPECT_EQ(read([&](Reader& reader) { return list_due_blobs(reader, now, 9).size(); }), 0U);
  write([&](Tx& tx) {
    delete_test_binary(tx, org, test, "used");
    let_go_of_blob(tx, name, now);
  });
  EXPECT_TRUE(delete_some(name, now));
}

TEST_P(BlobContract, TestBinariesAreFoundByTestAndName) {
  const Uuid a = uuid(1);
  const Uuid b = uuid(2);
  TestBinary newest = binary(a, "newest");
  newest.uploaded_at = now + Duration(1);
  write([&](Tx& tx) {
    set_test_binary(tx, binary(a, "zz"));
    set_test_binary(tx, newest);
    set_test_binary(tx, binary(b, "other"));
    set_test_binary(tx, binary(a, "elsewhere", other_org));
    TestBinary replaced = binary(b, "other");
    replaced.size = 10;
    replaced.sha256 = crypto::sha256("x");
    replaced.uploaded_by = {8};
    set_test_binary(tx, replaced);
  });
  read([&](Reader& reader) {
    EXPECT_EQ(find_test_binary(reader, org, a)->name, "newest");
    EXPECT_EQ(find_test_binary(reader, org, a, "zz")->uploaded_at, now);
    EXPECT_FALSE(find_test_binary(reader, org, a, "elsewhere"));
    const auto replaced = find_test_binary(reader, org, b);
    EXPECT_EQ(replaced->size, 10);
    EXPECT_EQ(replaced->sha256, crypto::sha256("x"));
    EXPECT_EQ(replaced->uploaded_by, OperatorId{8});
    const auto names = [&](auto... query) {
      std::string out;
      for (const TestBinary& one : list_test_binaries(reader, query...)) out += one.name + " ";
      return out;
    };
    EXPECT_EQ(names(std::nullopt, std::nullopt, TestBinaryPlace{}, 9),
              "newest zz other elsewhere ");
    EXPECT_EQ(names(org, a, TestBinaryPlace{}, 9), "newest zz ");
    EXPECT_EQ(names(std::nullopt, std::nullopt, TestBinaryPlace{org, a, "newest"}, 2), "zz other ");
    EXPECT_EQ(count_test_binaries(reader, std::nullopt, std::nullopt).value, 4);
    EXPECT_EQ(count_test_binaries(reader, org, a).value, 2);
    return 0;
  });
  EXPECT_TRUE(write([&](Tx& tx) { return delete_test_binary(tx, org, b, "other"); }));
  EXPECT_FALSE(write([&](Tx& tx) { return delete_test_binary(tx, org, b, "other"); }));
}

TEST_P(BlobContract, ReleasesAreReadBackAndKeepTheirFiles) {
  model::Release release;
  release.id = {5};
  release.facts = {"1.2.3", "linux", "amd64", crypto::sha256("a"), 9, number_id_max, now};
  release.mandatory = true;
  release.notes = testing::text;
  release.signature.fill(1);
  release.manifest = testing::text;
  release.manifest_signature.fill(2);
  release.signer.fill(3);
  release.published_at = now;
  release.published_by = {7};
  model::Release other = release;
  other.id = {6};
  other.facts.version = "1.2.4";
  other.facts.expires_at.reset();
  const BlobName name{server_org, release.facts.sha256};
  put(name);
  write([&](Tx& tx) {
    insert_release(tx, release);
    insert_release(tx, other);
    set_release_withdrawn(tx, other.id, now);
  });
  EXPECT_FALSE(delete_some(name, now));
  EXPECT_EQ(found(name), 9U) << "releases refer to it";
  EXPECT_THROW(write([&](Tx& tx) {
                 model::Release same = release;
                 same.id = {7};
                 insert_release(tx, same);
               }),
               StoreError)
      << "one file for a version of a platform";
  read([&](Reader& reader) {
    const auto known = find_release(reader, {5});
    EXPECT_EQ(model::encode_manifest(known->facts), model::encode_manifest(release.facts));
    EXPECT_TRUE(known->mandatory);
    EXPECT_EQ(known->notes, testing::text);
    EXPECT_EQ(known->manifest, testing::text);
    EXPECT_EQ(known->signature, release.signature);
    EXPECT_EQ(known->manifest_signature, release.manifest_signature);
    EXPECT_EQ(known->signer, release.signer);
    EXPECT_EQ(known->published_at, now);
    EXPECT_EQ(known->published_by, OperatorId{7});
    EXPECT_EQ(known->withdrawn_at, std::nullopt);
    EXPECT_FALSE(find_release(reader, {4}));
    EXPECT_EQ(list_platform_releases(reader, "linux", "amd64").size(), 2U);
    EXPECT_EQ(list_platform_releases(reader, "linux", "arm64").size(), 0U);
    const auto newest = list_releases(reader, {number_id_max}, 1);
    EXPECT_EQ(newest.at(0).withdrawn_at, now);
    EXPECT_EQ(newest.at(0).facts.expires_at, std::nullopt);
    EXPECT_EQ(list_releases(reader, {6}, 9).at(0).id, release.id);
    EXPECT_EQ(count_releases(reader).value, 2);
    return 0;
  });
}

}  // namespace
}  // namespace muster::store
