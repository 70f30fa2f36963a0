// SPDX-License-Identifier: Apache-2.0
#include "endpoints/download.h"

#include "http/range.h"

namespace muster::endpoints {

http::Response download_response(const http::Request& request, http::Stream content,
                                 std::string_view sha256, std::string_view filename) {
  http::Response whole{200, {}, "application/octet-stream"};
  whole.headers.emplace_back("Content-Disposition",
                             "attachment; filename=\"" + std::string(filename) + "\"");
  whole.stream = std::move(content);
  return http::range_response(request, std::move(whole), sha256);
}

}  // namespace muster::endpoints
