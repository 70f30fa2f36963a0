// SPDX-License-Identifier: Apache-2.0
#include "fleet/finding_groups.h"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "base/limits.h"
#include "fleet/findings.h"
#include "store/sql/agents.h"
#include "store/sql/findings.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

struct Counted {
  FindingGroup group;
  OrgId org;  // by host
  std::vector<std::int64_t> hosts;
};
using Groups = std::unordered_map<std::string, Counted>;

std::string key_of(const store::FindingSubject& subject, GroupBy by) {
  switch (by) {
    case GroupBy::cve:
      return subject.flaw;
    case GroupBy::package:
      return subject.package;
    case GroupBy::host:
      return std::to_string(subject.host.value);
  }
  return {};
}

void count(Groups& groups, store::FindingSubject subject, GroupBy by) {
  const std::string key = key_of(subject, by);
  Counted& counted = groups[key];
  FindingGroup& group = counted.group;
  if (group.findings == 0) {
    group.key = key;
    if (by == GroupBy::cve && subject.has_cve) group.cve = key;
    if (by == GroupBy::host) group.host = subject.host;
    counted.org = subject.org;
  }
  ++group.findings;
  group.known_exploited = group.known_exploited || subject.known_exploited;
  group.severity = std::max(group.severity, static_cast<model::Severity>(subject.severity));
  if (counted.hosts.empty() || counted.hosts.back() != subject.host.value) {
    counted.hosts.push_back(subject.host.value);
  }
  auto& packages = group.packages;
  const bool named = std::find(packages.begin(), packages.end(), subject.package) != packages.end();
  if (!named && packages.size() < limits::group_packages) {
    packages.push_back(std::move(subject.package));
  }
}

SievedFinding sieved(const store::FindingSubject& each) {
  return {each.org, each.host, each.known_exploited, each.severity,
          each.has_cve ? std::string_view(each.flaw) : std::string_view()};
}

/// Groups what passes the sieve of the most pressing findings; false if there are more.
bool group_pressing(store::Reader& reader, const store::FindingFilter& filter, FindingSieve& sieve,
                    GroupBy by, Groups& groups) {
  constexpr std::size_t batch_rows = 2000;
  std::vector<store::FindingSubject> batch;
  const auto count_batch = [&] {
    for (const store::FindingSubject& each : batch) sieve.announce(sieved(each));
    sieve.read_scores(reader);
    for (store::FindingSubject& each : batch) {
      if (sieve.passes(sieved(each), filter)) count(groups, std::move(each), by);
    }
    batch.clear();
  };
  const bool whole = store::for_each_pressing(reader, filter, limits::grouped_findings,
                                              [&](store::FindingSubject subject) {
                                                batch.push_back(std::move(subject));
                                                if (batch.size() == batch_rows) count_batch();
                                              });
  count_batch();
  return whole;
}

std::int64_t distinct(std::vector<std::int64_t>& values) {
  std::sort(values.begin(), values.end());
  return std::unique(values.begin(), values.end()) - values.begin();
}

bool presses_more(const FindingGroup& a, const FindingGroup& b) {
  return std::tie(b.known_exploited, b.severity, b.hosts, b.findings, a.key) <
         std::tie(a.known_exploited, a.severity, a.hosts, a.findings, b.key);
}

}  // namespace

FindingGroups group_findings(store::Store& store, const GroupQuery& query) {
  store::FindingFilter filter;
  filter.org = query.org;
  filter.known_exploited = query.known_exploited;
  filter.severity_min = static_cast<std::int64_t>(query.severity_min);
  if (query.include_unknown) filter.unrated = store::Unrated::shown;
  FindingGroups answer;
  store.read([&](store::Reader& reader) {
    Groups groups;
    FindingSieve sieve(query.among, query.epss_min);
    answer.whole = group_pressing(reader, filter, sieve, query.by, groups);
    answer.unknown_not_shown = count_unknown_not_shown(reader, filter, sieve);
    std::unordered_map<std::string, OrgId> orgs;
    for (auto& [key, counted] : groups) {
      counted.group.hosts = distinct(counted.hosts);
      orgs.emplace(key, counted.org);
      answer.groups.push_back(std::move(counted.group));
    }
    std::sort(answer.groups.begin(), answer.groups.end(), presses_more);
    answer.groups_in_all = answer.groups.size();
    if (answer.groups.size() > query.count) answer.groups.resize(query.count);
    for (FindingGroup& group : answer.groups) {
      if (!group.host) continue;
      const auto host = store::find_host(reader, orgs.at(group.key), *group.host);
      if (host) group.key = host->hostname;
    }
  });
  return answer;
}

}  // namespace muster::fleet
