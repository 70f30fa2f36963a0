// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/unique_function.h"

namespace muster::store {
class Tx;
}

namespace muster::http {

/// One answer as values. `Content-Length`, `Date` and `Connection` are the session's business.
struct Response {
  int status = 200;
  std::string body = {};
  std::string_view content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers = {};
};

/// Work that needs the store's writer: runs inside the next group commit and yields the answer,
/// which is sent once that commit is on disk. An Error undoes what this closure wrote, alone.
using Write = UniqueFunction<Result<Response>(store::Tx&)>;

/// What a handler returns: an answer, or the work that yields it.
using Reply = std::variant<Response, Write>;

/// HTTP status of a failure: the one table, base/errc.def.
int status_of(Errc code);

inline Response json_response(int status, std::string body) {
  return {status, std::move(body)};
}

}  // namespace muster::http
