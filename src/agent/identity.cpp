// SPDX-License-Identifier: Apache-2.0
#include "agent/identity.h"

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/limits.h"

namespace muster::agent {

std::string encode_identity(const Identity& identity) {
  JsonWriter json;
  json.begin_object()
      .member("server_url", identity.server_url)
      .member("agent_id", identity.agent)
      .member("key", identity.key)
      .member("pending_key", identity.pending_key)
      .member("org_id", identity.org)
      .member("update_public_key", identity.update_public_key)
      .member("ca_file", identity.ca_file)
      .end_object();
  return json.take() + "\n";
}

Result<Identity> decode_identity(std::string_view text) {
  Fields fields(TRY(thread_json().parse(text)));
  Identity identity;
  identity.server_url = fields.text("server_url", limits::path_bytes);
  const std::string_view agent = fields.text("agent_id", limits::name_bytes);
  identity.key = fields.text("key", limits::key_bytes);
  identity.pending_key = fields.optional_text("pending_key", limits::key_bytes).value_or("");
  identity.org = fields.optional_text("org_id", limits::name_bytes).value_or("");
  identity.update_public_key =
      fields.optional_text("update_public_key", limits::key_bytes).value_or("");
  identity.ca_file = fields.optional_text("ca_file", limits::path_bytes).value_or("");
  TRY(fields.finish());
  identity.agent = AgentId{TRY(parse_uuid(agent))};
  return identity;
}

}  // namespace muster::agent
