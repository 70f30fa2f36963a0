// SPDX-License-Identifier: Apache-2.0
#include "fleet/announcements.h"

#include <algorithm>

#include "base/check.h"
#include "base/text.h"
#include "store/sql/agents.h"
#include "store/sql/clones.h"
#include "store/sql/keys.h"
#include "store/sql/sessions.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

constexpr std::string_view agent_kind = "agent";
constexpr std::string_view enrolment_token_kind = "enrolment_token";
constexpr std::string_view inventory_key_kind = "inventory_key";
constexpr std::string_view operator_token_kind = "operator_token";
constexpr std::string_view session_kind = "session";
constexpr std::string_view sign_in_link_kind = "sign_in_link";

std::int64_t number_of(const store::AnnouncementRow& announcement) {
  const auto number = parse_int(announcement.subject);
  CHECK(number.has_value());
  return *number;
}

}  // namespace

void announce_agent(store::Tx& tx, OrgId org, AgentId agent) {
  tx.announce({agent_kind, org, agent.text()});
}
void announce_enrolment_token(store::Tx& tx, OrgId org, TokenId token) {
  tx.announce({enrolment_token_kind, org, std::to_string(token.value)});
}
void announce_inventory_key(store::Tx& tx, OrgId org, KeyId key) {
  tx.announce({inventory_key_kind, org, std::to_string(key.value)});
}
void announce_operator_token(store::Tx& tx, OperatorId token) {
  tx.announce({operator_token_kind, OrgId{0}, std::to_string(token.value)});
}
void announce_session(store::Tx& tx, SessionId session) {
  tx.announce({session_kind, OrgId{0}, std::to_string(session.value)});
}
void announce_sign_in_link(store::Tx& tx, const crypto::KeyHash& link) {
  tx.announce({sign_in_link_kind, OrgId{0}, to_hex(link.bytes)});
}

void follow_announcement(store::Tx& tx, Credentials& credentials,
                         const store::AnnouncementRow& announcement) {
  if (announcement.kind == agent_kind) {
    const Result<Uuid> id = parse_uuid(announcement.subject);
    CHECK(id.ok());
    const auto agent = store::find_agent(tx, announcement.org, AgentId{*id});
    if (!agent) return;
    const auto clone = store::find_clone(tx, agent->org, agent->id);
    tx.on_commit([&credentials, agent = *agent, clone] {
      credentials.splits.follow(agent.id, clone);
      credentials.follow_agent(agent);
    });
  } else if (announcement.kind == enrolment_token_kind) {
    const auto token =
        store::find_enrolment_token(tx, announcement.org, TokenId{number_of(announcement)});
    if (!token) return;
    const bool usable = store::is_usable(tx, *token);
    tx.on_commit([&credentials, token = *token, usable] {
      credentials.follow_enrolment_token(token, usable);
    });
  } else if (announcement.kind == inventory_key_kind) {
    const auto key =
        store::find_inventory_key(tx, announcement.org, KeyId{number_of(announcement)});
    if (!key) return;
    tx.on_commit([&credentials, key = *key] { credentials.follow_inventory_key(key); });
  } else if (announcement.kind == operator_token_kind) {
    const auto token = store::find_operator_token(tx, OperatorId{number_of(announcement)});
    if (!token) return;
    tx.on_commit([&credentials, token = *token] { credentials.follow_operator_token(token); });
  } else if (announcement.kind == session_kind) {
    const auto session = store::find_session(tx, SessionId{number_of(announcement)});
    if (!session) return;
    const auto token = store::find_operator_token(tx, session->operator_id);
    CHECK(token.has_value());
    tx.on_commit([&credentials, session = *session, token = *token] {
      credentials.follow_session(session, token);
    });
  } else if (announcement.kind == sign_in_link_kind) {
    const auto octets = from_hex(announcement.subject);
    crypto::KeyHash hash;
    CHECK(octets && octets->size() == hash.bytes.size());
    std::copy(octets->begin(), octets->end(), hash.bytes.begin());
    const auto link = store::find_sign_in_link(tx, hash);
    if (!link) return;
    tx.on_commit([&credentials, link = *link] { credentials.follow_sign_in_link(link); });
  }
  // Other kinds are a newer server's, which runs beside this one during an upgrade.
}

}  // namespace muster::fleet
