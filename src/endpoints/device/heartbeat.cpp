// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/json_write.h"
#include "base/text.h"
#include "endpoints/app.h"
#include "endpoints/decode.h"
#include "endpoints/inventory/heartbeat.h"
#include "endpoints/inventory/parts.h"
#include "fleet/clones.h"
#include "fleet/credentials.h"
#include "fleet/heartbeats.h"
#include "fleet/host_directory.h"
#include "fleet/nodes.h"
#include "fleet/offered_keys.h"
#include "fleet/settings.h"
#include "http/response.h"

namespace muster::endpoints {

namespace {

constexpr std::string_view statuses[] = {"idle", "executing", "updating", "error", "offline"};
constexpr std::string_view reasons[] = {
#define RECONNECT_REASON(name) #name,
#include "model/reconnect_reasons.def"
#undef RECONNECT_REASON
};

template <std::size_t size>
std::string_view known_or_unknown(std::string_view text, const std::string_view (&known)[size]) {
  for (const std::string_view word : known) {
    if (word == text) return word;
  }
  return "unknown";
}

/// A heartbeat is never refused for a member: what cannot be used is left out and named.
class LenientHeartbeat {
 public:
  void decode(const Json& body) {
    body.for_each_member([&](std::string_view name, const Json& value) { take(name, value); });
  }
  fleet::Heartbeat heartbeat;
  std::optional<model::SetHash> set_hash;  // of the software that it reported
  std::vector<std::string> warnings;

 private:
  void warn(std::string_view name, std::string_view what) {
    if (warnings.size() < limits::heartbeat_warnings) {
      warnings.push_back(std::string(name) + ": " + std::string(what));
    }
  }

  std::string_view text(std::string_view name, const Json& value, std::size_t bytes_max) {
    const auto text = value.string();
    if (!text) {
      warn(name, "must be a string");
    } else if (text->size() > bytes_max || !is_plain_text(*text)) {
      warn(name, "must be plain text of at most " + std::to_string(bytes_max) + " bytes");
    } else {
      return *text;
    }
    return {};
  }

  std::optional<Uuid> task(std::string_view name, const Json& value) {
    // Agents also send words that are no id ("task-uuid-or-null" in the seed): not worth a warning.
    const Result<Uuid> id = parse_uuid(text(name, value, limits::name_bytes));
    if (!id.ok()) return std::nullopt;
    return *id;
  }

  model::AgentCondition& condition() {
    if (!heartbeat.condition) heartbeat.condition.emplace();
    return *heartbeat.condition;
  }

  void take_system(const Json& system) {
    struct Vital {
      std::string_view name;
      std::string_view path;
      double model::Vitals::*member;
    };
    static constexpr Vital vitals[] = {
        {"uptime_seconds", "system.uptime_seconds", &model::Vitals::uptime_seconds},
        {"cpu_percent", "system.cpu_percent", &model::Vitals::cpu_percent},
        {"memory_mb", "system.memory_mb", &model::Vitals::memory_mb},
        {"total_memory_mb", "system.total_memory_mb", &model::Vitals::total_memory_mb},
        {"disk_free_mb", "system.disk_free_mb", &model::Vitals::disk_free_mb},
        {"process_cpu_percent", "system.process_cpu_percent", &model::Vitals::process_cpu_percent},
        {"process_memory_mb", "system.process_memory_mb", &model::Vitals::process_memory_mb},
    };
    system.for_each_member([&](std::string_view name, const Json& value) {
      for (const Vital& vital : vitals) {
        if (vital.name != name) continue;
        const auto number = value.number();
        if (number && *number >= 0) {
          heartbeat.vitals.*vital.member = *number;
        } else if (!value.is_null()) {
          warn(vital.path, number ? "must not be negative" : "must be a number");
        }
        return;
      }
      if (name == "hostname" && value.string()) {
        heartbeat.hostname = text("system.hostname", value, limits::hostname_bytes);
      }
    });
  }

