// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/ids.h"
#include "fleet/credentials.h"
#include "store/sql/nodes.h"

namespace muster::store {
class Tx;
}

namespace muster::fleet {

/// For every change of what Credentials holds, in the transaction of the change: the other servers
/// on the database read the named row anew.
void announce_agent(store::Tx& tx, OrgId org, AgentId agent);
void announce_enrolment_token(store::Tx& tx, OrgId org, TokenId token);
void announce_inventory_key(store::Tx& tx, OrgId org, KeyId key);
void announce_operator_token(store::Tx& tx, OperatorId token);
void announce_session(store::Tx& tx, SessionId session);
void announce_sign_in_link(store::Tx& tx, const crypto::KeyHash& link);

/// Reads what another server announced; `credentials` follow on commit.
void follow_announcement(store::Tx& tx, Credentials& credentials,
                         const store::AnnouncementRow& announcement);

}  // namespace muster::fleet
