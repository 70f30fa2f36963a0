// SPDX-License-Identifier: Apache-2.0
#include "fleet/changes.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/text.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

constexpr std::string_view topic_names[] = {
#define TOPIC(name) #name,
#include "fleet/topics.def"
#undef TOPIC
};

void add(Changed& changed, OrgId org, Topics topics) {
  if (topics.empty()) return;
  Topics& known = changed[org];
  known = known | topics;
}

/// "ORG=BITS", as take_for_others() writes it.
std::optional<std::pair<OrgId, Topics>> parse_change(std::string_view text) {
  const auto equals = text.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  const auto org = parse_int(text.substr(0, equals));
  const auto bits = parse_int(text.substr(equals + 1));
  if (!org || !bits || *org < 0 || *bits < 0 || *bits > UINT32_MAX) return std::nullopt;
  return std::pair(OrgId{*org}, Topics::of_bits(static_cast<std::uint32_t>(*bits)));
}

std::optional<Changed> parse_changes(std::string_view text) {
  if (text.empty()) return std::nullopt;
  Changed changed;
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find(','));
    text.remove_prefix(std::min(one.size() + 1, text.size()));
    const auto change = parse_change(one);
    if (!change) return std::nullopt;
    add(changed, change->first, change->second);
  }
  return changed;
}

}  // namespace

std::vector<std::string_view> Topics::names() const {
  std::vector<std::string_view> names;
  for (unsigned i = 0; i < count; ++i) {
    if ((bits_ >> i & 1U) != 0) names.push_back(topic_names[i]);
  }
  return names;
}

void mark_on_commit(store::Tx& tx, Changes& changes, OrgId org, Topics topics) {
  tx.on_commit([&changes, org, topics] { changes.mark(org, topics); });
}

void Changes::mark(OrgId org, Topics topics) {
  collected_.with([&](Collected& collected) {
    add(collected.here, org, topics);
    add(collected.for_others, org, topics);
  });
}

void Changes::note(OrgId org, Topics topics) {
  collected_.with([&](Collected& collected) { add(collected.here, org, topics); });
}

Changed Changes::take() {
  return collected_.with([](Collected& collected) { return std::exchange(collected.here, {}); });
}

std::string Changes::take_for_others() {
  const Changed changed =
      collected_.with([](Collected& collected) { return std::exchange(collected.for_others, {}); });
  std::string told;
  for (const auto& [org, topics] : changed) {
    if (!told.empty()) told += ',';
    told += std::to_string(org.value) + "=" + std::to_string(topics.bits());
    // So many organisations at once: all of them.
    if (told.size() > shared_bytes) return "0=" + std::to_string(Topics::all().bits());
  }
  return told;
}

void Changes::hear(std::string_view told) {
  const auto changed = parse_changes(told);
  if (!changed) return note(OrgId{0}, Topics::all());
  for (const auto& [org, topics] : *changed) note(org, topics);
}

}  // namespace muster::fleet
