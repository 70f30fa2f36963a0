// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "base/guarded.h"
#include "base/ids.h"
#include "base/time.h"
#include "store/sql/agents.h"

namespace muster::store {
class Store;
}

namespace muster::fleet {

class Credentials;

/// Replaces agents' keys by age, and knows how old they are. What it has to do is in the store, so
/// a restart loses nothing, and several servers do no more than one. Safe from several threads.
class KeySchedule {
 public:
  KeySchedule(store::Store& store, NumberIds& ids, Credentials& credentials)
      : store_(store), ids_(ids), credentials_(credentials) {}

  /// Offers a new key to agents whose key is due (model::rotation_due_at), the oldest key first, to
  /// limits::rotations_per_pass of them at most; the next call goes on. A `rotate_after` of 0 is
  /// never. Returns how many. Throws store::StoreError.
  std::size_t rotate(Duration rotate_after, Instant now);

  /// Counts keys anew, in one walk over the agents. Throws store::StoreError.
  void count(Instant now);
  /// As counted last.
  store::KeyNumbers numbers() const;

 private:
  std::vector<store::AgedKey> find_due(Duration rotate_after, Instant now);

  store::Store& store_;
  NumberIds& ids_;
  Credentials& credentials_;
  Guarded<store::KeyNumbers> numbers_;
};

}  // namespace muster::fleet
