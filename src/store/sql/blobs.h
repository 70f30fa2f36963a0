// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "crypto/sha256.h"
#include "store/total.h"

namespace muster::store {

class Reader;
class Tx;

/// Whose files releases are: nobody's but the server's.
inline constexpr OrgId server_org{0};

/// A file in the store, named by its content (docs/adr/0010-files-in-the-store.md).
struct BlobName {
  OrgId org;
  crypto::Sha256 sha256;
};

/// Before the first chunk: the blob lives until `delete_at` at least. Returns whether it is there
/// already, so that nothing has to be written.
bool begin_blob(Tx& tx, const BlobName& name, std::size_t size, Instant delete_at);
/// A chunk that is there already stays: its content is the same.
void insert_chunk(Tx& tx, const BlobName& name, std::int64_t position, std::string_view octets);
/// After the last chunk: from now on it is found. False when it was whole already.
bool finish_blob(Tx& tx, const BlobName& name, Instant now);
/// Keeps it for as long as something refers to it. Its size; nothing when it is not there.
std::optional<std::size_t> keep_blob(Tx& tx, const BlobName& name);
/// One reference less: without another it goes after `delete_at`.
void let_go_of_blob(Tx& tx, const BlobName& name, Instant delete_at);
/// Whether the row of a blob is there, whole or not: what of it is missing has its room already.
bool has_blob_row(Reader& reader, const BlobName& name);
/// What the blobs of `org` take, each `bytes_least` at least; those that are not whole count whole.
struct BlobRoom {
  std::int64_t all = 0;
  std::int64_t loose = 0;  // of those that go unless something refers to them
};
BlobRoom sum_blobs(Reader& reader, OrgId org, std::int64_t bytes_least);
/// Its size; nothing when it is not there, or not whole.
std::optional<std::size_t> find_blob(Reader& reader, const BlobName& name);
/// Chunk `position`, limits::blob_chunk_bytes long but for the last; empty when there is none.
std::string find_chunk(Reader& reader, const BlobName& name, std::int64_t position);

/// Blobs whose time is up at `now`, at most `count`.
std::vector<BlobName> list_due_blobs(Reader& reader, Instant now, int count);
/// Takes at most `chunks_max` chunks of a blob that is due and that nothing refers to, the last
/// first, and at the end the blob. One that is referred to is kept from now on. Returns whether
/// there is more to delete.
bool delete_some_of_blob(Tx& tx, const BlobName& name, Instant now, int chunks_max);

/// A program that agents run for a test.
struct TestBinary {
  OrgId org;
  Uuid test;
  std::string name;
  crypto::Sha256 sha256;
  std::int64_t size = 0;
  Instant uploaded_at;
  OperatorId uploaded_by;
};

/// Replaces the one of that test and name.
void set_test_binary(Tx& tx, const TestBinary& binary);
/// False when there is none.
bool delete_test_binary(Tx& tx, OrgId org, const Uuid& test, std::string_view name);
/// The one of that name; without a name, the one that was uploaded last.
std::optional<TestBinary> find_test_binary(Reader& reader, OrgId org, const Uuid& test,
                                           std::string_view name = {});
/// Where a list goes on: after this one.
struct TestBinaryPlace {
  OrgId org;
  Uuid test;
  std::string name;
};
/// In the order of organisation, test and name; of one organisation and one test if given.
std::vector<TestBinary> list_test_binaries(Reader& reader, std::optional<OrgId> org,
                                           std::optional<Uuid> test, const TestBinaryPlace& after,
                                           int count);
Total count_test_binaries(Reader& reader, std::optional<OrgId> org, std::optional<Uuid> test);

/// What inventory agents of a platform are given to replace themselves with.
struct AgentScript {
  std::string platform;  // "linux", "macos", "windows"
  std::string version;
  crypto::Sha256 sha256;  // a blob of server_org
  std::int64_t size = 0;
  Instant uploaded_at;
  OperatorId uploaded_by;
};
/// Replaces the one of that platform.
void set_agent_script(Tx& tx, const AgentScript& script);
void delete_agent_script(Tx& tx, std::string_view platform);
std::optional<AgentScript> find_agent_script(Reader& reader, std::string_view platform);
/// In the order of platforms.
std::vector<AgentScript> list_agent_scripts(Reader& reader);

}  // namespace muster::store
