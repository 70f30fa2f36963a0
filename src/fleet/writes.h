// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>

#include "base/unique_function.h"

namespace muster::store {
class Store;
class Tx;
}  // namespace muster::store

namespace muster::fleet {

/// Queues `work` for the next group commit. `work` returns false to undo what it wrote; `done` is
/// called once it is durable, or with what broke. Returns false, and takes nothing, when too many
/// writes wait (limits::writes_in_flight).
[[nodiscard]] bool submit_write(store::Store& store, UniqueFunction<bool(store::Tx&)> work,
                                UniqueFunction<void(std::exception_ptr)> done);

}  // namespace muster::fleet
