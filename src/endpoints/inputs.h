// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "base/result.h"
#include "http/request.h"

/// What the operator API does not know it refuses, before anything is done: a filter that is
/// misspelt would show everything, and a member that is misspelt would leave a default. What each
/// route knows is what api/schemas says of it: inputs.def. Agents are not asked for as much: what a
/// fielded one says beyond the contract is ignored.
namespace muster::endpoints {

/// What one route takes. Words stand one space apart.
struct Inputs {
  http::Method method = http::Method::other;
  std::string_view path;        // as in routes.def
  std::string_view parameters;  // names in the query
  /// Paths of the members of the body: "orders orders[].order". Below a member that has none of its
  /// own here, everything is taken. Nothing: the body is not of named members.
  std::optional<std::string_view> members;
};
/// Of every route under /api/v1.
std::span<const Inputs> all_inputs();
/// Null for a route that takes whatever it is given: agents', probes', the API's description.
const Inputs* inputs_of(http::Method method, std::string_view path);

/// Whether the query and the body have only what `known` names, each of it once. A body that is no
/// JSON is for the endpoint to refuse. Parses the body into this thread's document. Fails with
/// invalid_field, which names the first parameter, or else the first member with its path.
Result<void> check_inputs(const Inputs& known, const http::Request& request);

}  // namespace muster::endpoints
