// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "fleet/history.h"
#include "http/response.h"
#include "store/sql/blobs.h"

namespace muster::store {
class Store;
}

namespace muster::fleet {

using store::TestBinary;

/// A name that fielded agents may put into a path as it is: 1 to limits::name_bytes of
/// [A-Za-z0-9._-], the first no dot.
bool is_binary_name(std::string_view name);

/// Gives the stored blob of that digest (store_blob) to agents as `name` of a test; replaces the
/// one of that name, whose content stays until the tasks that name it are over. Fails with
/// invalid_field for a bad name and with not_found for a digest that is not stored.
Result<TestBinary> register_test_binary(store::Tx& tx, NumberIds& ids, const Actor& actor,
                                        TestBinary binary, Instant now);

/// Fails with not_found. Its content stays for limits::loose_blob_life, for agents on their way,
/// and until the tasks that name it are over.
Result<TestBinary> delete_test_binary(store::Tx& tx, NumberIds& ids, const Actor& actor, OrgId org,
                                      const Uuid& test, std::string_view name, Instant now);

struct TestBinaryPage {
  std::vector<TestBinary> binaries;
  std::string next_cursor;
  store::Total total;
};
/// In the order of organisation, test and name. Fails with invalid_field for a cursor that is none.
Result<TestBinaryPage> list_test_binary_page(store::Store& store, std::optional<OrgId> org,
                                             std::optional<Uuid> test, const std::string& cursor,
                                             int count);

struct OpenedBinary {
  crypto::Sha256 sha256;
  http::Stream content;
};
/// The program of a test, for an agent that was given a task with it and is not done: as the task
/// names it, if it was replaced since. Fails with not_found for all others, in the words that
/// fielded agents log.
Result<OpenedBinary> open_test_binary(store::Store& store, OrgId org, AgentId agent,
                                      const Uuid& test, std::string_view name);

}  // namespace muster::fleet
