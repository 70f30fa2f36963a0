// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/text.h"
#include "http/request.h"

namespace muster::agent {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

/// One request to the server, complete but for the origin and what HTTP itself needs.
struct Call {
  http::Method method = http::Method::get;
  std::string target;  // path and query
  HeaderList headers;
  std::string body;
};

struct Answer {
  int status = 0;
  HeaderList headers;
  std::string body;

  bool success() const { return status >= 200 && status < 300; }
  /// Value of the first header of that name in any case; empty if there is none.
  std::string_view header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (equal_folded(key, name)) return value;
    }
    return {};
  }
};

/// The way to the server: `main` implements it over the HTTP client, tests over a fake server.
/// An Error means that no whole answer came; the server may have acted all the same.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual Result<Answer> send(const Call& call) = 0;
};

}  // namespace muster::agent
