// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "base/limits.h"
#include "http/application.h"
#include "http/request.h"
#include "http/transport_use.h"

namespace muster::http {

/// How many octets of large bodies there may be at one time.
struct BodyBounds {
  /// By Lane: what was taken in all must stay within the bound of whoever wants more.
  std::array<std::size_t, lane_count> bytes = {limits::bodies_bytes, limits::report_bodies_bytes,
                                               limits::operator_bodies_bytes};
  /// Of these, of the requests of one agent and of one inventory key.
  std::size_t of_agent = limits::agent_bodies_bytes;
  std::size_t of_key = limits::key_bodies_bytes;
};

/// The octets of large bodies that are read, decoded or wait for their commit. Small ones take
/// nothing of it, so that no heartbeat pays for the lock. Safe from several threads.
class BodyBudget {
 public:
  explicit BodyBudget(const BodyBounds& bounds) : bounds_(bounds) {}

  Places use() const;

 private:
  friend class BodyPlace;
  bool take(const BodyPlace& place, std::size_t bytes, bool counts_for_caller);
  void give_back(const BodyPlace& place);

  const BodyBounds bounds_;
  mutable std::mutex mutex_;
  std::size_t taken_ = 0;
  std::size_t most_ = 0;
  std::unordered_map<std::uint64_t, std::size_t> of_callers_;  // who has any
};

/// What one request has of it; given back at the end.
class BodyPlace {
 public:
  BodyPlace(BodyBudget& budget, Lane lane, const Caller& caller);
  ~BodyPlace() { budget_.give_back(*this); }
  BodyPlace(const BodyPlace&) = delete;
  BodyPlace& operator=(const BodyPlace&) = delete;

  /// Takes what is missing to `bytes`. False, changing nothing, when that is more than there is
  /// for this lane or this caller.
  bool cover(std::size_t bytes);
  /// Takes `bytes` more, of what came out of a compressed body. What its caller has is not asked:
  /// the next of its bodies waits instead. False, changing nothing, when that is more than there is
  /// for this lane.
  bool add(std::size_t bytes);

 private:
  friend class BodyBudget;
  BodyBudget& budget_;
  const Lane lane_;
  std::uint64_t caller_ = 0;  // 0: nobody whose share is bounded
  std::size_t caller_max_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace muster::http
