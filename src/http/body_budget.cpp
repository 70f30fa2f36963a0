// SPDX-License-Identifier: Apache-2.0
#include "http/body_budget.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace muster::http {

namespace {

/// Agents' ids are random in their last octets; keys' are numbers from 1 on.
std::uint64_t number_of(const Caller& caller) {
  if (caller.kind == Caller::Kind::inventory_key) return static_cast<std::uint64_t>(caller.key);
  if (caller.kind != Caller::Kind::agent) return 0;
  const auto& octets = caller.agent.uuid.bytes;
  std::uint64_t number = 0;
  std::memcpy(&number, octets.data() + octets.size() - sizeof number, sizeof number);
  return number;
}

}  // namespace

Places BodyBudget::use() const {
  const std::lock_guard lock(mutex_);
  return {taken_, most_, bounds_.bytes.front()};
}

bool BodyBudget::take(const BodyPlace& place, std::size_t bytes, bool counts_for_caller) {
  const std::lock_guard lock(mutex_);
  const std::size_t bound = bounds_.bytes[static_cast<std::size_t>(place.lane_)];
  if (bytes > bound || taken_ > bound - bytes) return false;
  if (place.caller_ != 0) {
    std::size_t& own = of_callers_[place.caller_];
    if (counts_for_caller && own + bytes > place.caller_max_) {
      if (own == 0) of_callers_.erase(place.caller_);
      return false;
    }
    own += bytes;
  }
  taken_ += bytes;
  most_ = std::max(most_, taken_);
  return true;
}

void BodyBudget::give_back(const BodyPlace& place) {
  if (place.bytes_ == 0) return;
  const std::lock_guard lock(mutex_);
  taken_ -= place.bytes_;
  const auto own = of_callers_.find(place.caller_);
  if (own == of_callers_.end()) return;
  own->second -= place.bytes_;
  if (own->second == 0) of_callers_.erase(own);
}

BodyPlace::BodyPlace(BodyBudget& budget, Lane lane, const Caller& caller)
    // What a site's key imports is as an operator's: nobody reports beside it.
    : budget_(budget), lane_(lane), caller_(lane == Lane::operators ? 0 : number_of(caller)) {
  const bool agent = caller.kind == Caller::Kind::agent;
  caller_max_ = agent ? budget.bounds_.of_agent : budget.bounds_.of_key;
}

bool BodyPlace::cover(std::size_t bytes) {
  if (bytes <= bytes_) return true;
  if (!budget_.take(*this, bytes - bytes_, true)) return false;
  bytes_ = bytes;
  return true;
}

bool BodyPlace::add(std::size_t bytes) {
  if (!budget_.take(*this, bytes, false)) return false;
  bytes_ += bytes;
  return true;
}

}  // namespace muster::http
