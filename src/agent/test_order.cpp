// SPDX-License-Identifier: Apache-2.0
#include "agent/test_order.h"

#include <algorithm>

#include "agent/bounds.h"
#include "base/ids.h"
#include "base/text.h"

namespace muster::agent {

namespace {

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_program_name(std::string_view name) {
  return !name.empty() && name.front() != '.' && std::all_of(name.begin(), name.end(), [](char c) {
    return is_alphanumeric(c) || c == '.' || c == '_' || c == '-';
  });
}

bool has_nul(std::string_view text) {
  return text.find('\0') != std::string_view::npos;
}

Result<void> read_arguments(const Json& payload, TestOrder& order) {
  const auto list = payload.find("arguments");
  if (!list || list->is_null()) return {};
  if (!list->is_array() || list->size() > limits::env_vars) {
    return invalid_field("arguments", "must be a short list of strings");
  }
  bool sound = true;
  list->for_each([&](const Json& element) {
    const auto text = element.string();
    sound = sound && text && text->size() <= limits::env_var_value_bytes && !has_nul(*text);
    if (sound) order.arguments.emplace_back(*text);
  });
  if (!sound) return invalid_field("arguments", "holds what is no argument");
  return {};
}

}  // namespace

Result<TestOrder> read_test_order(const Json& payload) {
  Fields fields(payload, "payload");
  TestOrder order;
  const std::string_view uuid = fields.text("test_uuid", limits::name_bytes);
  order.name = fields.text("binary_name", limits::name_bytes);
  const auto sha256 = crypto::parse_sha256(fields.text("binary_sha256", limits::name_bytes));
  order.size = fields.integer("binary_size", 1, static_cast<std::int64_t>(bounds::test_bytes));
  if (!fields.failed() && !is_program_name(order.name)) {
    fields.fail("binary_name", "must be of letters, digits, dots, underscores and hyphens");
  }
  if (!sha256) fields.fail("binary_sha256", "is no SHA-256");
  TRY(fields.finish());
  order.uuid = TRY(parse_uuid(uuid)).text();
  order.sha256 = *sha256;
  TRY(read_arguments(payload, order));
  return order;
}

std::string read_bundle(std::string_view text, std::string_view test_uuid) {
  JsonDocument document;
  const auto root = document.parse(text);
  if (!root.ok() || !root->is_object()) return {};
  const auto id = root->find("bundle_id");
  const auto controls = root->find("controls");
  if (!id || !equal_folded(id->string().value_or(""), test_uuid)) return {};
  if (!controls || !controls->is_array()) return {};
  return root->serialise();
}

}  // namespace muster::agent
