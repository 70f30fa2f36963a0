// SPDX-License-Identifier: Apache-2.0
#include "fleet/writes.h"

#include "store/store.h"

namespace muster::fleet {

bool submit_write(store::Store& store, UniqueFunction<bool(store::Tx&)> work,
                  UniqueFunction<void(std::exception_ptr)> done) {
  return store.submit(work, done);
}

}  // namespace muster::fleet