  void take(std::string_view name, const Json& value) {
    if (value.is_null()) return;
    if (name == "status") {
      heartbeat.status = known_or_unknown(text(name, value, limits::name_bytes), statuses);
    } else if (name == "current_task") {
      heartbeat.current_task = task(name, value);
    } else if (name == "last_task_completed") {
      heartbeat.last_task_completed = task(name, value);
    } else if (name == "agent_version") {
      heartbeat.agent_version = text(name, value, limits::agent_version_bytes);
    } else if (name == "reconnect_reason") {
      heartbeat.reconnect_reason = known_or_unknown(text(name, value, limits::name_bytes), reasons);
    } else if (name == "process_start_time") {
      heartbeat.process_start_time = text(name, value, limits::name_bytes);
    } else if (name == "timestamp") {
      heartbeat.timestamp = text(name, value, limits::name_bytes);
    } else if (name == "system") {
      if (value.is_object()) {
        take_system(value);
      } else {
        warn(name, "must be an object");
      }
    } else if (name == "set_hash") {
      set_hash = model::parse_set_hash(text(name, value, limits::name_bytes));
      if (!set_hash) warn(name, "must be 64 hexadecimal digits");
    } else if (name == "config_hash") {
      condition().config_hash = text(name, value, limits::name_bytes);
    } else if (name == "config_error") {
      condition().config_error = text(name, value, limits::detail_bytes);
    } else if (name == "update_version") {
      condition().update_version = text(name, value, limits::agent_version_bytes);
    } else if (name == "update_error") {
      condition().update_error = text(name, value, limits::detail_bytes);
    } else if (name == "reconnect_context") {
      if (value.is_object()) {
        heartbeat.reconnect_context = value.serialise();
        if (heartbeat.reconnect_context.size() > limits::detail_bytes) {
          heartbeat.reconnect_context.clear();
          warn(name, "is longer than " + std::to_string(limits::detail_bytes) + " bytes");
        }
        if (const auto failed_at = value.find("first_failure_at")) {
          heartbeat.first_failure_at = failed_at->string().value_or("");
        }
      } else {
        warn(name, "must be an object");
      }
    }
  }
};

/// What is set for the caller's host, if anything is anywhere.
fleet::Settings::Brief settings_of(const App& app, const http::Caller& caller) {
  if (app.settings.all_defaults()) return {};
  return app.settings.brief_of(caller.org, caller.host, app.directory);
}

/// A key of the agent's, for an answer; empty while another server may not accept it yet.
std::string key_for_answer(App& app, AgentId agent, std::int64_t generation) {
  if (!fleet::may_offer(app.credentials, app.nodes, agent, generation)) return {};
  return app.credentials.agent_key(agent, generation);
}

/// The key that the caller is to use from now on; empty when it has it, or none is offered. Its
/// call with the offered key itself ends the rotation.
std::string offered_key(App& app, const http::Caller& caller) {
  if (caller.offered_key == 0 || caller.offered_key == caller.key) return {};
  return key_for_answer(app, caller.agent, caller.offered_key);
}

/// Of two machines with one key the copied one gets a key of its own.
std::string split_key(App& app, AgentId agent, const fleet::HeartbeatChange& change,
                      std::string_view hostname) {
  const auto into = app.credentials.splits.take(agent, change.boot, hostname);
  if (!into) return {};
  std::string key = key_for_answer(app, *into, 0);
  if (!key.empty()) app.clones.forget(agent);
  return key;
}

/// Of most answers.
constexpr std::size_t answer_bytes = 128;

/// What the answer says besides the time.
struct Acknowledgement {
  bool force_full_scan = false;
  std::string new_api_key;                 // empty: no rotation is pending
  std::optional<std::string> config_hash;  // empty: nothing is set for the agent
  std::optional<std::int64_t> next_in;     // seconds
  std::vector<std::string> warnings;

