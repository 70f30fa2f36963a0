// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "fleet/credentials.h"
#include "store/sql/nodes.h"

namespace muster::store {
class Reader;
class Tx;
}  // namespace muster::store

namespace muster::fleet {

class AgentScripts;
class HostDirectory;
class KnownPackages;
class PresenceTable;
class ReportMarks;
class Settings;

/// What a server holds in memory of what several may change.
struct SharedMemory {
  Credentials& credentials;
  PresenceTable& presence;
  HostDirectory& directory;
  Settings& settings;
  ReportMarks& marks;
  AgentScripts& scripts;
  KnownPackages& packages;
};

/// For every change of what SharedMemory holds, in the transaction of the change: the other servers
/// on the database read the named row anew.
void announce_agent(store::Tx& tx, OrgId org, AgentId agent);
void announce_enrolment_token(store::Tx& tx, OrgId org, TokenId token);
void announce_inventory_key(store::Tx& tx, OrgId org, KeyId key);
/// Also what the operator was granted in organisations.
void announce_operator_token(store::Tx& tx, OperatorId token);
void announce_session(store::Tx& tx, SessionId session);
void announce_sign_in_link(store::Tx& tx, const crypto::KeyHash& link);
/// What a poll of the agent may find.
void announce_tasks(store::Tx& tx, OrgId org, AgentId agent);
/// What a host is called, its tags, and what its reporter told of; or that it is no more.
void announce_host(store::Tx& tx, OrgId org, HostId host);
/// Who is silent or flapping: of these agents, or of all when there are many.
void announce_silence(store::Tx& tx, std::span<const AgentId> agents);
/// What is set at a scope (scope_kind_name()), whose owner is 0 for the server.
void announce_settings(store::Tx& tx, OrgId owner, std::string_view scope,
                       std::string_view scope_id);
void announce_agent_scripts(store::Tx& tx);
/// What operators say that packages are.
void announce_identities(store::Tx& tx, OrgId org);

/// Reads what other servers than `node` announced, each thing once, and puts it into memory at
/// once: what is read must be durable (Store::read_before_writes). Throws store::StoreError.
void follow_announcements(store::Reader& reader, const SharedMemory& memory, std::int64_t node,
                          const std::vector<store::AnnouncementRow>& announced);

}  // namespace muster::fleet
