// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/json_read.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/text.h"
#include "http/request.h"

namespace muster::endpoints {

/// The body of this request as a JSON object, in this thread's document: valid until the handler
/// returns. Fails with invalid_json.
Result<Json> decode_body(const http::Request& request);
/// As decode_body; an empty body is an empty object.
Result<Json> decode_optional_body(const http::Request& request);

/// `request.body` after Content-Encoding was undone: views the request, or `storage`. Compressed it
/// has `packed_max` bytes at most, and `bytes_max` decompressed. What came out counts among large
/// bodies until the request is answered (http/body_budget.h). Fails with invalid_encoding,
/// unsupported_encoding, body_too_large and overloaded.
Result<std::string_view> decode_encoding(const http::Request& request, std::string& storage,
                                         std::size_t packed_max = limits::compressed_body_bytes,
                                         std::size_t bytes_max = limits::decompressed_body_bytes);

/// Required text that is one of `choices`.
std::string_view one_of(Fields& fields, std::string_view name,
                        std::initializer_list<std::string_view> choices);

/// Required text of 2 * N hexadecimal digits.
template <std::size_t N>
void read_hex(Fields& fields, std::string_view name, std::array<std::uint8_t, N>& out) {
  const auto octets = from_hex(fields.text(name, limits::name_bytes));
  if (!octets || octets->size() != N) {
    fields.fail(name, "must be " + std::to_string(2 * N) + " hexadecimal digits");
    return;
  }
  std::copy(octets->begin(), octets->end(), out.begin());
}

/// A path or query value as an id. Fails with not_found: an id of the wrong form never was.
Result<Uuid> uuid_param(std::string_view text, std::string_view what);
Result<std::int64_t> number_param(std::string_view text, std::string_view what);
/// The task that the path names first. Fails with unknown_task, as for one that never was.
Result<TaskId> task_param(const http::Request& request);

/// Items on a page: `?limit=`, 1 to limits::page_size. Fails with invalid_field.
Result<int> page_limit(const http::Request& request);
/// A moment in the query (RFC 3339); nothing when absent. Fails with invalid_field naming it.
Result<std::optional<Instant>> time_param(const http::Request& request, std::string_view name);
/// `?name=true`; false when absent. Fails with invalid_field naming it.
Result<bool> flag_param(const http::Request& request, std::string_view name);
std::string page_cursor(const http::Request& request);

}  // namespace muster::endpoints
