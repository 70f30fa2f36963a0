// SPDX-License-Identifier: Apache-2.0
#include "agent/order_check.h"

#include <algorithm>

namespace muster::agent {

namespace {

Error refuse(std::string why) {
  return invalid_field("order", std::move(why));
}

}  // namespace

Result<std::vector<crypto::PublicKey>> task_keys(const std::vector<std::string>& pinned) {
  std::vector<crypto::PublicKey> keys;
  for (const std::string& text : pinned) {
    const auto key = crypto::parse_public_key(text);
    if (!key) {
      return invalid_field("policy.trusted_task_keys",
                           "must be Ed25519 public keys in hexadecimal or base64");
    }
    keys.push_back(*key);
  }
  return keys;
}

Result<model::WorkOrder> accept_order(std::string_view text, std::string_view signature,
                                      const OrderJudge& judge) {
  if (text.empty() || signature.empty()) return refuse("is missing: the task is not signed");
  const auto octets = crypto::parse_signature(signature);
  if (!octets) return refuse("has a signature that is none");
  const bool trusted = std::any_of(
      judge.keys.begin(), judge.keys.end(),
      [&](const crypto::PublicKey& key) { return model::is_signed_by(text, *octets, key); });
  if (!trusted) return refuse("is signed by no key that this host trusts");
  model::WorkOrder order = TRY(model::parse_work_order(text));
  if (order.agent != judge.agent) return refuse("is for another agent");
  if (order.org != judge.org) return refuse("is of another organisation");
  if (judge.server_time < order.not_before) return refuse("is not valid yet");
  if (judge.latest >= order.expires_at) return refuse("has expired");
  return order;
}

Result<void> match_order(const model::WorkOrder& order, const Assignment& assignment) {
  const std::string_view member = model::first_difference(order, assignment.work);
  if (member.empty()) return {};
  return invalid_field(std::string(member), "is not what was signed");
}

}  // namespace muster::agent
