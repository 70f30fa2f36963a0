// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "fleet/credentials.h"
#include "fleet/history.h"
#include "http/role.h"
#include "store/sql/keys.h"
#include "store/sql/operator_grants.h"

namespace muster::store {
class Reader;
class Store;
class Tx;
}  // namespace muster::store

/// Operators: whoever holds one of these tokens, a person or a program, with a role on the whole
/// server, roles in organisations, or both (docs/adr/0025).
namespace muster::fleet {

struct OperatorOrder {
  std::string name;
  http::Role role = http::Role::read_only;
  Duration ttl{};                 // of the token; zero never ends
  std::optional<OrgId> org = {};  // where the role is held; nothing: on the whole server
};
struct CreatedOperator {
  OperatorId id;
  std::string token;  // shown this once
  std::optional<Instant> expires_at;
};
CreatedOperator create_operator(store::Tx& tx, NumberIds& ids, Rng& rng, Credentials& credentials,
                                const Actor& actor, const OperatorOrder& order, Instant now);

/// Fails with name_taken when an operator whose token is good has the name: the audit log and the
/// console tell operators by it, and only one may sign in under it.
Result<void> check_operator_name(store::Reader& reader, std::string_view name, Instant now);

/// Whether the operator's token is neither revoked nor over.
bool is_active(const store::OperatorToken& token, Instant now);

/// An operator with what it was granted in organisations, in their order.
struct OperatorView {
  store::OperatorToken token;
  std::vector<store::OperatorGrant> grants;
};

/// Whether `authority` may end or change the operator as a whole: an administrator wherever the
/// operator has a role, and nowhere below it. Fails with not_found for an operator of whom it does
/// not know, being an administrator nowhere where the operator has a role, and with
/// insufficient_role.
Result<void> check_rank(const http::Authority& authority, const OperatorView& other);

/// Who asks about an operator's ways in: about its own always, about others' as check_rank has it.
struct OperatorAsker {
  OperatorId id;
  http::Authority authority;
  SessionId session;  // 0 with a token
};

/// Moves the end of the operator's token to `ttl` from now (zero: it never ends), also of one that
/// is over: it, the grants and a password are good again. Fails as check_rank, and with
/// illegal_transition for a revoked one.
Result<OperatorView> renew_operator(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                                    const Actor& actor, const http::Authority& authority,
                                    OperatorId id, Duration ttl, Instant now);

/// Ends the operator's token, password, passkeys, identities, sessions and sign-in links; a repeat
/// changes nothing. `authority` is of who asks. Fails as check_rank, and with illegal_transition
/// for the last owner of the server or of an organisation, without whom nobody could appoint
/// another.
Result<OperatorView> revoke_operator(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                                     const Actor& actor, const http::Authority& authority,
                                     OperatorId id, Instant now);

/// What an operator is to be in an organisation.
struct GrantOrder {
  OperatorId operator_id;
  OrgId org;
  http::Role role = http::Role::read_only;
};
/// Grants the role, instead of what the operator had there before; a repeat changes nothing.
/// `authority` is of who asks and is at least an administrator of the organisation. Fails with
/// not_found for an operator of whom it does not know, with insufficient_role where the former or
/// the new role is above its own there, and with illegal_transition for an operator whose token
/// ended and for the last owner.
Result<store::OperatorGrant> grant_role(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                                        const Actor& actor, const http::Authority& authority,
                                        const GrantOrder& order, Instant now);
/// Takes back what the operator was granted in the organisation. Fails like grant_role, and with
/// not_found when it was granted nothing there.
Result<store::OperatorGrant> revoke_grant(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                                          const Actor& actor, const http::Authority& authority,
                                          OperatorId id, OrgId org, Instant now);

/// Those that `authority` knows of, in the order of their creation, and of `org` only if given:
/// with a role on the whole server all, else those who were granted something where it is an
/// administrator, with those grants alone.
std::vector<OperatorView> list_operators(store::Store& store, const http::Authority& authority,
                                         std::optional<OrgId> org);
/// With all grants. Fails with not_found.
Result<OperatorView> find_operator(store::Store& store, OperatorId id);
/// The same, in a transaction.
Result<OperatorView> get_operator(store::Reader& reader, OperatorId id);

}  // namespace muster::fleet
