// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/signing.h"
#include "model/task.h"

/// A task as an operator signs it, on a machine that need not be the server's (docs/adr/0017).
namespace muster::model {

using OrderId = UuidId<struct OrderTag>;  // 128 random bits

/// What one agent is told to do, once.
struct WorkOrder {
  OrderId id;
  std::string org;  // as agents are told it
  AgentId agent;
  TaskType type = TaskType::execute_command;
  std::string command;
  std::string test_uuid;
  std::string binary_name;
  std::string binary_sha256;
  std::vector<std::string> arguments;
  std::int64_t execution_timeout_seconds = 0;
  std::string env_sha256;  // digest_of_env(); empty without variables
  Instant not_before;
  Instant expires_at;
};

OrderId make_order_id(Rng& rng);

/// The one text of an order: a JSON object, its version first, then its members in the order of the
/// struct.
std::string encode_work_order(const WorkOrder& order);
/// Fails with invalid_field naming `order` for any text that encode_work_order does not yield, and
/// for one over limits::order_bytes.
Result<WorkOrder> parse_work_order(std::string_view text);

/// What of the work differs, as the task names it ("command"); empty if both say the same. Ids of
/// orders and their times are no work.
std::string_view first_difference(const WorkOrder& a, const WorkOrder& b);

/// Of environment variables, whatever their order: 64 hexadecimal digits; empty for none. An order
/// keeps no secret: who signs adds a variable that nobody can guess (order_salt).
std::string digest_of_env(std::vector<std::pair<std::string, std::string>> variables);
inline constexpr std::string_view order_salt = "MUSTER_ORDER_SALT";

SignedOrder sign_order(const WorkOrder& order, const crypto::SigningKey& key);
/// Whether the signature is of this text, as an order, by that key: what is signed begins with a
/// line of its own, so nothing else that is signed with the same key is ever an order.
bool is_signed_by(std::string_view text, const crypto::Signature& signature,
                  const crypto::PublicKey& key);

}  // namespace muster::model
