// SPDX-License-Identifier: Apache-2.0
#include "fleet/host_search.h"

#include <algorithm>

#include "base/limits.h"
#include "base/text.h"
#include "model/advisory.h"
#include "model/agent.h"
#include "model/package.h"
#include "store/sql/agents.h"
#include "store/sql/text_list.h"
#include "store/store.h"
#include "version/scheme.h"

namespace muster::fleet {

using model::Comparison;
using model::HostField;
using model::HostQuery;
using model::HostTerm;
using store::SearchedHost;

namespace {

// A search for a few hosts of many that match reads few rows, one for rare ones large parts.
constexpr int batch_rows_first = 256;
constexpr int batch_rows_most = 4096;

bool has_tag(const model::TextPattern& pattern, std::string_view column) {
  if (column == "[]") return false;
  const std::vector<std::string> tags = store::decode_text_list(column);
  return std::any_of(tags.begin(), tags.end(),
                     [&](const std::string& tag) { return pattern.matches(fold_case(tag)); });
}

/// Whether a version is as the term says. What cannot be compared is not.
bool version_holds(const HostTerm& term, std::string_view version,
                   std::optional<version::Scheme> scheme) {
  const model::TextPattern& wanted = *term.version;
  if (!wanted.is_literal()) return wanted.matches(version);
  if (!scheme) return term.comparison == Comparison::equal && wanted.matches(version);
  const auto order = version::compare(*scheme, version, wanted.pieces.front());
  return order.ok() && model::holds(term.comparison, *order);
}

bool package_holds(const HostTerm& term, const store::PackageVersion& package) {
  if (!term.text.matches(package.name)) return false;
  return !term.version ||
         version_holds(term, package.version,
                       version::parse_scheme(model::ecosystem_scheme(package.ecosystem)));
}

struct SeverityRange {
  std::int64_t min = static_cast<std::int64_t>(model::Severity::unknown);
  std::int64_t max = static_cast<std::int64_t>(model::Severity::critical);
};

SeverityRange severities_of(const HostTerm& term) {
  SeverityRange range;
  switch (term.comparison) {
    case Comparison::equal:
      range.min = range.max = term.number;
      break;
    case Comparison::below:
      range.max = term.number - 1;
      break;
    case Comparison::at_most:
      range.max = term.number;
      break;
    case Comparison::above:
      range.min = term.number + 1;
      break;
    case Comparison::at_least:
      range.min = term.number;
      break;
  }
  return range;
}

}  // namespace

HostSearch::HostSearch(store::Reader& reader, const PresenceTable& presence, const Config& config,
                       const HostQuery& query, std::optional<OrgId> org, HostId after, Instant now)
    : reader_(reader),
      presence_(presence),
      config_(config),
      query_(query),
      org_(org),
      after_(after),
      now_(now),
      batch_rows_(batch_rows_first) {
  bool asks_memory = false;
  model::for_each_term(query, [&](const HostTerm& term) {
    asks_memory |= term.field == HostField::status || term.field == HostField::last_seen ||
                   term.field == HostField::agent_version;
    CHECK(term.field != HostField::group);  // written out before: fleet/saved_views.h
    if (term.field == HostField::package) packages_.push_back(&term);
    if (term.field == HostField::cve || term.field == HostField::severity ||
        term.field == HostField::kev) {
      listed_[&term];
    }
    asks_agents_ |= term.field == HostField::os || term.field == HostField::agent;
  });
  if (asks_memory) read_memory();
}

void HostSearch::read_memory() {
  if (knows_agents_) return;
  knows_agents_ = true;
  presence_.for_each_agent([&](AgentId id, const AgentPresence& state) {
    if (org_ && state.org != *org_) return;
    Heard& heard = heard_[state.host];
    heard.last_seen = std::max(heard.last_seen, state.last_seen);
    if (heard.newest < id) {
      heard.newest = id;
      heard.agent_version = state.agent_version;
    }
  });
}

std::optional<AgentId> HostSearch::agent_of(HostId host) {
  read_memory();
  const Heard* heard = heard_of(host);
  return heard == nullptr ? std::nullopt : std::optional(heard->newest);
}

std::optional<FoundHost> HostSearch::next() {
  while (true) {
    for (; at_ < batch_.size(); ++at_) {
      const SearchedHost& host = batch_[at_];
      after_ = host.id;
      if (!holds(query_, host)) continue;
      ++at_;
      return FoundHost{host.org, host.id};
    }
    if (!read_batch()) return std::nullopt;
  }
}

bool HostSearch::read_batch() {
  if (looked_at_ >= limits::searched_hosts) {
    cut_short_ = !store::list_searched_hosts(reader_, org_, after_, 1).empty();
    return false;
  }
  batch_ = store::list_searched_hosts(reader_, org_, after_, batch_rows_);
  batch_rows_ = std::min(batch_rows_ * 4, batch_rows_most);
  at_ = 0;
  if (batch_.empty()) return false;
  looked_at_ += static_cast<std::int64_t>(batch_.size());
  agents_.clear();
  for (auto& [term, hosts] : listed_) {
    if (term->field != HostField::cve) hosts.clear();
  }
  std::map<OrgId, store::HostRange> ranges;
  for (const SearchedHost& host : batch_) {
    ranges.try_emplace(host.org, store::HostRange{host.org, host.id, host.id}).first->second.last =
        host.id;
  }
  for (const auto& [org, hosts] : ranges) read_of_org(hosts);
  for (auto& [term, hosts] : listed_) {
    if (!std::is_sorted(hosts.begin(), hosts.end())) std::sort(hosts.begin(), hosts.end());
  }
  return true;
}

void HostSearch::read_of_org(const store::HostRange& hosts) {
  if (asks_agents_) {
    for (store::SearchedAgent& agent : store::list_searched_agents(reader_, hosts)) {
      agents_[agent.host] = std::move(agent);
    }
  }
  const bool known = sets_.contains(hosts.org);
  for (auto& [term, found] : listed_) {
    std::vector<HostId> more;
    if (term->field == HostField::severity) {
      const SeverityRange range = severities_of(*term);
      more = store::list_hosts_with_severity(reader_, hosts, range.min, range.max);
    } else if (term->field == HostField::kev) {
      more = store::list_hosts_with_exploited(reader_, hosts);
    } else if (!known) {
      more = store::list_hosts_with_cve(reader_, hosts.org, term->text.pieces.front());
    }
    found.insert(found.end(), more.begin(), more.end());
  }
  if (!known) read_sets(hosts.org);
}

void HostSearch::read_sets(OrgId org) {
  SetMarks& marks = sets_[org];
  std::vector<std::uint32_t> wanted;  // by package id
  for (std::size_t i = 0; i < packages_.size(); ++i) {
    const HostTerm& term = *packages_[i];
    const auto name =
        term.text.is_literal() ? std::optional(term.text.pieces.front()) : std::nullopt;
    store::for_each_package_version(reader_, org, name, [&](const store::PackageVersion& package) {
      if (!package_holds(term, package)) return;
      const auto place = static_cast<std::size_t>(package.id.value);
      if (place >= wanted.size()) wanted.resize(place + 1);
      wanted[place] |= 1U << i;
    });
  }
  if (wanted.empty()) return;
  const auto end = PackageId{static_cast<std::int64_t>(wanted.size())};
  store::for_each_package_set(
      reader_, org, [&](const crypto::KeyHash& hash, const std::vector<PackageId>& members) {
        std::uint32_t found = 0;
        for (const PackageId member : members) {
          if (!(member < end)) break;  // they ascend
          found |= wanted[static_cast<std::size_t>(member.value)];
        }
        if (found != 0) marks.emplace(hash, found);
      });
}

bool HostSearch::holds(const HostQuery& query, const SearchedHost& host) const {
  const auto part_holds = [&](const HostQuery& part) { return holds(part, host); };
  switch (query.kind) {
    case HostQuery::Kind::term:
      return holds(query.term, host);
    case HostQuery::Kind::all:
      return std::all_of(query.parts.begin(), query.parts.end(), part_holds);
    case HostQuery::Kind::any:
      return std::any_of(query.parts.begin(), query.parts.end(), part_holds);
    case HostQuery::Kind::none:
      return !holds(query.parts.front(), host);
  }
  return false;
}

bool HostSearch::holds(const HostTerm& term, const SearchedHost& host) const {
  const auto age_holds = [&](Instant since) {
    return model::holds(term.comparison, now_ - since <=> term.age);
  };
  switch (term.field) {
    case HostField::hostname:
      return term.text.matches(host.hostname);
    case HostField::os:
      return os_matches(term, host);
    case HostField::os_version:
      return term.text.matches(fold_case(host.os_version));
    case HostField::os_kernel:
      return term.text.matches(fold_case(host.os_kernel));
    case HostField::arch:
      return term.text.matches(fold_case(host.arch));
    case HostField::distro:
      return term.text.matches(fold_case(host.distro));
    case HostField::ip:
      return term.text.matches(fold_case(host.ip_address));
    case HostField::tag:
      return has_tag(term.text, host.tags) || has_tag(term.text, host.operator_tags);
    case HostField::id:
      return model::holds(term.comparison, host.id.value <=> term.number);
    case HostField::group:
      return false;
    case HostField::packages:
      return model::holds(term.comparison, host.package_count <=> term.number);
    case HostField::status:
      return presence_of(host) == static_cast<model::Presence>(term.number);
    case HostField::agent:
      return agent_state(host.id) == static_cast<model::AgentState>(term.number);
    case HostField::agent_version:
      return version_matches(term, host);
    case HostField::last_seen:
      return age_holds(last_seen(host));
    case HostField::first_seen:
      return age_holds(host.first_seen);
    case HostField::last_report:
      if (host.last_report_at) return age_holds(*host.last_report_at);
      return term.comparison == Comparison::above || term.comparison == Comparison::at_least;
    case HostField::package:
      return has_package(term, host);
    case HostField::cve:
    case HostField::severity:
      return is_listed(term, host.id);
    case HostField::kev:
      return is_listed(term, host.id) == (term.number != 0);
  }
  return false;
}

bool HostSearch::os_matches(const HostTerm& term, const SearchedHost& host) const {
  if (term.text.matches(fold_case(host.os_name))) return true;
  const auto agent = agents_.find(host.id);
  return agent != agents_.end() && term.text.matches(fold_case(agent->second.os));
}

bool HostSearch::version_matches(const HostTerm& term, const SearchedHost& host) const {
  std::string running;
  if (const Heard* heard = heard_of(host.id)) {
    running = heard->agent_version;
  } else if (const auto reported = presence_.find_host(host.org, host.id)) {
    running = reported->agent_version;
  }
  return !running.empty() && version_holds(term, running, version::Scheme::semver);
}

bool HostSearch::has_package(const HostTerm& term, const SearchedHost& host) const {
  if (!host.package_set) return false;
  const SetMarks& marks = sets_.at(host.org);
  const auto found = marks.find(*host.package_set);
  if (found == marks.end()) return false;
  const auto place = std::find(packages_.begin(), packages_.end(), &term) - packages_.begin();
  return ((found->second >> place) & 1U) != 0;
}

bool HostSearch::is_listed(const HostTerm& term, HostId host) const {
  const std::vector<HostId>& hosts = listed_.at(&term);
  return std::binary_search(hosts.begin(), hosts.end(), host);
}

model::AgentState HostSearch::agent_state(HostId host) const {
  const auto agent = agents_.find(host);
  if (agent == agents_.end()) return model::AgentState::none;
  return agent->second.disabled ? model::AgentState::disabled : model::AgentState::active;
}

model::Presence HostSearch::presence_of(const SearchedHost& host) const {
  const Duration limit = heard_of(host.id) == nullptr ? presence_.host_offline_after(config_)
                                                      : presence_.offline_after(config_);
  return model::presence_of(last_seen(host), presence_.server_started(), limit, now_);
}

Instant HostSearch::last_seen(const SearchedHost& host) const {
  Instant last = host.last_seen;
  if (const Heard* heard = heard_of(host.id)) last = std::max(last, heard->last_seen);
  if (const auto reported = presence_.find_host(host.org, host.id)) {
    last = std::max(last, reported->last_seen);
  }
  return last;
}

const HostSearch::Heard* HostSearch::heard_of(HostId host) const {
  const auto found = heard_.find(host);
  return found == heard_.end() ? nullptr : &found->second;
}

store::Total count_found(HostSearch& search, std::int64_t found) {
  store::Total total{found};
  for (; total.value <= limits::counted_rows; ++total.value) {
    if (search.next()) continue;
    total.exact = !search.is_cut_short();
    return total;
  }
  return {limits::counted_rows, false};
}

Result<MeantHosts> list_meant_hosts(store::Store& store, const PresenceTable& presence,
                                    const Config& config, const HostQuery& query,
                                    std::optional<OrgId> org, Instant now) {
  return store.read([&](store::Reader& reader) -> Result<MeantHosts> {
    HostSearch search(reader, presence, config, query, org, HostId{0}, now);
    MeantHosts hosts;
    while (const auto found = search.next()) hosts.add(found->org, found->id);
    if (search.is_cut_short()) {
      return invalid_field("query", "is for more hosts than one search looks at");
    }
    hosts.sort();
    return hosts;
  });
}

Result<Targets> find_targets(store::Store& store, const PresenceTable& presence,
                             const Config& config, const HostQuery& query, std::optional<OrgId> org,
                             Instant now) {
  return store.read([&](store::Reader& reader) -> Result<Targets> {
    HostSearch search(reader, presence, config, query, org, HostId{0}, now);
    Targets targets;
    while (const auto found = search.next()) {
      ++targets.hosts;
      const std::optional<AgentId> agent = search.agent_of(found->id);
      if (!agent) {
        ++targets.without_agent;
        continue;
      }
      const auto host = store::find_host(reader, found->org, found->id);
      CHECK(host.has_value());
      targets.agents.push_back({found->id, *agent, host->hostname});
      if (targets.agents.size() > limits::task_targets) {
        return invalid_field("query", "means more than " + std::to_string(limits::task_targets) +
                                          " agents, as many as are given work at a time");
      }
    }
    if (search.is_cut_short()) {
      return invalid_field("query", "is for more hosts than one search looks at");
    }
    if (targets.agents.empty()) return invalid_field("query", "means no host with an agent");
    return targets;
  });
}

}  // namespace muster::fleet
