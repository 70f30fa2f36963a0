// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "http/request.h"
#include "http/response.h"

namespace muster::http {

/// What is sent of `whole`, a 200 with a stream, when a client asks for a part (RFC 9110 14): the
/// one range of `Range`, as 206 or, beyond the end, 416; 304 if `If-None-Match` names `tag`. All of
/// it for anything else: no range, several, a unit other than bytes, an `If-Range` other than
/// `tag`. `tag` is the entity tag without its quotes, a strong one.
Response range_response(const Request& request, Response whole, std::string_view tag);

}  // namespace muster::http
