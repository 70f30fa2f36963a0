// SPDX-License-Identifier: Apache-2.0
#include "fleet/announcements.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <tuple>

#include "base/check.h"
#include "base/limits.h"
#include "base/text.h"
#include "fleet/agent_scripts.h"
#include "fleet/host_directory.h"
#include "fleet/known_packages.h"
#include "fleet/presence.h"
#include "fleet/set_hashes.h"
#include "fleet/settings.h"
#include "store/sql/agents.h"
#include "store/sql/clones.h"
#include "store/sql/keys.h"
#include "store/sql/operator_grants.h"
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
constexpr std::string_view tasks_kind = "tasks";
constexpr std::string_view host_kind = "host";
constexpr std::string_view silence_kind = "silence";
constexpr std::string_view settings_kind = "settings";
constexpr std::string_view agent_scripts_kind = "agent_scripts";
constexpr std::string_view identities_kind = "identities";

std::int64_t number_of(const store::AnnouncementRow& announcement) {
  const auto number = parse_int(announcement.subject);
  CHECK(number.has_value());
  return *number;
}

AgentId agent_of(const store::AnnouncementRow& announcement) {
  const Result<Uuid> id = parse_uuid(announcement.subject);
  CHECK(id.ok());
  return AgentId{*id};
}

void follow_agent(store::Reader& reader, const SharedMemory& memory,
                  const store::AnnouncementRow& announcement) {
  const auto agent = store::find_agent(reader, announcement.org, agent_of(announcement));
  if (!agent) return;
  memory.credentials.splits.follow(agent->id, store::find_clone(reader, agent->org, agent->id));
  memory.credentials.follow_agent(*agent);
  memory.presence.follow_agent(reader, *agent);
}

void follow_host(store::Reader& reader, const SharedMemory& memory,
                 const store::AnnouncementRow& announcement) {
  const HostId id{number_of(announcement)};
  const auto host = store::find_host(reader, announcement.org, id);
  if (!host) {
    memory.directory.erase(id);
    memory.marks.erase(id);
    memory.presence.remove_host(id);
    return;
  }
  memory.directory.set(*host);
  memory.marks.set(host->id, ReportMarks::of(*host));
}

void follow_enrolment_token(store::Reader& reader, Credentials& credentials,
                            const store::AnnouncementRow& announcement) {
  const auto token =
      store::find_enrolment_token(reader, announcement.org, TokenId{number_of(announcement)});
  if (token) credentials.follow_enrolment_token(*token, store::is_usable(reader, *token));
}

void follow_session(store::Reader& reader, Credentials& credentials,
                    const store::AnnouncementRow& announcement) {
  const auto session = store::find_session(reader, SessionId{number_of(announcement)});
  if (!session) return;
  const auto token = store::find_operator_token(reader, session->operator_id);
  CHECK(token.has_value());
  credentials.follow_session(*session, *token);
}

void follow_sign_in_link(store::Reader& reader, Credentials& credentials,
                         const store::AnnouncementRow& announcement) {
  const auto octets = from_hex(announcement.subject);
  crypto::KeyHash hash;
  CHECK(octets && octets->size() == hash.bytes.size());
  std::copy(octets->begin(), octets->end(), hash.bytes.begin());
  if (const auto link = store::find_sign_in_link(reader, hash)) {
    credentials.follow_sign_in_link(*link);
  }
}

void follow_announcement(store::Reader& reader, const SharedMemory& memory,
                         const store::AnnouncementRow& announcement) {
  Credentials& credentials = memory.credentials;
  const std::string_view kind = announcement.kind;
  if (kind == agent_kind) {
    follow_agent(reader, memory, announcement);
  } else if (kind == host_kind) {
    follow_host(reader, memory, announcement);
  } else if (kind == silence_kind) {
    memory.presence.follow_silence(reader, announcement.subject.empty()
                                               ? std::nullopt
                                               : std::optional(agent_of(announcement)));
  } else if (kind == enrolment_token_kind) {
    follow_enrolment_token(reader, credentials, announcement);
  } else if (kind == inventory_key_kind) {
    const auto key =
        store::find_inventory_key(reader, announcement.org, KeyId{number_of(announcement)});
    if (key) credentials.follow_inventory_key(*key);
  } else if (kind == operator_token_kind) {
    const OperatorId id{number_of(announcement)};
    const auto token = store::find_operator_token(reader, id);
    if (token) credentials.follow_operator_token(*token);
    credentials.grants.follow(id, store::list_grants_of_operator(reader, id));
  } else if (kind == session_kind) {
    follow_session(reader, credentials, announcement);
  } else if (kind == sign_in_link_kind) {
    follow_sign_in_link(reader, credentials, announcement);
  } else if (kind == settings_kind) {
    const std::string_view subject = announcement.subject;
    const std::size_t slash = subject.find('/');
    CHECK(slash != std::string_view::npos);
    memory.settings.follow(reader, announcement.org, subject.substr(0, slash),
                           subject.substr(slash + 1));
  } else if (kind == agent_scripts_kind) {
    memory.scripts.load(reader);
  } else if (kind == identities_kind) {
    memory.packages.forget_verdicts_of(announcement.org);
  }
  // Other kinds are a newer server's, which runs beside this one during an upgrade.
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
void announce_tasks(store::Tx& tx, OrgId org, AgentId agent) {
  tx.announce({tasks_kind, org, agent.text()});
}
void announce_host(store::Tx& tx, OrgId org, HostId host) {
  tx.announce({host_kind, org, std::to_string(host.value)});
}
void announce_silence(store::Tx& tx, std::span<const AgentId> agents) {
  if (agents.size() > limits::silences_announced_alone) {
    tx.announce({silence_kind, OrgId{0}, ""});
    return;
  }
  for (const AgentId agent : agents) tx.announce({silence_kind, OrgId{0}, agent.text()});
}
void announce_settings(store::Tx& tx, OrgId owner, std::string_view scope,
                       std::string_view scope_id) {
  tx.announce({settings_kind, owner, std::string(scope) + "/" + std::string(scope_id)});
}
void announce_agent_scripts(store::Tx& tx) {
  tx.announce({agent_scripts_kind, OrgId{0}, ""});
}
void announce_identities(store::Tx& tx, OrgId org) {
  tx.announce({identities_kind, org, ""});
}

void follow_announcements(store::Reader& reader, const SharedMemory& memory, std::int64_t node,
                          const std::vector<store::AnnouncementRow>& announced) {
  // Each row is read as it is now, whoever changed it how often.
  std::set<std::tuple<std::string_view, std::int64_t, std::string_view>> followed;
  std::vector<std::pair<OrgId, AgentId>> with_tasks;
  for (const store::AnnouncementRow& one : announced) {
    if (one.node == node || !followed.emplace(one.kind, one.org.value, one.subject).second) {
      continue;
    }
    if (one.kind == tasks_kind) {
      with_tasks.emplace_back(one.org, agent_of(one));
    } else {
      follow_announcement(reader, memory, one);
    }
  }
  memory.presence.follow_tasks(reader, with_tasks);
}

}  // namespace muster::fleet
