// SPDX-License-Identifier: Apache-2.0
#include "model/task_payload.h"

#include "base/check.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "base/text.h"

namespace muster::model {

namespace {

void write_texts(JsonWriter& json, std::string_view name, const std::vector<std::string>& texts) {
  json.key(name).begin_array();
  for (const std::string& text : texts) json.value(text);
  json.end_array();
}

void write_metadata(JsonWriter& json, const TestMetadata& metadata) {
  json.key("metadata")
      .begin_object()
      .member("category", metadata.category)
      .member("subcategory", metadata.subcategory)
      .member("severity", metadata.severity);
  write_texts(json, "techniques", metadata.techniques);
  write_texts(json, "tactics", metadata.tactics);
  json.member("threat_actor", metadata.threat_actor);
  write_texts(json, "target", metadata.target);
  json.member("complexity", metadata.complexity);
  write_texts(json, "tags", metadata.tags);
  json.member("score", metadata.score);
  write_texts(json, "integrations", metadata.integrations);
  json.end_object();
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
      .member("execution_timeout", execution_timeout_seconds);
  write_texts(json, "arguments", payload.arguments);
  json.member("command", payload.command);
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
