// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"
#include "endpoints/app.h"
#include "http/request.h"
#include "http/response.h"

namespace muster::endpoints {

/// The inventory half of the shared heartbeat route: memory only.
Result<http::Reply> inventory_heartbeat(App& app, const http::Request& request);

}  // namespace muster::endpoints
