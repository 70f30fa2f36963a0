// SPDX-License-Identifier: Apache-2.0
#include "agent/test_order.h"

#include <gtest/gtest.h>

namespace muster::agent {
namespace {

const std::string uuid = "0190f1c2-0000-7000-8000-00000000000a";

std::string payload(const std::string& name, const std::string& rest = "") {
  return R"({"test_uuid": ")" + uuid + R"(", "binary_name": ")" + name +
         R"(", "binary_sha256": ")" + std::string(64, 'a') + R"(", "binary_size": 5)" + rest + "}";
}

/// Empty if it can be read; else the field that is wrong.
std::string fault_of(const std::string& text) {
  JsonDocument document;
  const auto order = read_test_order(document.parse(text).value());
  return order.ok() ? "" : order.error().field;
}

TEST(TestOrder, SaysWhatToFetchAndHowToRunIt) {
  JsonDocument document;
  const std::string text = payload("check-1.bin", R"(, "arguments": ["-v", "a b"])");
  const TestOrder order = read_test_order(document.parse(text).value()).value();
  EXPECT_EQ(order.target(), "/api/agent/binary/check-1.bin?test_uuid=" + uuid);
  EXPECT_EQ(order.file(), "tests/" + std::string(64, 'a'));
  EXPECT_EQ(order.arguments, (std::vector<std::string>{"-v", "a b"}));
}

TEST(TestOrder, NothingGetsIntoAnAddressOrAFileNameThatIsNotPlain) {
  for (const char* name : {"../x", "a/b", ".hidden", "a b", "a?b", "a%2fb", "a\\u0000b", "ä"}) {
    EXPECT_EQ(fault_of(payload(name)), "payload.binary_name") << name;
  }
  EXPECT_EQ(fault_of(payload("x", R"(, "arguments": [1])")), "arguments");
  EXPECT_EQ(fault_of(payload("x", R"(, "arguments": "-v")")), "arguments");
  EXPECT_EQ(fault_of("{}"), "payload.test_uuid");
  EXPECT_EQ(fault_of(payload("x", R"(, "arguments": null)")), "");
}

TEST(Bundle, IsTakenOnlyFromTheTestThatRan) {
  const std::string good = R"({"bundle_id": ")" + uuid + R"(", "controls": [{"control_id": "c"}]})";
  EXPECT_EQ(read_bundle(good, uuid), good);
  EXPECT_EQ(read_bundle(good, "0190f1c2-0000-7000-8000-00000000000b"), "");
  EXPECT_EQ(read_bundle(R"({"bundle_id": ")" + uuid + R"("})", uuid), "");
  EXPECT_EQ(read_bundle("[]", uuid), "");
  EXPECT_EQ(read_bundle("", uuid), "");
  EXPECT_EQ(read_bundle("{" + good, uuid), "");
}

}  // namespace
}  // namespace muster::agent
