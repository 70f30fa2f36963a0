// SPDX-License-Identifier: Apache-2.0
#include "fleet/credentials.h"

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "model/enrolment.h"
#include "store/sql/agents.h"
#include "store/sql/clones.h"
#include "store/sql/keys.h"
#include "store/sql/operator_grants.h"
#include "store/sql/sessions.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

std::optional<std::int64_t> retired_key(const model::AgentKeys& keys) {
  return keys.former_accepted ? std::nullopt : keys.former;
}

std::vector<std::int64_t> accepted(const model::AgentKeys& keys) {
  std::vector<std::int64_t> generations = {keys.current};
  for (std::int64_t repeat = 1; !keys.used && repeat <= keys.issued; ++repeat) {
    generations.push_back(repeat);
  }
  if (keys.offered) generations.push_back(*keys.offered);
  if (keys.former_accepted && keys.former) generations.push_back(*keys.former);
  return generations;
}

std::optional<AgentId> alias_of(const model::Agent& agent) {
  if (!agent.origin) return std::nullopt;
  return agent.origin->alias;
}

/// Whether a key proves the agent at all.
bool is_proved_by_key(const model::Agent& agent) {
  return model::keeps_keys(agent.status) || model::may_return(agent);
}

}  // namespace

std::optional<http::Role> role_on_server(const store::OperatorToken& token) {
  if (token.role == http::role_name(http::Role::none)) return http::Role::none;
  return http::parse_role(token.role);
}

void GrantTable::follow(OperatorId id, const std::vector<store::OperatorGrant>& grants) {
  auto roles = std::make_shared<std::vector<http::OrgRole>>();
  for (const store::OperatorGrant& grant : grants) {
    if (const auto role = http::parse_role(grant.role)) roles->push_back({grant.org, *role});
  }
  roles_.with([&](Roles& all) {
    if (roles->empty()) {
      all.erase(id);
    } else {
      all.insert_or_assign(id, std::move(roles));
    }
  });
}

void Credentials::load(store::Reader& reader, Instant now) {
  for (const store::CloneRow& clone : store::list_splits(reader)) splits.follow(clone.agent, clone);
  for (const model::Agent& agent : store::list_agents(reader)) {
    if (is_proved_by_key(agent)) set_agent(agent);
  }
  for (const auto& key : store::list_inventory_keys(reader)) follow_inventory_key(key);
  const auto operator_tokens = store::list_operator_tokens(reader);
  for (const auto& token : operator_tokens) follow_operator_token(token);
  const auto granted = store::list_operator_grants(reader);
  for (auto first = granted.begin(); first != granted.end();) {
    const auto last = std::find_if(first, granted.end(), [&](const auto& grant) {
      return grant.operator_id != first->operator_id;
    });
    grants.follow(first->operator_id, {first, last});
    first = last;
  }
  for (const auto& session : store::list_live_sessions(reader, now)) {
    const auto owner =
        std::find_if(operator_tokens.begin(), operator_tokens.end(),
                     [&](const auto& token) { return token.id == session.operator_id; });
    if (owner != operator_tokens.end()) follow_session(session, *owner);
  }
  for (const auto& link : store::list_waiting_links(reader, now)) follow_sign_in_link(link);
  for (const auto& token : store::list_usable_enrolment_tokens(reader)) {
    follow_enrolment_token(token, true);
  }
}

void Credentials::follow_agent(const model::Agent& agent) {
  const bool live = is_proved_by_key(agent);
  if (live) {
    set_agent(agent);
  } else {
    offered.keep_only(agent.id, std::nullopt);
  }
  const std::int64_t newest = model::newest(agent.keys);
  for (std::int64_t generation = 0; generation <= newest; ++generation) {
    const crypto::KeyHash hash = hash_of(agent, generation);
    if (!live || generation != retired_key(agent.keys)) retired.erase(hash);
    if (live && model::use_of(agent.keys, generation) != model::KeyUse::refused) continue;
    agents.erase(hash);
  }
}

void Credentials::follow_inventory_key(const store::InventoryKey& key) {
  if (key.revoked_at) {
    inventory_keys.erase(key.hash);
  } else {
    inventory_keys.set(key.hash, {key.org, key.id, static_cast<std::uint8_t>(key.scopes)});
  }
}

