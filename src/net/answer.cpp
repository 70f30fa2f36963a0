// SPDX-License-Identifier: Apache-2.0
#include "net/answer.h"

#include <array>
#include <charconv>

#include <boost/beast/http/status.hpp>

#include <fmt/format.h>

namespace muster::net {

namespace {

void append_number(std::string& out, std::size_t number) {
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out.append(digits.data(), end.ptr);
}

void append_value(std::string& out, std::string_view value) {
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    out.push_back(byte < 0x20 || byte == 0x7f ? ' ' : c);
  }
}

void append_status_line(std::string& out, int status) {
  if (status == 200) {
    out.append("HTTP/1.1 200 OK\r\n");
    return;
  }
  const auto reason = boost::beast::http::obsolete_reason(
      boost::beast::http::int_to_status(static_cast<unsigned>(status)));
  out.append("HTTP/1.1 ");
  append_number(out, static_cast<std::size_t>(status));
  out.append(" ").append(reason.data(), reason.size()).append("\r\n");
}

}  // namespace

bool allows_body(int status) {
  return status != 204 && status != 304;
}

void append_answer_head(std::string& out, const http::Response& response,
                        const AnswerFraming& framing) {
  append_status_line(out, response.status);
  out.append("Date: ").append(framing.date).append("\r\n");
  if (allows_body(response.status)) {
    if (!response.content_type.empty()) {
      out.append("Content-Type: ").append(response.content_type).append("\r\n");
    }
    if (!response.live) {
      out.append("Content-Length: ");
      append_number(out, response.body_bytes());
      out.append("\r\n");
    }
  }
  for (const auto& [name, value] : response.headers) {
    append_value(out, name);
    out.append(": ");
    append_value(out, value);
    out.append("\r\n");
  }
  if (framing.close) {
    out.append("Connection: close\r\n");
  } else if (framing.http_1_0) {
    out.append("Connection: keep-alive\r\n");
  }
  out.append("\r\n");
}

std::string format_http_date(Instant at) {
  static constexpr std::array<std::string_view, 7> days = {"Sun", "Mon", "Tue", "Wed",
                                                           "Thu", "Fri", "Sat"};
  static constexpr std::array<std::string_view, 12> months = {
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto point = std::chrono::sys_time<Duration>(Duration(at.unix_ms));
  const auto day = std::chrono::floor<std::chrono::days>(point);
  const std::chrono::year_month_day date(day);
  const std::chrono::weekday weekday(day);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(point - day).count();
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", days[weekday.c_encoding()],
                     static_cast<unsigned>(date.day()),
                     months[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                     seconds / 3600, seconds / 60 % 60, seconds % 60);
}

}  // namespace muster::net
