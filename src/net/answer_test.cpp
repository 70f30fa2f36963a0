// SPDX-License-Identifier: Apache-2.0
#include "net/answer.h"

#include <gtest/gtest.h>

namespace muster::net {
namespace {

TEST(HttpDate, IsTheFixedFormOfRfc9110) {
  EXPECT_EQ(format_http_date({784'111'777'000}), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(format_http_date({0}), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(format_http_date({1'709'251'199'999}), "Thu, 29 Feb 2024 23:59:59 GMT");
}

TEST(AnswerHead, SaysWhatTheConnectionDoesOnlyWhenNeeded) {
  const http::Response response = http::json_response(409, "{}");
  std::string stays;
  append_answer_head(stays, response, {.date = "D"});
  EXPECT_EQ(stays,
            "HTTP/1.1 409 Conflict\r\nDate: D\r\nContent-Type: application/json\r\n"
            "Content-Length: 2\r\n\r\n");
  std::string closes;
  append_answer_head(closes, {204}, {.date = "D", .close = true, .http_1_0 = true});
  EXPECT_EQ(closes, "HTTP/1.1 204 No Content\r\nDate: D\r\nConnection: close\r\n\r\n");
}

}  // namespace
}  // namespace muster::net