  bool empty() const {
    return !force_full_scan && new_api_key.empty() && !config_hash && !next_in && warnings.empty();
  }
};

std::string acknowledgement_text(const Acknowledgement& acknowledgement, Instant now) {
  std::string buffer;
  buffer.reserve(answer_bytes);
  JsonWriter json(std::move(buffer));
  json.begin_object()
      .member("success", true)
      .key("data")
      .begin_object()
      .member("acknowledged", true)
      .member("server_time", now);
  if (acknowledgement.force_full_scan) json.member("force_full_scan", true);
  if (!acknowledgement.new_api_key.empty()) {
    json.member("new_api_key", acknowledgement.new_api_key);
  }
  if (acknowledgement.config_hash) json.member("config_hash", *acknowledgement.config_hash);
  if (acknowledgement.next_in) json.member("next_in", *acknowledgement.next_in);
  if (!acknowledgement.warnings.empty()) json.member("warnings", acknowledgement.warnings);
  json.end_object().end_object();
  return json.take();
}

/// Most agents are told nothing but the time, which is one text for all of a second.
const std::string& plain_acknowledgement(Instant now) {
  struct Said {
    std::int64_t second = -1;
    std::string text;
  };
  thread_local Said said;
  const std::int64_t second = now.unix_ms / 1000;
  if (said.second != second) said = {second, acknowledgement_text({}, now)};
  return said.text;
}

http::Response acknowledge(const Acknowledgement& acknowledgement, Instant now) {
  return http::json_response(200, acknowledgement.empty()
                                      ? plain_acknowledgement(now)
                                      : acknowledgement_text(acknowledgement, now));
}

Result<http::Reply> device_heartbeat(App& app, const http::Request& request) {
  LenientHeartbeat decoded;
  decoded.heartbeat.status = "unknown";
  const Result<Json> body = decode_body(request);
  if (!body.ok()) {
    // Whoever proved the key is alive, whatever it says.
    app.presence.touch_agent(request.caller.agent, request.now);
    return body.error();
  }
  decoded.decode(*body);
  decoded.heartbeat.sent_at = request.caller.sent_at;
  const fleet::HeartbeatChange change = TRY(fleet::record_heartbeat(
      app.presence, app.config, request.caller.agent, decoded.heartbeat, request.now));
  Acknowledgement answer;
  fleet::Settings::Brief settings = settings_of(app, request.caller);
  answer.force_full_scan =
      settings.force_full_scan ||
      app.marks.full_is_due(request.caller.host, request.caller.agent, app.config, request.now);
  // Only agents that speak of their condition know what to do with these.
  if (decoded.heartbeat.condition) {
    answer.config_hash = std::move(settings.config_hash);
    if (request.strained) {
      app.counters.asked_to_wait.fetch_add(1, std::memory_order_relaxed);
      answer.next_in = fleet::seconds_to_leave(app.config, request.caller.agent);
    }
  }
  std::optional<model::SetHash> doubtful;
  if (decoded.set_hash && !answer.force_full_scan &&
      app.marks.may_differ(request.caller.host, request.caller.agent, *decoded.set_hash)) {
    doubtful = decoded.set_hash;
  }
  answer.new_api_key = offered_key(app, request.caller);
  answer.warnings = std::move(decoded.warnings);
  if (request.caller.splitting) {
    answer.new_api_key = split_key(app, request.caller.agent, change, decoded.heartbeat.hostname);
  }
  std::optional<fleet::Clone> clone;
  if (change.boot_move != model::BootMove::none) {
    clone = app.clones.note(
        request.caller.agent, change.boot_move,
        {std::string(decoded.heartbeat.hostname), std::string(request.peer_address), change.boot},
        request.now);
  }
  if (change.empty() && !clone && !doubtful) return http::Reply(acknowledge(answer, request.now));
  return http::Reply(
      http::Write([&app, change, clone = std::move(clone), answer = std::move(answer), doubtful,
                   owned = fleet::OwnedHeartbeat(decoded.heartbeat), caller = request.caller,
                   now = request.now](store::Tx& tx) mutable -> Result<http::Response> {
        if (!change.empty()) {
          fleet::record_heartbeat_change(tx, app.ids, app.presence, app.config, caller.org,
                                         caller.agent, caller.host, owned, change, now);
        }
        if (clone) {
          fleet::record_clone(tx, app.ids, app.credentials, caller.org, caller.agent, caller.host,
                              *clone, now);
        }
        if (doubtful) {
          answer.force_full_scan =
              record_told_set(app, tx, {caller.org, caller.host, caller.agent, {}}, *doubtful, now);
        }
        return acknowledge(answer, now);
      }));
}

}  // namespace

Result<http::Reply> heartbeat(App& app, const http::Request& request) {
  if (request.caller.kind == http::Caller::Kind::agent) return device_heartbeat(app, request);
  return inventory_heartbeat(app, request);
}

}  // namespace muster::endpoints
