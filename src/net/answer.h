// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/time.h"
#include "http/response.h"

namespace muster::net {

/// What the head of an answer says beyond its Response.
struct AnswerFraming {
  std::string_view date = {};
  bool close = false;
  bool http_1_0 = false;
};

/// True unless the status forbids a body (RFC 9110 6.4.1).
bool allows_body(int status);

/// Appends status line, fields and empty line. Control characters in values become spaces, so that
/// no text a handler passed on can end a line.
void append_answer_head(std::string& out, const http::Response& response,
                        const AnswerFraming& framing);

/// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7).
std::string format_http_date(Instant at);

}  // namespace muster::net
