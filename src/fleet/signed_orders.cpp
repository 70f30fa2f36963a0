// SPDX-License-Identifier: Apache-2.0
#include "fleet/signed_orders.h"

#include <algorithm>

#include "base/json_read.h"

namespace muster::fleet {

namespace {

/// `env_vars` is an object of texts, as it was checked when it came.
std::string digest_of(const std::string& env_vars) {
  if (env_vars.empty()) return {};
  JsonDocument document;
  std::vector<std::pair<std::string, std::string>> variables;
  document.parse(env_vars).value().for_each_member([&](std::string_view name, const Json& value) {
    variables.emplace_back(name, value.string().value_or(""));
  });
  return model::digest_of_env(std::move(variables));
}

}  // namespace

Result<std::vector<crypto::PublicKey>> task_roots(const Config& config) {
  std::vector<crypto::PublicKey> roots;
  for (const std::string& text : config.tasks_require_offline_signature) {
    const auto key = crypto::parse_public_key(text);
    if (!key) {
      return invalid_field("tasks.require_offline_signature",
                           "must hold Ed25519 public keys in hexadecimal or base64");
    }
    roots.push_back(*key);
  }
  return roots;
}

Result<void> check_signatures(const TaskOrder& order, const std::vector<crypto::PublicKey>& roots,
                              Instant now) {
  if (order.orders.empty()) {
    if (roots.empty()) return {};
    return Error{Errc::missing_field,
                 "orders: this server takes signed tasks only ([tasks] require_offline_signature): "
                 "use muster tasks create --sign-key",
                 "orders"};
  }
  if (order.orders.size() != order.agents.size()) {
    return invalid_field("orders", "must be one for each of agent_ids");
  }
  for (std::size_t i = 0; i < order.orders.size(); ++i) {
    const auto refuse = [&](const char* member, std::string why) {
      return invalid_field("orders[" + std::to_string(i) + "]." + member, std::move(why));
    };
    const auto& [sealed, says] = order.orders[i];
    const bool is_root = std::find(roots.begin(), roots.end(), sealed.signer) != roots.end();
    if (!roots.empty() && !is_root) {
      return refuse("public_key", "is none of [tasks] require_offline_signature");
    }
    if (!model::is_signed_by(sealed.text, sealed.signature, sealed.signer)) {
      return refuse("signature", "does not hold under that public key");
    }
    if (says.expires_at <= now) return refuse("order.expires", "has passed by the server's clock");
    if (says.not_before > now) {
      return refuse("order.not_before",
                    "is still to come by the server's clock: tasks are given "
                    "out at once");
    }
  }
  return {};
}

Result<void> match_order(const model::WorkOrder& signed_order, const model::Task& task,
                         const model::TaskPayload& payload, const std::string& env_vars) {
  model::WorkOrder work;
  work.org = std::to_string(task.org.value);
  work.agent = task.agent;
  work.type = task.type;
  work.command = payload.command;
  work.test_uuid = payload.test_uuid;
  work.binary_name = payload.binary_name;
  work.binary_sha256 = payload.binary_sha256;
  work.arguments = payload.arguments;
  work.execution_timeout_seconds = task.execution_timeout_seconds;
  work.env_sha256 = digest_of(env_vars);
  const std::string_view member = model::first_difference(signed_order, work);
  if (member.empty()) return {};
  return invalid_field(std::string(member),
                       "is not what was signed for agent " + task.agent.text());
}

}  // namespace muster::fleet
