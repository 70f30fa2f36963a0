// SPDX-License-Identifier: Apache-2.0
#include "fleet/runtimes.h"

#include "store/sql/runtimes.h"
#include "store/store.h"

namespace muster::fleet {

std::string record_runtime(store::Tx& tx, OrgId org, HostId host,
                           const std::optional<ToldRuntime>& told, Instant now) {
  const auto known = store::find_host_runtime(tx, org, host);
  if (!told) return known ? known->hash : std::string();
  if (known && known->hash == told->hash) return told->hash;
  store::set_host_runtime(tx, {org, host, told->hash, model::listening_json(told->runtime),
                               model::services_json(told->runtime), now});
  return told->hash;
}

}  // namespace muster::fleet