void Credentials::follow_operator_token(const store::OperatorToken& token) {
  // A role that this server does not know is a newer one's: nothing is safe to allow for it.
  const auto role = role_on_server(token);
  if (token.revoked_at || !role) {
    operators.erase(token.hash);
  } else {
    operators.set(token.hash, {token.id, *role, token.expires_at});
  }
}

void Credentials::follow_session(const store::Session& session,
                                 const store::OperatorToken& operator_token) {
  const auto role = role_on_server(operator_token);
  if (session.ended_at || operator_token.revoked_at || !role) {
    sessions.erase(session.hash);
    return;
  }
  const bool known = sessions.with(session.hash, [&](SessionCredential& entry) {
    entry.used_at = std::max(entry.used_at, session.used_at);
    entry.kept_at = std::max(entry.kept_at, session.used_at);
  });
  if (known) return;
  const Instant expires_at =
      std::min(session.expires_at, operator_token.expires_at.value_or(session.expires_at));
  sessions.set(session.hash, {session.id, session.operator_id, *role, expires_at, session.used_at,
                              session.used_at});
}

void Credentials::follow_sign_in_link(const store::SignInLink& link) {
  if (link.used_at) {
    sign_in_links.erase(link.hash);
  } else {
    sign_in_links.set(link.hash, {link.operator_id, link.expires_at});
  }
}

void Credentials::follow_enrolment_token(const store::EnrolmentToken& token, bool usable) {
  if (!usable) {
    enrolment_tokens.erase(token.hash);
  } else {
    enrolment_tokens.set(token.hash, {token.org, token.id, token.expires_at, token.terms});
  }
}

std::string Credentials::agent_key(AgentId agent, std::int64_t generation) const {
  const crypto::KeyHash secret =
      keyed_hash_.derive("agent key", agent.text() + "/" + std::to_string(generation));
  return "ak_" + to_hex(secret.bytes);
}

crypto::KeyHash Credentials::hash_of(const model::Agent& agent, std::int64_t generation) const {
  if (generation == agent.keys.current) return agent.key_hash;
  return hash(agent_key(agent.id, generation));
}

void Credentials::set_agent(const model::Agent& agent) {
  AgentCredential credential;
  credential.org = agent.org;
  credential.agent = agent.id;
  credential.alias = alias_of(agent);
  credential.host = agent.host;
  credential.offered = agent.keys.offered.value_or(0);
  credential.disabled = agent.status == model::AgentStatus::disabled;
  credential.uninstalled = agent.status == model::AgentStatus::uninstalled;
  credential.splitting = splits.has(agent.id);
  if (model::may_return(agent)) credential.superseded_at = agent.superseded_at;
  for (const std::int64_t generation : accepted(agent.keys)) {
    credential.generation = generation;
    credential.first_use = model::use_of(agent.keys, generation) == model::KeyUse::first;
    const crypto::KeyHash hash = hash_of(agent, generation);
    const bool known = agents.with(hash, [&](AgentCredential& entry) {
      credential.window = entry.window;
      credential.skewed = entry.skewed;
      entry = credential;
    });
    if (!known) agents.set(hash, credential);
    credential.window = {};
    credential.skewed = false;
  }
  retire_former_key(agent);
  offered.keep_only(agent.id, agent.keys.offered);
}

void Credentials::retire_former_key(const model::Agent& agent) {
  const auto generation = retired_key(agent.keys);
  if (!generation) return;
  const crypto::KeyHash hash = hash_of(agent, *generation);
  const bool known = retired.with(hash, [&](RetiredKey& key) { key.host = agent.host; });
  if (known) return;
  retired.set(hash, {agent.org, agent.id, alias_of(agent), agent.host, *generation, {}});
}

void Credentials::set_agent(const model::Agent& agent, const model::Agent& before) {
  set_agent(agent);
  for (const std::int64_t generation : accepted(before.keys)) {
    if (model::use_of(agent.keys, generation) == model::KeyUse::refused) {
      agents.erase(hash_of(before, generation));
    }
  }
  const auto formerly = retired_key(before.keys);
  if (formerly && formerly != retired_key(agent.keys)) retired.erase(hash_of(before, *formerly));
}

void Credentials::erase_agent(const model::Agent& agent) {
  for (const std::int64_t generation : accepted(agent.keys)) {
    agents.erase(hash_of(agent, generation));
  }
  offered.keep_only(agent.id, std::nullopt);
  if (const auto generation = retired_key(agent.keys)) retired.erase(hash_of(agent, *generation));
}

}  // namespace muster::fleet
