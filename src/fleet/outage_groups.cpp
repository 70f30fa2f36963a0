// SPDX-License-Identifier: Apache-2.0
#include "fleet/outage_groups.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/limits.h"

namespace muster::fleet {

namespace {

constexpr std::string_view whole_org = "organisation";

bool is_group(std::size_t members, std::size_t population, const GroupRules& rules) {
  return members >= rules.agents &&
         members * 100 >= population * static_cast<std::size_t>(rules.percent);
}

/// Moves those of the largest tag that is a group out of `silences`; false if there is none.
bool take_largest_tag(std::vector<Silence>& silences, const GroupRules& rules,
                      const Population& population, std::vector<ToldTogether>& out) {
  std::map<std::string, std::set<AgentId>> by_tag;
  for (const Silence& silence : silences) {
    for (const std::string& tag : population.tags(silence.host)) {
      by_tag[tag].insert(silence.agent);
    }
  }
  const auto* largest = static_cast<decltype(by_tag)::value_type*>(nullptr);
  for (const auto& entry : by_tag) {
    if (!is_group(entry.second.size(), population.of_tag(entry.first), rules)) continue;
    if (largest == nullptr || entry.second.size() > largest->second.size()) largest = &entry;
  }
  if (largest == nullptr) return false;
  ToldTogether& group = out.emplace_back();
  group.scope = "tag:" + largest->first;
  std::erase_if(silences, [&](const Silence& silence) {
    if (!largest->second.contains(silence.agent)) return false;
    group.members.push_back(silence);
    return true;
  });
  return true;
}

void tell_window(std::vector<Silence> silences, const GroupRules& rules,
                 const Population& population, std::vector<ToldTogether>& out) {
  if (silences.size() >= rules.agents) {
    if (is_group(silences.size(), population.of_org, rules)) {
      out.push_back({std::string(whole_org), std::move(silences)});
      return;
    }
    while (take_largest_tag(silences, rules, population, out)) {
    }
  }
  if (silences.empty()) return;
  const bool many = silences.size() > limits::lone_outages;
  out.push_back({many ? std::string(whole_org) : std::string(), std::move(silences)});
}

}  // namespace

std::vector<ToldTogether> due_outages(std::vector<Silence> silences, const GroupRules& rules,
                                      const Population& population, Instant now) {
  std::sort(silences.begin(), silences.end(), [](const Silence& a, const Silence& b) {
    return std::tie(a.began, a.agent) < std::tie(b.began, b.agent);
  });
  std::vector<ToldTogether> out;
  auto at = silences.begin();
  while (at != silences.end() && now - at->began >= rules.offline_after + rules.window) {
    const Instant last = at->began + rules.window;
    const auto end = std::find_if(at, silences.end(),
                                  [&](const Silence& silence) { return silence.began > last; });
    tell_window({at, end}, rules, population, out);
    at = end;
  }
  return out;
}

}  // namespace muster::fleet
