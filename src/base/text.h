// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace muster {

/// Of ASCII, whatever the locale.
constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
constexpr bool is_alnum(char c) {
  return is_digit(c) || is_letter(c);
}

/// Value of a hexadecimal digit in either case, -1 for anything else.
constexpr int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr char ascii_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// ASCII case folding; other bytes are kept.
std::string fold_case(std::string_view text);
bool equal_folded(std::string_view a, std::string_view b);

/// Without spaces, tabs and line ends at both ends.
std::string_view trim(std::string_view text);

std::string to_hex(std::span<const std::uint8_t> bytes);
/// The bytes of an even number of hexadecimal digits, nothing for any other text.
std::optional<std::string> from_hex(std::string_view text);

/// Whole text as a decimal integer, nothing if any character is left over or it does not fit.
std::optional<std::int64_t> parse_int(std::string_view text);

/// True for valid UTF-8 (RFC 3629) without control characters but those in `allowed`.
bool is_plain_text(std::string_view text, std::string_view allowed = "");

/// `text` if it is UTF-8 without NUL; else a copy in `kept`, in which each NUL and each malformed
/// byte is U+FFFD.
std::string_view well_formed(std::string_view text, std::string& kept);

/// `text` cut to at most `bytes_max` bytes at a character boundary of UTF-8.
std::string_view cut_utf8(std::string_view text, std::size_t bytes_max);

/// Text made safe for a terminal: controls, bidirectional ones too, and bytes that are no UTF-8
/// become \xNN, one for each byte.
std::string escape_for_terminal(std::string_view text);

}  // namespace muster
