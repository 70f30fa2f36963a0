// SPDX-License-Identifier: Apache-2.0
#include "swarm/tally.h"

#include <numeric>

namespace muster::swarm {

namespace {

constexpr std::size_t reasons_most = 20;

}  // namespace

std::string_view kind_name(Kind kind) {
  constexpr std::array<std::string_view, kinds> names = {
#define KIND(name, text) text,
#include "swarm/kinds.def"
#undef KIND
  };
  return names[static_cast<std::size_t>(kind)];
}

std::string_view end_name(End end) {
  constexpr std::array<std::string_view, ends> names = {
      "good",     "limited",   "refused", "failed",    "no_peer",
      "no_trust", "timed_out", "closed",  "malformed", "dropped"};
  return names[static_cast<std::size_t>(end)];
}

std::uint64_t KindTally::calls() const {
  return std::accumulate(by_end.begin(), by_end.end(), std::uint64_t{0});
}

void Tally::add(Kind kind, End end, const Course& course) {
  KindTally& tally = kinds_[static_cast<std::size_t>(kind)];
  ++tally.by_end[static_cast<std::size_t>(end)];
  if (end == End::dropped) return;
  tally.latency.add(course.ended - course.due);
  tally.lag.add(course.sent - course.due);
}

void Tally::explain(Kind kind, std::string_view why) {
  std::string text(kind_name(kind));
  text.append(": ").append(why);
  const auto found = reasons_.find(text);
  if (found != reasons_.end()) {
    ++found->second;
  } else if (reasons_.size() < reasons_most) {
    reasons_.emplace(std::move(text), 1);
  }
}

KindTally Tally::of_hosts() const {
  KindTally sum;
  for (std::size_t kind = 0; kind < kinds; ++kind) {
    if (static_cast<Kind>(kind) == Kind::task_order) continue;
    const KindTally& one = kinds_[kind];
    for (std::size_t i = 0; i < ends; ++i) sum.by_end[i] += one.by_end[i];
    sum.latency.add(one.latency);
    sum.lag.add(one.lag);
  }
  return sum;
}

}  // namespace muster::swarm
