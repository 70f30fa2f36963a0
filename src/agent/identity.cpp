// SPDX-License-Identifier: Apache-2.0
#include "agent/identity.h"

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/limits.h"

namespace muster::agent {

namespace {

void write_members(JsonWriter& json, const Identity& identity) {
  json.member("server_url", identity.server_url)
      .member("agent_id", identity.agent)
      .member("org_id", identity.org)
      .member("update_public_key", identity.update_public_key)
      .member("ca_file", identity.ca_file);
}

Result<Identity> read_members(Fields& fields) {
  Identity identity;
  identity.server_url = fields.text("server_url", limits::path_bytes);
  const std::string_view agent = fields.text("agent_id", limits::name_bytes);
  identity.org = fields.optional_text("org_id", limits::name_bytes).value_or("");
  identity.update_public_key =
      fields.optional_text("update_public_key", limits::key_bytes).value_or("");
  identity.ca_file = fields.optional_text("ca_file", limits::path_bytes).value_or("");
  TRY(fields.finish());
  identity.agent = AgentId{TRY(parse_uuid(agent))};
  return identity;
}

}  // namespace

std::string encode_identity(const Identity& identity) {
  JsonWriter json;
  json.begin_object();
  write_members(json, identity);
  json.member("key", identity.key).member("pending_key", identity.pending_key).end_object();
  return json.take() + "\n";
}

std::string encode_sealed_identity(const Identity& identity, const std::string& sealed_keys) {
  JsonWriter json;
  json.begin_object();
  write_members(json, identity);
  json.member("sealed_keys", sealed_keys).end_object();
  return json.take() + "\n";
}

Result<Identity> decode_identity(std::string_view text) {
  Fields fields(TRY(thread_json().parse(text)));
  if (fields.has("sealed_keys")) {
    return Error{Errc::invalid_field, "its keys were sealed on another machine: enrol this one"};
  }
  const std::string key(fields.text("key", limits::key_bytes));
  const std::string pending(fields.optional_text("pending_key", limits::key_bytes).value_or(""));
  Identity identity = TRY(read_members(fields));
  identity.key = key;
  identity.pending_key = pending;
  return identity;
}

Result<Identity> decode_sealed_identity(std::string_view text) {
  JsonDocument document;
  Fields fields(TRY(document.parse(text)));
  return read_members(fields);
}

}  // namespace muster::agent
