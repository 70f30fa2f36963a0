// SPDX-License-Identifier: Apache-2.0
#include "model/work_order.h"

#include <algorithm>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "base/text.h"
#include "crypto/sha256.h"

namespace muster::model {

namespace {

constexpr std::int64_t version = 1;
/// Manifests of releases begin with a brace, and digests of programs are 32 octets.
constexpr std::string_view domain = "muster work order\n";

Error no_order(std::string what) {
  return invalid_field("order", std::move(what));
}

std::string message_of(std::string_view text) {
  return std::string(domain).append(text);
}

}  // namespace

OrderId make_order_id(Rng& rng) {
  OrderId id;
  rng.fill(std::as_writable_bytes(std::span(id.uuid.bytes)));
  return id;
}

std::string encode_work_order(const WorkOrder& order) {
  JsonWriter json;
  json.begin_object()
      .member("order_version", version)
      .member("order_id", order.id)
      .member("org_id", order.org)
      .member("agent_id", order.agent)
      .member("type", task_type_name(order.type))
      .member("command", order.command)
      .member("test_uuid", order.test_uuid)
      .member("binary_name", order.binary_name)
      .member("binary_sha256", order.binary_sha256)
      .member("arguments", order.arguments)
      .member("execution_timeout", order.execution_timeout_seconds)
      .member("env_sha256", order.env_sha256)
      .member("not_before", order.not_before)
      .member("expires", order.expires_at)
      .end_object();
  return json.take();
}

Result<WorkOrder> parse_work_order(std::string_view text) {
  if (text.size() > limits::order_bytes) return no_order("is too long");
  JsonDocument document;
  const Result<Json> json = document.parse(text);
  if (!json.ok() || !json->is_object()) return no_order("is no JSON object");
  Fields fields(*json, "order");
  const auto optional = [&](std::string_view name, std::size_t bytes_max) {
    return std::string(fields.optional_text(name, bytes_max).value_or(""));
  };
  WorkOrder order;
  if (fields.integer("order_version", 1, number_id_max) != version && !fields.failed()) {
    return no_order("is of a version that is not known here");
  }
  const auto id = parse_uuid(fields.text("order_id", limits::name_bytes));
  order.org = fields.text("org_id", limits::name_bytes);
  const auto agent = parse_uuid(fields.text("agent_id", limits::name_bytes));
  const auto type = parse_task_type(fields.text("type", limits::name_bytes));
  order.command = optional("command", limits::command_bytes);
  order.test_uuid = optional("test_uuid", limits::name_bytes);
  order.binary_name = optional("binary_name", limits::name_bytes);
  order.binary_sha256 = optional("binary_sha256", limits::name_bytes);
  order.arguments = fields.optional_texts("arguments", limits::tags, limits::name_bytes);
  order.execution_timeout_seconds =
      fields.integer("execution_timeout", 1, limits::execution_timeout_seconds_max);
  order.env_sha256 = optional("env_sha256", limits::name_bytes);
  const std::string_view not_before = fields.text("not_before", limits::name_bytes);
  const std::string_view expires_at = fields.text("expires", limits::name_bytes);
  TRY(fields.finish());
  if (!id.ok() || !agent.ok() || !type) return no_order("names no order, agent or type of task");
  order.id = {*id};
  order.agent = {*agent};
  order.type = *type;
  order.not_before = TRY(parse_rfc3339(not_before));
  order.expires_at = TRY(parse_rfc3339(expires_at));
  if (encode_work_order(order) != text) return no_order("is not in its canonical form");
  return order;
}

std::string_view first_difference(const WorkOrder& a, const WorkOrder& b) {
  if (a.org != b.org) return "org_id";
  if (a.agent != b.agent) return "agent_id";
  if (a.type != b.type) return "type";
  if (a.command != b.command) return "command";
  if (a.test_uuid != b.test_uuid) return "test_uuid";
  if (a.binary_name != b.binary_name) return "binary_name";
  if (a.binary_sha256 != b.binary_sha256) return "binary_sha256";
  if (a.arguments != b.arguments) return "arguments";
  if (a.execution_timeout_seconds != b.execution_timeout_seconds) return "execution_timeout";
  if (a.env_sha256 != b.env_sha256) return "env_vars";
  return {};
}

std::string digest_of_env(std::vector<std::pair<std::string, std::string>> variables) {
  if (variables.empty()) return {};
  std::sort(variables.begin(), variables.end());
  JsonWriter json;
  json.begin_object();
  for (const auto& [name, value] : variables) json.member(name, value);
  json.end_object();
  return crypto::sha256(json.take()).text();
}

SignedOrder sign_order(const WorkOrder& order, const crypto::SigningKey& key) {
  std::string text = encode_work_order(order);
  const crypto::Signature signature = key.sign(message_of(text));
  return {std::move(text), signature, key.public_key()};
}

bool is_signed_by(std::string_view text, const crypto::Signature& signature,
                  const crypto::PublicKey& key) {
  return crypto::verify(message_of(text), signature, key);
}

}  // namespace muster::model
