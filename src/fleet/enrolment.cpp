// SPDX-License-Identifier: Apache-2.0
#include "fleet/enrolment.h"

#include <algorithm>

#include "base/text.h"
#include "crypto/random.h"
#include "fleet/announcements.h"
#include "fleet/hosts.h"
#include "model/enrolment.h"
#include "store/sql/agents.h"
#include "store/sql/keys.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

/// The same for every token that enrols nobody: unknown, expired, used up, revoked.
Error invalid_token() {
  return {Errc::invalid_token, "Invalid or expired enrollment token"};
}

/// Hosts that an enrolling machine is compared with, of each kind of evidence.
constexpr int known_hosts = 8;

struct Comparison {
  std::vector<model::Host> hosts;
  std::vector<model::KnownHost> known;
};

/// The hosts of the request's machine id and those of its name, each once.
Comparison compare_with_hosts(store::Tx& tx, const PresenceTable& presence, const Config& config,
                              OrgId org, const EnrolmentRequest& request, Instant now) {
  Comparison all;
  if (!request.machine_id.empty()) {
    all.hosts = store::list_hosts_of_machine(tx, org, request.machine_id, known_hosts);
  }
  const bool named_once = all.hosts.size() == 1 && !all.hosts.front().machine_shared;
  if (!named_once) {
    for (model::Host& host : store::list_hosts_named(tx, org, request.hostname, known_hosts)) {
      const auto same = [&](const model::Host& other) { return other.id == host.id; };
      if (std::any_of(all.hosts.begin(), all.hosts.end(), same)) continue;
      all.hosts.push_back(std::move(host));
    }
  }
  all.known.reserve(all.hosts.size());
  for (const model::Host& host : all.hosts) {
    model::KnownHost known;
    known.id = host.id;
    const bool both_known = !host.machine_id.empty() && !request.machine_id.empty();
    known.same_machine = both_known && host.machine_id == request.machine_id;
    known.other_machine = both_known && !known.same_machine;
    known.same_name = equal_folded(host.hostname, request.hostname);
    known.machine_shared = host.machine_shared;
    known.last_seen = host_last_seen(tx, presence, host);
    known.silent = now - known.last_seen >= presence.offline_after(config);
    all.known.push_back(known);
  }
  return all;
}

/// The host that an enrolling agent belongs to, created when there is none.
Result<model::Host> host_of_enrolment(store::Tx& tx, NumberIds& ids, const PresenceTable& presence,
                                      const Config& config, OrgId org,
                                      const EnrolmentRequest& request, Instant now) {
  Comparison all = compare_with_hosts(tx, presence, config, org, request, now);
  if (const auto place = model::place(all.known)) {
    model::Host& host = *std::find_if(all.hosts.begin(), all.hosts.end(),
                                      [&](const auto& known) { return known.id == *place; });
    if (!equal_folded(host.hostname, request.hostname)) {
      TRY(check_hostname_is_free(tx, presence, config, org, request.hostname, now));
    }
    host.hostname = request.hostname;
    host.arch = request.arch;
    host.ip_address = request.ip_address;
    host.last_seen = now;
    if (!request.machine_id.empty()) host.machine_id = request.machine_id;
    store::set_host(tx, host);
    return std::move(host);
  }
  TRY(check_hostname_is_free(tx, presence, config, org, request.hostname, now));
  model::Host fresh;
  fresh.org = org;
  fresh.id = ids.next<HostId>(now);
  fresh.hostname = request.hostname;
  fresh.machine_id = request.machine_id;
  fresh.machine_shared = std::any_of(all.known.begin(), all.known.end(),
                                     [](const auto& known) { return known.same_machine; });
  fresh.os_name = request.os;
  fresh.arch = request.arch;
  fresh.ip_address = request.ip_address;
  fresh.first_seen = now;
  fresh.last_seen = now;
  store::insert_host(tx, fresh);
  return fresh;
}

/// The agent whose enrolment the request repeats, the last of several.
std::optional<model::Agent> repeated_agent(store::Tx& tx, const EnrolmentCredential& token,
                                           const EnrolmentRequest& request) {
  const model::Enrolment enrolment = {token.token, request.hostname, request.os, request.arch,
                                      request.machine_id};
  std::optional<model::Agent> last;
  for (const model::Host& host :
       store::list_hosts_named(tx, token.org, request.hostname, known_hosts)) {
    for (model::Agent& agent : store::list_agents_of_host(tx, token.org, host.id)) {
      if (!model::repeats(enrolment, agent, host.hostname)) continue;
      if (!last || last->id.uuid < agent.id.uuid) last = std::move(agent);
    }
  }
  return last;
}

