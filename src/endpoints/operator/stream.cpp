// SPDX-License-Identifier: Apache-2.0
#include "endpoints/guards.h"
#include "endpoints/operator/operator.h"
#include "fleet/watchers.h"

namespace muster::endpoints {

using http::Reply;
using http::Request;

Result<Reply> watch_changes(App& app, const Request& request) {
  const std::optional<OrgId> org = TRY(org_param(app, request));
  fleet::Watch watch{OperatorId{request.caller.key}, org, standing_of(app, request, org)};
  http::Response response{200, {}, "text/event-stream"};
  response.headers.emplace_back("Cache-Control", "no-store");
  // Proxies that collect an answer before they pass it on (nginx).
  response.headers.emplace_back("X-Accel-Buffering", "no");
  auto stream = TRY(app.watchers.add(std::move(watch), request.now));
  response.live = std::move(stream);
  return Reply(std::move(response));
}

}  // namespace muster::endpoints
