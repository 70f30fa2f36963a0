// SPDX-License-Identifier: Apache-2.0
#include "model/work_order.h"

#include <functional>

#include <gtest/gtest.h>

#include "base/limits.h"
#include "base/seeded_rng.h"
#include "model/release.h"

namespace muster::model {
namespace {

WorkOrder sample() {
  WorkOrder order;
  SeededRng rng(7);
  order.id = make_order_id(rng);
  order.org = "1";
  order.agent = {parse_uuid("0190f1c2-0000-7000-8000-000000000001").value()};
  order.type = TaskType::execute_test;
  order.command = "echo \"a\\b\"";
  order.test_uuid = "0190f1c2-0000-7000-8000-000000000002";
  order.binary_name = "probe";
  order.binary_sha256 = std::string(64, 'a');
  order.arguments = {"-v", "", "größer"};
  order.execution_timeout_seconds = 300;
  order.env_sha256 = digest_of_env({{"B", "2"}, {"A", "1"}});
  order.not_before = parse_rfc3339("2026-01-01T00:00:00Z").value();
  order.expires_at = parse_rfc3339("2026-01-02T00:00:00Z").value();
  return order;
}

const crypto::SigningKey& key() {
  static const crypto::SigningKey key(crypto::SigningKey::Seed{1});
  return key;
}

TEST(WorkOrder, ReadsWhatItWrites) {
  const std::string text = encode_work_order(sample());
  const auto again = parse_work_order(text);
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(encode_work_order(*again), text);
  EXPECT_TRUE(first_difference(*again, sample()).empty());
  EXPECT_EQ(again->id, sample().id);
  EXPECT_EQ(again->expires_at, sample().expires_at);
}

TEST(WorkOrder, HasOneTextOnly) {
  const std::string text = encode_work_order(sample());
  const auto altered = [&](std::string_view from, std::string_view to) {
    std::string other = text;
    const auto at = other.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return other.replace(at, from.size(), to);
  };
  for (const std::string& other : {
           " " + text,
           text + " ",
           text + text,
           altered("\": ", "\":"),
           altered("{\"order_version\"", "{\"extra\": 1, \"order_version\""),
           altered("\"order_version\": 1", "\"order_version\": 2"),
           altered("\"order_version\": 1", "\"order_version\": 1.0"),
           altered("\"command\"", "\"command\": \"true\", \"command\""),
           altered("\"org_id\": \"1\"", "\"org_id\": 1"),
           altered("0190f1c2-0000-7000-8000-000000000001", "0190F1C2-0000-7000-8000-000000000001"),
           altered("2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00"),
           altered("execute_test", "execute_anything"),
           altered("größer", "gr\\u00f6\\u00dfer"),
           altered("[\"-v\", \"\"", "[\"-v\", null"),
           altered(", \"expires\": \"2026-01-02T00:00:00Z\"", ""),
           altered("\"execution_timeout\": 300", "\"execution_timeout\": 0"),
           std::string("null"),
           std::string("[]"),
           std::string(),
           std::string(limits::order_bytes + 1, ' '),
       }) {
    EXPECT_FALSE(parse_work_order(other).ok()) << other.substr(0, 200);
  }
}

TEST(WorkOrder, EveryMemberOfTheWorkIsCompared) {
  const std::vector<std::pair<std::string, std::function<void(WorkOrder&)>>> changes = {
      {"org_id", [](WorkOrder& o) { o.org = "2"; }},
      {"agent_id", [](WorkOrder& o) { o.agent.uuid.bytes[0] ^= 1; }},
      {"type", [](WorkOrder& o) { o.type = TaskType::update_agent; }},
      {"command", [](WorkOrder& o) { o.command += " "; }},
      {"test_uuid", [](WorkOrder& o) { o.test_uuid.back() = '3'; }},
      {"binary_name", [](WorkOrder& o) { o.binary_name = "Probe"; }},
      {"binary_sha256", [](WorkOrder& o) { o.binary_sha256[0] = 'b'; }},
      {"arguments", [](WorkOrder& o) { o.arguments.pop_back(); }},
      {"execution_timeout", [](WorkOrder& o) { o.execution_timeout_seconds = 301; }},
      {"env_vars", [](WorkOrder& o) { o.env_sha256.clear(); }},
  };
  for (const auto& [member, change] : changes) {
    WorkOrder other = sample();
    change(other);
    EXPECT_EQ(first_difference(sample(), other), member);
    EXPECT_EQ(first_difference(other, sample()), member);
    EXPECT_NE(encode_work_order(other), encode_work_order(sample()));
  }
}

TEST(WorkOrder, EveryOctetOfTheTextIsSigned) {
  const SignedOrder order = sign_order(sample(), key());
  EXPECT_EQ(order.signer, key().public_key());
  ASSERT_TRUE(is_signed_by(order.text, order.signature, order.signer));
  for (std::size_t i = 0; i < order.text.size(); ++i) {
    std::string other = order.text;
    other[i] ^= 1;
    EXPECT_FALSE(is_signed_by(other, order.signature, order.signer)) << i;
  }
  const crypto::SigningKey another(crypto::SigningKey::Seed{2});
  EXPECT_FALSE(is_signed_by(order.text, order.signature, another.public_key()));
}

TEST(WorkOrder, NoSignatureOfAnythingElseIsOneOfAnOrder) {
  // One key signs releases and orders: neither signature serves for the other.
  const std::string text = encode_work_order(sample());
  EXPECT_FALSE(is_signed_by(text, key().sign(text), key().public_key()));
  Manifest manifest;
  manifest.version = "1.0.0";
  const std::string release = encode_manifest(manifest);
  EXPECT_FALSE(is_signed_by(release, key().sign(release), key().public_key()));
  const SignedOrder order = sign_order(sample(), key());
  EXPECT_FALSE(crypto::verify(order.text, order.signature, key().public_key()));
}

TEST(WorkOrder, TheDigestOfVariablesIsOfTheirSet) {
  EXPECT_EQ(digest_of_env({}), "");
  const std::string digest = digest_of_env({{"A", "1"}, {"B", "2"}});
  EXPECT_EQ(digest_of_env({{"B", "2"}, {"A", "1"}}), digest);
  EXPECT_NE(digest_of_env({{"A", "2"}, {"B", "1"}}), digest);
  EXPECT_NE(digest_of_env({{"A", "1"}}), digest);
  EXPECT_NE(digest_of_env({{"A", "1\", \"B\": \"2"}}), digest) << "a value is not its own frame";
}

}  // namespace
}  // namespace muster::model
