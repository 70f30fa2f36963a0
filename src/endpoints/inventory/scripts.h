// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"
#include "endpoints/app.h"
#include "http/request.h"
#include "http/response.h"

namespace muster::endpoints {

/// What inventory callers get from GET /api/agent/version: the version of each platform's script.
Result<http::Reply> list_script_versions(App& app, const http::Request& request);

}  // namespace muster::endpoints
