// SPDX-License-Identifier: Apache-2.0
#include "sim/plant.h"

namespace muster::sim {

namespace {

bool is_post_to(const agent::Call& call, std::string_view target) {
  return call.method == http::Method::post && call.target == target;
}

}  // namespace

std::optional<http::Response> forge(Plant plant, const agent::Call& call) {
  switch (plant) {
    case Plant::cancels_forged:
      if (call.target.ends_with("/cancel")) return http::json_response(200, "{}");
      break;
    case Plant::orders_forged:
      if (is_post_to(call, "/api/v1/tasks")) {
        return http::json_response(201,
                                   R"({"task_ids": ["01a20516-2952-70ad-bfc7-74aab004272b"]})");
      }
      break;
    case Plant::changes_forged:
      if (is_post_to(call, "/api/v1/keys")) {
        return http::json_response(201, R"({"id": 4711, "key": "sk_agent_0", "name": "site"})");
      }
      break;
    case Plant::beats_forged:
      if (is_post_to(call, "/api/agent/heartbeat")) {
        return http::json_response(200, R"({"success": true, "data": {"acknowledged": true}})");
      }
      if (call.method == http::Method::get && call.target == "/api/agent/tasks") {
        return http::Response{204, ""};
      }
      break;
    case Plant::reports_forged:
      // Deltas alone would be missed by the hash in the next heartbeat, and sent in full.
      if (call.target == "/api/agent/report") {
        return http::json_response(200, R"({"status": "accepted", "asset_id": 1})");
      }
      break;
    default:
      break;
  }
  return std::nullopt;
}

void garble(Plant plant, const agent::Call& call, http::Response& response) {
  if (plant != Plant::keys_garbled || !is_post_to(call, "/api/agent/enroll")) return;
  for (std::size_t at = 0; (at = response.body.find("\"ak_", at)) != std::string::npos; at += 8) {
    response.body[at + 4] = response.body[at + 4] == '0' ? '1' : '0';
  }
}

}  // namespace muster::sim
