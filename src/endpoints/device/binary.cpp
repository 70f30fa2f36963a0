// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "endpoints/app.h"
#include "endpoints/decode.h"
#include "endpoints/download.h"
#include "fleet/test_binaries.h"

namespace muster::endpoints {

Result<http::Reply> download_test_binary(App& app, const http::Request& request) {
  const auto test = http::query_param(request.query, "test_uuid");
  if (!test || test->empty()) {
    return Error{Errc::missing_field, "test_uuid is required", "test_uuid"};
  }
  const std::string_view name = request.params[0];
  const Result<Uuid> of = parse_uuid(*test);
  if (!of.ok() || !fleet::is_binary_name(name)) {
    return Error{Errc::not_found, "Binary not found: " + escape_for_terminal(name)};
  }
  fleet::OpenedBinary binary =
      TRY(fleet::open_test_binary(app.store, request.caller.org, request.caller.agent, *of, name));
  return http::Reply(
      download_response(request, std::move(binary.content), binary.sha256.text(), name));
}

}  // namespace muster::endpoints
