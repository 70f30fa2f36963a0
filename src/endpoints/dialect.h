// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "http/request.h"
#include "http/response.h"

namespace muster::endpoints {

/// Whose envelope an answer wears (design: wire decisions, "Dialects").
enum class Dialect : std::uint8_t {
  device,     // {"success": …, "data"|"error": …}
  inventory,  // flat; {"error": code, "message": …, "hint": …}
  shared,     // device if X-Agent-ID is there, else inventory
  operators,  // flat; {"error": code, "message": …}
};

/// `shared` made definite by the request.
Dialect dialect_of(Dialect row, const http::Request& request);

/// A failure in the words of a dialect.
http::Response error_response(Dialect dialect, const Error& error);

}  // namespace muster::endpoints