/// An enrolment with a token that has no use left. It is answered with another key of the agent
/// that it made before, if it repeats the enrolment of one that nobody has heard of since.
Result<Enrolled> repeat_enrolment(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                                  const EnrolmentCredential& token, const EnrolmentRequest& request,
                                  Instant now) {
  const auto row = store::find_enrolment_token(tx, token.org, token.token);
  if (!row || row->revoked_at || now >= row->expires_at) return invalid_token();
  const std::optional<model::Agent> before = repeated_agent(tx, token, request);
  if (!before) return invalid_token();
  model::Agent agent = *before;
  agent.keys = model::repeated(before->keys);
  store::set_agent_keys(tx, agent);
  record_event(
      tx, ids, agent.org, model::EventType::enrolment_repeated, agent.id, agent.host,
      [&](JsonWriter& details) {
        details.member("token_id", token.token)
            .member("key_generation", agent.keys.issued)
            .member("source", request.ip_address);
      },
      now);
  announce_agent(tx, agent.org, agent.id);
  tx.on_commit([&credentials, agent] { credentials.set_agent(agent); });
  return Enrolled{agent.id, agent.org, agent.host,
                  credentials.agent_key(agent.id, agent.keys.issued)};
}

/// Adds what the host does not have of them yet.
void put_tags(store::Tx& tx, model::Host& host, const std::vector<std::string>& tags) {
  const std::size_t had = host.operator_tags.size();
  for (const std::string& tag : tags) {
    const auto& has = host.operator_tags;
    if (std::find(has.begin(), has.end(), tag) == has.end()) host.operator_tags.push_back(tag);
  }
  if (host.operator_tags.size() != had) store::set_host_operator_tags(tx, host);
}

}  // namespace

Result<EnrolmentCredential> prove_token(const Credentials& credentials, std::string_view token,
                                        const EnrolmentRequest& request, Instant now) {
  auto known = credentials.enrolment_tokens.find(credentials.hash(token));
  if (!known || now >= known->expires_at) return invalid_token();
  if (request.org && *request.org != known->org.value) {
    return Error{Errc::organization_forbidden, "The token does not belong to this organization"};
  }
  // Which fence it was would tell a thief of the token where to go with it.
  if (!model::admits(known->terms, request.ip_address, request.os, request.arch)) {
    return Error{Errc::outside_token_fence, "This enrollment token is not for this machine"};
  }
  return std::move(*known);
}

Result<Enrolled> enrol_agent(store::Tx& tx, NumberIds& ids, Rng& rng, Credentials& credentials,
                             PresenceTable& presence, HostDirectory& directory,
                             const Config& config, const EnrolmentCredential& token,
                             const EnrolmentRequest& request, Instant now) {
  if (!store::use_enrolment_token(tx, token.org, token.token, now)) {
    return repeat_enrolment(tx, ids, credentials, token, request, now);
  }
  model::Host host = TRY(host_of_enrolment(tx, ids, presence, config, token.org, request, now));
  put_tags(tx, host, token.terms.tags);
  model::Agent agent;
  agent.org = token.org;
  agent.id = {make_uuid7(rng, now)};
  agent.host = host.id;
  agent.os = request.os;
  agent.arch = request.arch;
  agent.enrolled_at = now;
  agent.token = token.token;
  agent.enrolled_from = request.ip_address;
  agent.machine_id = request.machine_id;
  Enrolled enrolled{agent.id, token.org, host.id, credentials.agent_key(agent.id, 0)};
  agent.key_hash = credentials.hash(enrolled.key);
  store::insert_agent(tx, agent);
  record_event(
      tx, ids, token.org, model::EventType::enrolled, agent.id, host.id,
      [&](JsonWriter& details) {
        details.member("hostname", request.hostname)
            .member("os", request.os)
            .member("arch", request.arch)
            .member("agent_version", request.agent_version)
            .member("token_id", token.token)
            .member("source", request.ip_address);
      },
      now);
  announce_host(tx, host.org, host.id);
  announce_agent(tx, agent.org, agent.id);
  tx.on_commit([&credentials, &presence, &directory, agent, host, version = request.agent_version] {
    directory.set(host);
    credentials.set_agent(agent);
    AgentPresence fresh;
    fresh.org = agent.org;
    fresh.host = agent.host;
    fresh.last_seen = agent.enrolled_at;
    fresh.agent_version = version;
    presence.add_agent(agent.id, std::move(fresh));
  });
  return enrolled;
}

}  // namespace muster::fleet
