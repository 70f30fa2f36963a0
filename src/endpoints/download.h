// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "http/request.h"
#include "http/response.h"

namespace muster::endpoints {

/// A stored file as an answer: all of it or the range that was asked for. `sha256` is the text of
/// its digest and becomes its entity tag; `filename` is plain.
http::Response download_response(const http::Request& request, http::Stream content,
                                 std::string_view sha256, std::string_view filename);

}  // namespace muster::endpoints
