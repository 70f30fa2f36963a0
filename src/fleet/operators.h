// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "fleet/credentials.h"
#include "fleet/history.h"
#include "http/role.h"
#include "store/sql/keys.h"

namespace muster::store {
class Store;
class Tx;
}  // namespace muster::store

/// Operators: whoever holds one of these tokens, a person or a program, for the whole server.
namespace muster::fleet {

struct OperatorOrder {
  std::string name;
  http::Role role = http::Role::read_only;
  Duration ttl{};  // of the token; zero never ends
};
struct CreatedOperator {
  OperatorId id;
  std::string token;  // shown this once
  std::optional<Instant> expires_at;
};
CreatedOperator create_operator(store::Tx& tx, NumberIds& ids, Rng& rng, Credentials& credentials,
                                const Actor& actor, const OperatorOrder& order, Instant now);

/// Whether the operator's token is neither revoked nor over.
bool is_active(const store::OperatorToken& token, Instant now);

/// Ends the operator's token, password, sessions and sign-in links; a repeat changes nothing.
/// `role` is of who asks: nobody ends what is above itself. Fails with not_found and
/// insufficient_role.
Result<store::OperatorToken> revoke_operator(store::Tx& tx, NumberIds& ids,
                                             Credentials& credentials, const Actor& actor,
                                             http::Role role, OperatorId id, Instant now);

/// All of them, in the order of their creation.
std::vector<store::OperatorToken> list_operators(store::Store& store);
/// Fails with not_found.
Result<store::OperatorToken> find_operator(store::Store& store, OperatorId id);

}  // namespace muster::fleet
