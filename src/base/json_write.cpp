// SPDX-License-Identifier: Apache-2.0
#include "base/json_write.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

namespace muster {

namespace {

bool needs_escape(unsigned char c) {
  return c < 0x20 || c == '"' || c == '\\';
}

/// How many octets at the start of `text` stand for themselves. Eight at a time: the high bit of a
/// byte of `found` is set where it must be escaped, or stands behind one that must.
std::size_t plain_prefix(std::string_view text) {
  constexpr std::uint64_t ones = 0x0101010101010101;
  const auto below = [](std::uint64_t word, std::uint64_t limit) {
    return (word - ones * limit) & ~word;
  };
  std::size_t i = 0;
  for (; i + sizeof(std::uint64_t) <= text.size(); i += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + i, sizeof word);
    const std::uint64_t found =
        below(word, 0x20) | below(word ^ (ones * '"'), 1) | below(word ^ (ones * '\\'), 1);
    if ((found & (ones << 7)) != 0) break;
  }
  while (i < text.size() && !needs_escape(static_cast<unsigned char>(text[i]))) ++i;
  return i;
}

void append_escaped(std::string& out, unsigned char c) {
  static constexpr char digits[] = "0123456789abcdef";
  out.push_back('\\');
  switch (c) {
    case '"':
    case '\\':
      out.push_back(static_cast<char>(c));
      break;
    case '\n':
      out.push_back('n');
      break;
    case '\r':
      out.push_back('r');
      break;
    case '\t':
      out.push_back('t');
      break;
    default:
      out += "u00";
      out.push_back(digits[c >> 4]);
      out.push_back(digits[c & 15]);
  }
}

}  // namespace

void JsonWriter::separate() {
  if (!first_) out_ += ", ";
  first_ = false;
}

JsonWriter& JsonWriter::begin_object() {
  separate();
  out_.push_back('{');
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::end_object() {
  out_.push_back('}');
  first_ = false;
  return *this;
}

JsonWriter& JsonWriter::begin_array() {
  separate();
  out_.push_back('[');
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::end_array() {
  out_.push_back(']');
  first_ = false;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  text_between(name, "\": ");
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  text_between(text, "\"");
  return *this;
}

void JsonWriter::text_between(std::string_view text, std::string_view end) {
  const std::size_t plain = plain_prefix(text);
  // Most text needs no escape: the string grows once.
  const std::string_view before = first_ ? "\"" : ", \"";
  const std::size_t at = out_.size();
  const std::size_t bytes = before.size() + plain + (plain == text.size() ? end.size() : 0);
  out_.append(bytes, '"');
  char* to = std::copy(before.begin(), before.end(), out_.data() + at);
  to = std::copy_n(text.data(), plain, to);
  first_ = false;
  if (plain == text.size()) {
    std::copy(end.begin(), end.end(), to);
    return;
  }
  text.remove_prefix(plain);
  while (!text.empty()) {
    append_escaped(out_, static_cast<unsigned char>(text.front()));
    text.remove_prefix(1);
    const std::size_t more = plain_prefix(text);
    out_.append(text.substr(0, more));
    text.remove_prefix(more);
  }
  out_.append(end);
}

JsonWriter& JsonWriter::integer(std::int64_t number) {
  separate();
  std::array<char, 24> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  out_.append(text.data(), end);
  return *this;
}

JsonWriter& JsonWriter::value(double number) {
  if (!std::isfinite(number)) return null();  // JSON has no word for it (RFC 8259 §6)
  separate();
  if (number == 0) number = 0;  // without the sign of -0.0, which reads as an integer
  // Written with all its digits, a large number would read as an integer that fits no integer.
  const bool large = std::abs(number) >= 0x1p53;
  std::array<char, 40> text{};
  char* const last = text.data() + text.size();
  const auto end = large
                       ? std::to_chars(text.data(), last, number, std::chars_format::scientific).ptr
                       : std::to_chars(text.data(), last, number).ptr;
  out_.append(text.data(), end);
  return *this;
}

JsonWriter& JsonWriter::value(Instant at) {
  separate();
  out_.push_back('"');
  append_rfc3339(out_, at);
  out_.push_back('"');
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_.append(json);
  return *this;
}

}  // namespace muster
