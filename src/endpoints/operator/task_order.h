// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/json_read.h"
#include "endpoints/app.h"
#include "fleet/host_search.h"
#include "fleet/tasks.h"
#include "http/request.h"

namespace muster::endpoints {

/// The order in the body of `POST /api/v1/tasks`: per type its own members, else the defaults of
/// model/task_types.def. An order of a limited caller is of one organisation. Fails naming the
/// member.
Result<fleet::TaskOrder> decode_task_order(App& app, const http::Request& request,
                                           const Json& body);

/// Whom the members `query` and `dry_run` mean; nothing for a body that names its agents. Fails
/// with invalid_field of `query`.
struct TargetOrder {
  fleet::Targets targets;
  bool dry_run = false;
};
Result<std::optional<TargetOrder>> decode_targets(App& app, const Json& body, OrgId org,
                                                  Instant now);

}  // namespace muster::endpoints
