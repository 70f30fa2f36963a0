// SPDX-License-Identifier: Apache-2.0
#include "base/time.h"

#include <array>

namespace muster {

Instant SystemClock::now() const {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::milliseconds>(since).count()};
}

namespace {

Error not_a_time() {
  return {Errc::invalid_field, "not an RFC 3339 time"};
}

/// Reads exactly `count` digits at the front of `text` into `out` and drops them.
bool take_digits(std::string_view& text, int count, int& out) {
  if (text.size() < static_cast<std::size_t>(count)) return false;
  out = 0;
  for (int i = 0; i < count; ++i) {
    const char c = text[static_cast<std::size_t>(i)];
    if (c < '0' || c > '9') return false;
    out = out * 10 + (c - '0');
  }
  text.remove_prefix(static_cast<std::size_t>(count));
  return true;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

/// Milliseconds of an optional ".fraction"; -1 when malformed.
int take_fraction(std::string_view& text) {
  if (!take(text, ".")) return 0;
  int millis = 0;
  int digits = 0;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9' && digits < 10) {
    if (digits < 3) millis = millis * 10 + (text.front() - '0');
    ++digits;
    text.remove_prefix(1);
  }
  if (digits == 0 || digits > 9) return -1;
  for (int i = digits; i < 3; ++i) millis *= 10;
  return millis;
}

void put_digits(char* at, int count, int value) {
  for (int i = count - 1; i >= 0; --i) {
    at[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

}  // namespace

Result<Instant> parse_rfc3339(std::string_view text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (!take_digits(text, 4, year) || !take(text, "-") || !take_digits(text, 2, month) ||
      !take(text, "-") || !take_digits(text, 2, day) || !take(text, "Tt ") ||
      !take_digits(text, 2, hour) || !take(text, ":") || !take_digits(text, 2, minute) ||
      !take(text, ":") || !take_digits(text, 2, second)) {
    return not_a_time();
  }
  int millis = take_fraction(text);
  if (millis < 0) return not_a_time();
  int offset_minutes = 0;
  if (!take(text, "Zz")) {
    const bool west = !text.empty() && text.front() == '-';
    int offset_hour = 0, offset_minute = 0;
    if (!take(text, "+-") || !take_digits(text, 2, offset_hour) || !take(text, ":") ||
        !take_digits(text, 2, offset_minute) || offset_hour > 23 || offset_minute > 59) {
      return not_a_time();
    }
    offset_minutes = (offset_hour * 60 + offset_minute) * (west ? -1 : 1);
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!text.empty() || !date.ok() || hour > 23 || minute > 59 || second > 60) return not_a_time();
  if (second == 60) {
    second = 59;
    millis = 999;
  }
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const std::int64_t seconds = ((days * 24 + hour) * 60 + minute - offset_minutes) * 60 + second;
  return Instant{seconds * 1000 + millis};
}

void append_rfc3339(std::string& out, Instant at) {
  const auto point = std::chrono::sys_time<Duration>(Duration(at.unix_ms));
  const auto day = std::chrono::floor<std::chrono::days>(point);
  const std::chrono::year_month_day date(day);
  const int seconds =
      static_cast<int>(std::chrono::floor<std::chrono::seconds>(point - day).count());
  std::array<char, 20> text = {'0', '0', '0', '0', '-', '0', '0', '-', '0', '0',
                               'T', '0', '0', ':', '0', '0', ':', '0', '0', 'Z'};
  put_digits(&text[0], 4, static_cast<int>(date.year()));
  put_digits(&text[5], 2, static_cast<int>(static_cast<unsigned>(date.month())));
  put_digits(&text[8], 2, static_cast<int>(static_cast<unsigned>(date.day())));
  put_digits(&text[11], 2, seconds / 3600);
  put_digits(&text[14], 2, seconds / 60 % 60);
  put_digits(&text[17], 2, seconds % 60);
  out.append(text.data(), text.size());
}

std::string format_rfc3339(Instant at) {
  std::string out;
  append_rfc3339(out, at);
  return out;
}

}  // namespace muster
