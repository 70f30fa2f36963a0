// SPDX-License-Identifier: Apache-2.0
#include "net/handshake_pace.h"

#include <utility>

#include "base/check.h"

namespace muster::net {

void HandshakePace::enter(Resume resume) {
  entrants_.push_back(std::move(resume));
  schedule_if_due();
}

void HandshakePace::step(Resume resume) {
  steps_.push_back(std::move(resume));
  schedule_if_due();
}

void HandshakePace::leave() {
  CHECK(under_way_ > 0);
  --under_way_;
  schedule_if_due();
}

void HandshakePace::turn() {
  for (std::size_t i = 0; i < steps_per_turn_ && has_next(); ++i) take_next()();
  scheduled_ = false;
  schedule_if_due();
}

HandshakePace::Resume HandshakePace::take_next() {
  if (steps_.empty()) ++under_way_;
  std::deque<Resume>& from = steps_.empty() ? entrants_ : steps_;
  Resume next = std::move(from.front());
  from.pop_front();
  return next;
}

void HandshakePace::schedule_if_due() {
  if (scheduled_ || !has_next()) return;
  scheduled_ = true;
  schedule_();
}

}  // namespace muster::net
