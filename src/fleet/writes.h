// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <functional>

#include "base/unique_function.h"

namespace muster::store {
class Store;
class Tx;
struct JointWork;
}  // namespace muster::store

namespace muster::fleet {

class Nodes;

/// Queues `work` for the next group commit. `work` returns false to undo what it wrote; `done` is
/// called once it is durable, or with what broke. What `may_wait` is committed behind other work.
/// `joint` belongs to `work`, or there is none. Returns false, and takes nothing, when too many
/// writes wait (limits::writes_in_flight).
[[nodiscard]] bool submit_write(store::Store& store, UniqueFunction<bool(store::Tx&)> work,
                                UniqueFunction<void(std::exception_ptr)> done, bool may_wait,
                                store::JointWork* joint = nullptr);

/// Commits `work`, which returns false to undo what it wrote, and returns once every server on the
/// database follows it or has lost its lease (fleet/nodes.h); also if it wrote nothing, because it
/// was done before and then not waited for. Throws store::StoreError.
void write_everywhere(store::Store& store, Nodes& nodes,
                      const std::function<bool(store::Tx&)>& work);

}  // namespace muster::fleet
