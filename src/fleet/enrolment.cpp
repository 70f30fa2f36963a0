// SPDX-License-Identifier: Apache-2.0
#include "fleet/enrolment.h"

#include <algorithm>

#include "base/text.h"
#include "crypto/random.h"
#include "fleet/announcements.h"
#include "fleet/hosts.h"
#include "store/sql/agents.h"
#include "store/sql/keys.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

/// The host that an enrolling agent belongs to, created when there is none.
Result<model::Host> host_of_enrolment(store::Tx& tx, NumberIds& ids, const PresenceTable& presence,
                                      const Config& config, OrgId org,
                                      const EnrolmentRequest& request, Instant now) {
  std::optional<model::Host> host = store::find_host_by_machine(tx, org, request.machine_id);
  if (!host) {
    auto named = store::find_host_by_hostname(tx, org, request.hostname);
    // A name alone is weak evidence: two machines with one name must not become one host.
    const bool other_machine = named && !named->machine_id.empty() && !request.machine_id.empty();
    if (named && !other_machine &&
        now - host_last_seen(tx, presence, *named) >= config.offline_after()) {
      host = std::move(named);
    }
  }
  if (host) {
    host->hostname = request.hostname;
    host->arch = request.arch;
    host->ip_address = request.ip_address;
    host->last_seen = now;
    if (!request.machine_id.empty()) host->machine_id = request.machine_id;
    store::set_host(tx, *host);
    return std::move(*host);
  }
  TRY(check_hostname_is_free(tx, presence, config, org, request.hostname, now));
  model::Host fresh;
  fresh.org = org;
  fresh.id = ids.next<HostId>(now);
  fresh.hostname = request.hostname;
  fresh.machine_id = request.machine_id;
  fresh.os_name = request.os;
  fresh.arch = request.arch;
  fresh.ip_address = request.ip_address;
  fresh.first_seen = now;
  fresh.last_seen = now;
  store::insert_host(tx, fresh);
  return fresh;
}

}  // namespace

Result<Enrolled> enrol_agent(store::Tx& tx, NumberIds& ids, Rng& rng, Credentials& credentials,
                             PresenceTable& presence, HostDirectory& directory,
                             const Config& config, const EnrolmentCredential& token,
                             const EnrolmentRequest& request, Instant now) {
  if (!store::use_enrolment_token(tx, token.org, token.token, now)) {
    return Error{Errc::invalid_token, "Invalid or expired enrollment token"};
  }
  const model::Host host =
      TRY(host_of_enrolment(tx, ids, presence, config, token.org, request, now));
  model::Agent agent;
  agent.org = token.org;
  agent.id = {make_uuid7(rng, now)};
  agent.host = host.id;
  agent.os = request.os;
  agent.arch = request.arch;
  agent.enrolled_at = now;
  agent.token = token.token;
  Enrolled enrolled{agent.id, token.org, host.id, credentials.agent_key(agent.id, 0)};
  agent.key_hash = credentials.hash(enrolled.key);
  store::insert_agent(tx, agent);
  record_event(
      tx, ids, token.org, "enrolled", agent.id, host.id,
      [&](JsonWriter& details) {
        details.member("hostname", request.hostname)
            .member("os", request.os)
            .member("arch", request.arch)
            .member("agent_version", request.agent_version)
            .member("token_id", token.token)
            .member("source", request.ip_address);
      },
      now);
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
