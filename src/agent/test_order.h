// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_read.h"
#include "base/result.h"
#include "crypto/sha256.h"

namespace muster::agent {

/// A test that a task asks for: a program to fetch and run (execute_test).
struct TestOrder {
  static constexpr const char* folder = "tests";

  std::string uuid;
  std::string name;  // of the program: letters, digits, dots, underscores and hyphens
  crypto::Sha256 sha256;
  std::int64_t size = 0;
  std::vector<std::string> arguments;

  /// Where its program comes from, and where it is kept, below the state directory, while it runs.
  std::string target() const { return "/api/agent/binary/" + name + "?test_uuid=" + uuid; }
  std::string file() const { return folder + ("/" + sha256.text()); }
};

/// The payload of an execute_test task. Fails with the field that is missing or cannot be used:
/// what goes into an address or a file name is of plain characters only.
Result<TestOrder> read_test_order(const Json& payload);

/// What a test says of its controls (bundle_results.json), as it goes into the result: `text` again
/// as JSON if it is an object whose `bundle_id` is `test_uuid` and whose `controls` are a list;
/// else empty. What the controls themselves say is for the server to judge, which keeps bad ones
/// too.
std::string read_bundle(std::string_view text, std::string_view test_uuid);

}  // namespace muster::agent
