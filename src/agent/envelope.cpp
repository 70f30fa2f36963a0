// SPDX-License-Identifier: Apache-2.0
#include "agent/envelope.h"

#include "agent/bounds.h"
#include "base/text.h"

namespace muster::agent {

namespace {

Result<Json> read_object(const Answer& answer) {
  if (answer.body.size() > bounds::answer_bytes) {
    return Error{Errc::body_too_large, "the answer is too large"};
  }
  const Json body = TRY(thread_json().parse(answer.body));
  if (!body.is_object()) return Error{Errc::invalid_json, "the answer is not a JSON object"};
  return body;
}

std::string_view text_of(const Json& object, std::string_view name) {
  const auto value = object.find(name);
  return value ? value->string().value_or("") : std::string_view();
}

}  // namespace

Result<Json> read_envelope(const Answer& answer) {
  const Json body = TRY(read_object(answer));
  const auto success = body.find("success");
  const auto data = body.find("data");
  if (!success || success->boolean() != true || !data) {
    return Error{Errc::invalid_json, "the answer is not one of this server"};
  }
  return *data;
}

Result<Json> read_flat(const Answer& answer) {
  const Json body = TRY(read_object(answer));
  const std::string_view status = text_of(body, "status");
  if (status != "accepted" && status != "success") {
    return Error{Errc::invalid_json, "the answer is not one of this server"};
  }
  return body;
}

Refusal read_refusal(const Answer& answer) {
  Refusal refusal;
  refusal.message = "no reason given";
  const auto body = read_object(answer);
  if (!body) return refusal;
  // Device: {"error": words, "code": code}. Inventory: {"error": code, "message": words}.
  const bool device = body->find("code").has_value();
  refusal.code = text_of(*body, device ? "code" : "error");
  const std::string_view words = text_of(*body, body->find("message") ? "message" : "error");
  if (!words.empty()) {
    refusal.message = escape_for_terminal(cut_utf8(words, limits::detail_bytes));
  }
  std::string_view time = text_of(*body, "server_time");
  if (const auto data = body->find("data"); time.empty() && data) {
    time = text_of(*data, "server_time");
  }
  if (const auto at = parse_rfc3339(time); at.ok()) refusal.server_time = at.value();
  return refusal;
}

bool is_refusal_of_server(const Answer& answer) {
  const auto body = read_object(answer);
  const auto success = body.ok() ? body->find("success") : std::nullopt;
  return success && success->boolean() == false;
}

}  // namespace muster::agent
