// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include "agent/bounds.h"
#include "agent/core_parts.h"
#include "agent/gzip.h"
#include "agent/http_date.h"

namespace muster::agent::core {

namespace {

constexpr int quick_retries_max = 2;

/// Smaller differences are the time the answer took, and whole seconds of Date.
constexpr Duration offset_tolerance = std::chrono::seconds(5);

void set_offset(Step& step, Instant server_time) {
  const Duration offset = server_time - step.now.wall;
  const Duration change = offset - step.state.clock_offset;
  if (std::chrono::abs(change) <= offset_tolerance) return;
  step.state.clock_offset = offset;
  step.note(LogLevel::warning, "clock_differs_from_server",
            {{"offset_seconds", std::to_string(offset.count() / 1000)}});
}

}  // namespace

void send(Step& step, Purpose purpose, http::Method method, std::string target, std::string body,
          HeaderList headers) {
  State& state = step.state;
  const Identity& identity = state.identity;
  Call call{method, std::move(target), {}, std::move(body)};
  std::string& key = purpose == Purpose::heartbeat ? state.beat_key : state.busy_key;
  key = key_to_use(identity, state.key_choice);
  call.headers = {
      {"X-Agent-Key", key},
      {"X-Agent-ID", identity.agent.text()},
      {"X-Request-Timestamp", format_rfc3339(step.now.wall + state.clock_offset)},
      {"X-Agent-Version", state.version},
  };
  for (auto& header : headers) call.headers.push_back(std::move(header));
  // Inventory routes take gzip; the device routes of fielded servers do not.
  if (!is_device(purpose) && call.body.size() >= bounds::gzip_from_bytes) {
    call.body = gzip(call.body);
    call.headers.emplace_back("Content-Encoding", "gzip");
  }
  if (purpose != Purpose::heartbeat) state.busy = purpose;
  step.actions.push_back(Send{purpose, std::move(call)});
}

void learn_time(Step& step, const Answer& answer) {
  // Date may be a proxy's; it only helps until the server has said its own time.
  if (step.state.offset_from_server) return;
  const auto date = parse_http_date(answer.header("Date"));
  if (date) set_offset(step, *date);
}

void learn_server_time(Step& step, Instant server_time) {
  step.state.offset_from_server = true;
  set_offset(step, server_time);
}

void unauthorised(Step& step, Purpose purpose, const Answer& answer) {
  State& state = step.state;
  Lane& lane = step.lane(purpose);
  const Refusal refusal = read_refusal(answer);
  const bool may_retry = lane.quick_retries < quick_retries_max;
  if (refusal.code == "clock_skew" && refusal.server_time && may_retry) {
    learn_server_time(step, *refusal.server_time);
    ++lane.quick_retries;
    lane.due = step.now.steady;
    return;
  }
  const bool about_key = refusal.code != "clock_skew" && refusal.code != "disabled";
  if (about_key && key_replaced(state.identity, step.used_key)) {
    // Another call proved the next one meanwhile: that this one ended says nothing of it.
    lane.due = step.now.steady;
    return;
  }
  if (about_key && key_refused(state.identity, state.key_choice, step.used_key) && may_retry) {
    ++lane.quick_retries;
    lane.due = step.now.steady;
    return;
  }
  failed(step, purpose, "the server does not accept this agent: " + refusal.message,
         bounds::refused_retry);
}

void key_proved(Step& step) {
  if (!agent::key_proved(step.state.identity, step.state.key_choice, step.used_key)) return;
  step.save_identity();
  step.note(LogLevel::info, "key_rotated");
}

}  // namespace muster::agent::core
