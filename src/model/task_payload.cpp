// SPDX-License-Identifier: Apache-2.0
#include "model/task_payload.h"

#include "base/check.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "base/text.h"

namespace muster::model {

namespace {

void write_metadata(JsonWriter& json, const TestMetadata& metadata) {
  json.key("metadata")
      .begin_object()
      .member("category", metadata.category)
      .member("subcategory", metadata.subcategory)
      .member("severity", metadata.severity)
      .member("techniques", metadata.techniques)
      .member("tactics", metadata.tactics)
      .member("threat_actor", metadata.threat_actor)
      .member("target", metadata.target)
      .member("complexity", metadata.complexity)
      .member("tags", metadata.tags)
      .member("score", metadata.score)
      .member("integrations", metadata.integrations)
      .end_object();
}

}  // namespace

std::string encode_payload(const TaskPayload& payload, std::int64_t execution_timeout_seconds) {
  JsonWriter json;
  json.begin_object()
      .member("test_uuid", payload.test_uuid)
      .member("test_name", payload.test_name)
      .member("binary_name", payload.binary_name)
      .member("binary_sha256", payload.binary_sha256)
      .member("binary_size", payload.binary_size)
      .member("execution_timeout", execution_timeout_seconds)
      .member("arguments", payload.arguments)
      .member("command", payload.command);
  write_metadata(json, payload.metadata);
  json.end_object();
  return json.take();
}

std::string label_of(const TaskPayload& payload) {
  const std::string& label = payload.test_name.empty() ? payload.command : payload.test_name;
  return std::string(cut_utf8(label, limits::task_label_bytes));
}

std::string with_env_vars(std::string_view payload, std::string_view env_vars) {
  if (env_vars.empty()) return std::string(payload);
  CHECK(payload.size() > 2 && payload.ends_with('}'));
  payload.remove_suffix(1);
  return std::string(payload) + ", \"env_vars\": " + std::string(env_vars) + "}";
}

}  // namespace muster::model
