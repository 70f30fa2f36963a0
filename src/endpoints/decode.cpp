// SPDX-License-Identifier: Apache-2.0
#include "endpoints/decode.h"

#include "base/limits.h"
#include "base/text.h"
#include "http/body_budget.h"
#include "http/body_coding.h"

namespace muster::endpoints {

namespace {

Result<Json> decode_object(std::string_view text) {
  const Json json = TRY(thread_json().parse(text));
  if (!json.is_object()) return Error{Errc::invalid_json, "The body must be a JSON object."};
  return json;
}

}  // namespace

Result<Json> decode_body(const http::Request& request) {
  return decode_object(request.body);
}

Result<Json> decode_optional_body(const http::Request& request) {
  return decode_object(trim(request.body).empty() ? "{}" : request.body);
}

Result<std::string_view> decode_encoding(const http::Request& request, std::string& storage,
                                         std::size_t packed_max, std::size_t bytes_max) {
  const std::string_view encoding = request.headers.find("Content-Encoding");
  if (encoding.empty() || equal_folded(encoding, "identity")) return request.body;
  const auto coding = http::parse_coding(encoding);
  if (!coding) return Error{Errc::unsupported_encoding, "Unknown content encoding"};
  if (request.body.size() > packed_max) {
    return Error{Errc::body_too_large, "Compressed payload too large"};
  }
  storage = TRY(http::decode_body(*coding, request.body, bytes_max));
  if (request.body_place != nullptr && !request.body_place->add(storage.size())) {
    // Spread, so that those refused together do not come back together.
    constexpr std::int64_t spread_seconds = 8;
    return Error{Errc::overloaded,
                 "Too many large bodies are under way",
                 {},
                 static_cast<int>(request.now.unix_ms % spread_seconds) + 1};
  }
  return std::string_view(storage);
}

std::string_view one_of(Fields& fields, std::string_view name,
                        std::initializer_list<std::string_view> choices) {
  const std::string_view text = fields.text(name, limits::name_bytes);
  if (fields.failed()) return {};
  std::string all;
  for (const std::string_view choice : choices) {
    if (text == choice) return text;
    all += (all.empty() ? "" : ", ") + std::string(choice);
  }
  fields.fail(name, "must be one of " + all);
  return {};
}

Result<Uuid> uuid_param(std::string_view text, std::string_view what) {
  const Result<Uuid> id = parse_uuid(text);
  if (!id.ok()) return Error{Errc::not_found, "There is no such " + std::string(what) + "."};
  return *id;
}

Result<TaskId> task_param(const http::Request& request) {
  const Result<Uuid> id = parse_uuid(request.params[0]);
  if (!id.ok()) return Error{Errc::unknown_task, "Task not found"};
  return TaskId{*id};
}

Result<std::int64_t> number_param(std::string_view text, std::string_view what) {
  const auto number = parse_int(text);
  if (!number) return Error{Errc::not_found, "There is no such " + std::string(what) + "."};
  return *number;
}

Result<int> page_limit(const http::Request& request) {
  const auto text = http::query_param(request.query, "limit");
  if (!text) return limits::page_size_default;
  const auto number = parse_int(*text);
  if (!number || *number < 1 || *number > limits::page_size) {
    return invalid_field("limit", "must be between 1 and " + std::to_string(limits::page_size));
  }
  return static_cast<int>(*number);
}

Result<std::optional<Instant>> time_param(const http::Request& request, std::string_view name) {
  const auto text = http::query_param(request.query, name);
  if (!text) return std::optional<Instant>();
  const Result<Instant> at = parse_rfc3339(*text);
  if (!at.ok()) return invalid_field(std::string(name), "must be a time as RFC 3339 writes it");
  return std::optional<Instant>(*at);
}

Result<bool> flag_param(const http::Request& request, std::string_view name) {
  const auto text = http::query_param(request.query, name);
  if (!text) return false;
  if (*text != "true" && *text != "false") {
    return invalid_field(std::string(name), "must be true or false");
  }
  return *text == "true";
}

std::string page_cursor(const http::Request& request) {
  return http::query_param(request.query, "cursor").value_or("");
}

}  // namespace muster::endpoints
