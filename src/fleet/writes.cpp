// SPDX-License-Identifier: Apache-2.0
#include "fleet/writes.h"

#include "fleet/nodes.h"
#include "store/store.h"

namespace muster::fleet {

bool submit_write(store::Store& store, UniqueFunction<bool(store::Tx&)> work,
                  UniqueFunction<void(std::exception_ptr)> done, bool may_wait,
                  store::JointWork* joint) {
  return store.submit(work, done, may_wait, joint);
}

void write_everywhere(store::Store& store, Nodes& nodes,
                      const std::function<bool(store::Tx&)>& work) {
  (void)store.write([&](store::Tx& tx) -> Result<void> {
    if (work(tx)) return {};
    return Error{Errc::illegal_transition, "undone"};  // why is the work's own business
  });
  nodes.await_followers();
}

}  // namespace muster::fleet
