// SPDX-License-Identifier: Apache-2.0
#include "http/range.h"

#include <algorithm>

#include "base/check.h"
#include "base/text.h"

namespace muster::http {

namespace {

enum class Asked { whole, part, nothing_there };
struct Part {
  Asked asked = Asked::whole;
  std::uint64_t first = 0;
  std::uint64_t bytes = 0;
};

std::optional<std::uint64_t> parse_position(std::string_view digits) {
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) {
    return std::nullopt;
  }
  const auto number = parse_int(digits);
  // A position that no number holds is beyond the end of everything.
  return number ? static_cast<std::uint64_t>(*number) : ~std::uint64_t{0};
}

/// The part of `size` octets that a Range field means.
Part parse_range(std::string_view field, std::uint64_t size) {
  const auto equals = field.find('=');
  if (equals == std::string_view::npos || !equal_folded(trim(field.substr(0, equals)), "bytes")) {
    return {};
  }
  const std::string_view range = trim(field.substr(equals + 1));
  const auto dash = range.find('-');
  if (dash == std::string_view::npos) return {};
  const auto first = parse_position(range.substr(0, dash));
  const auto last = parse_position(range.substr(dash + 1));
  if (dash == 0) {
    if (!last) return {};
    const std::uint64_t bytes = std::min(*last, size);
    return {bytes > 0 ? Asked::part : Asked::nothing_there, size - bytes, bytes};
  }
  const bool open = dash + 1 == range.size();
  if (!first || (!open && !last) || (last && *last < *first)) return {};
  if (*first >= size) return {Asked::nothing_there};
  const std::uint64_t end = open ? size - 1 : std::min(*last, size - 1);
  return {Asked::part, *first, end - *first + 1};
}

bool names_tag(std::string_view list, std::string_view quoted) {
  if (trim(list) == "*") return true;
  while (!list.empty()) {
    const auto comma = list.find(',');
    std::string_view one = trim(list.substr(0, comma));
    if (one.starts_with("W/")) one.remove_prefix(2);
    if (one == quoted) return true;
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  }
  return false;
}

}  // namespace

Response range_response(const Request& request, Response whole, std::string_view tag) {
  CHECK(whole.stream.has_value());
  const std::string quoted = "\"" + std::string(tag) + "\"";
  whole.headers.emplace_back("ETag", quoted);
  whole.headers.emplace_back("Accept-Ranges", "bytes");
  if (names_tag(request.headers.find("If-None-Match"), quoted)) {
    whole.status = 304;
    whole.stream.reset();
    return whole;
  }
  const std::string_view unchanged = request.headers.find("If-Range");
  if (!unchanged.empty() && unchanged != quoted) return whole;
  const std::uint64_t size = whole.stream->bytes;
  const Part part = parse_range(request.headers.find("Range"), size);
  if (part.asked == Asked::whole) return whole;
  const std::string of = "/" + std::to_string(size);
  if (part.asked == Asked::nothing_there) {
    whole.status = 416;
    whole.stream.reset();
    whole.content_type = {};
    whole.headers.emplace_back("Content-Range", "bytes *" + of);
    return whole;
  }
  whole.status = 206;
  whole.stream->offset = part.first;
  whole.stream->bytes = part.bytes;
  whole.headers.emplace_back("Content-Range", "bytes " + std::to_string(part.first) + "-" +
                                                  std::to_string(part.first + part.bytes - 1) + of);
  return whole;
}

}  // namespace muster::http
