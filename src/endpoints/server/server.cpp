// SPDX-License-Identifier: Apache-2.0
// What the server says of itself.
#include <algorithm>
#include <functional>

#include "base/json_write.h"
#include "base/limits.h"
#include "endpoints/app.h"
#include "endpoints/guards.h"
#include "endpoints/server/doctor.h"
#include "fleet/catalogue.h"
#include "fleet/feed_age.h"
#include "fleet/feed_import.h"
#include "fleet/feed_syncs.h"
#include "fleet/key_schedule.h"
#include "fleet/nodes.h"
#include "fleet/presence.h"
#include "fleet/refusals.h"
#include "fleet/watchers.h"
#include "http/request.h"
#include "store/store.h"

namespace muster::endpoints {

using http::Reply;
using http::Request;

namespace {

/// Prometheus text format 0.0.4.
class Exposition {
 public:
  void add(std::string_view name, std::string_view type, std::string_view help,
           std::uint64_t value) {
    head(name, type, help);
    sample(name, value);
  }
  /// For several samples of one name.
  void head(std::string_view name, std::string_view type, std::string_view help) {
    text_ += "# HELP ";
    text_ += name;
    text_ += ' ';
    text_ += help;
    text_ += "\n# TYPE ";
    text_ += name;
    text_ += ' ';
    text_ += type;
    text_ += '\n';
  }
  /// `name` with its labels.
  void sample(std::string_view name, std::uint64_t value) {
    text_ += name;
    text_ += ' ';
    text_ += std::to_string(value);
    text_ += '\n';
  }
  /// One value for each feed; nothing without any.
  void add_feeds(std::string_view name, std::string_view help,
                 const std::vector<fleet::FeedNumbers>& feeds,
                 const std::function<std::optional<std::int64_t>(const fleet::FeedNumbers&)>& of) {
    std::string rows;
    for (const fleet::FeedNumbers& feed : feeds) {
      const auto value = of(feed);
      if (!value) continue;
      rows.append(name).append("{feed=\"").append(feeds::feed_name(feed.kind)).append("\"} ");
      rows.append(std::to_string(*value)).append("\n");
    }
    if (rows.empty()) return;
    text_.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ");
    text_.append(name).append(" gauge\n").append(rows);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

struct AgentCounts {
  std::uint64_t online = 0;
  std::uint64_t offline = 0;
  std::uint64_t unknown = 0;
  std::uint64_t flapping = 0;
};

void add_store(Exposition& out, App& app) {
  const store::Store::Figures store = app.store.figures();
  out.add("muster_store_commits_total", "counter", "Group commits that took effect.",
          store.commits);
  out.add("muster_store_failed_commits_total", "counter",
          "Group commits that failed whole, or found the database away.", store.failed_commits);
  out.add("muster_store_reads_refused_total", "counter", "Reads that waited in vain for a reader.",
          store.reads_refused);
  out.add("muster_servers_live", "gauge", "Servers on the database, this one counted.",
          static_cast<std::uint64_t>(app.nodes.live()));
  out.add("muster_server_leads", "gauge", "Whether this server does what one does for all.",
          app.nodes.leads() ? 1 : 0);
}

AgentCounts count_agents(const App& app, Instant now) {
  AgentCounts counts;
  const Instant started = app.presence.server_started();
  const Duration limit = app.presence.offline_after(app.config);
  app.presence.for_each_agent([&](AgentId, const fleet::AgentPresence& state) {
    if (state.flapping) ++counts.flapping;
    if (!state.called) {
      ++counts.unknown;
      return;
    }
    switch (model::presence_of(state.last_seen, started, limit, now)) {
      case model::Presence::online:
        ++counts.online;
        break;
      case model::Presence::offline:
        ++counts.offline;
        break;
      case model::Presence::unknown:
        ++counts.unknown;
        break;
    }
  });
  return counts;
}

/// Of active agents, as of the last look (every [presence] flush_seconds).
void add_keys(Exposition& out, const store::KeyNumbers& keys, Instant now) {
  const auto add = [&](std::string_view name, std::string_view help, std::int64_t value) {
    out.add(name, "gauge", help, static_cast<std::uint64_t>(value));
  };
  add("muster_agent_keys_unused", "Keys of active agents that have not called yet.", keys.unused);
  add("muster_agent_keys_current", "Keys in use while no other is offered.", keys.current);
  add("muster_agent_keys_pending", "Keys in use while another is offered.", keys.pending);
  add("muster_agent_keys_overdue", "Of those, where it is offered for more than seven days.",
      keys.overdue);
  add("muster_agent_keys_cloned", "Keys that two machines use.", keys.cloned);
  add("muster_agent_keys_splitting", "Of those, where one machine is to become another agent.",
      keys.splitting);
  const Duration oldest = keys.oldest_since ? now - *keys.oldest_since : Duration(0);
  add("muster_agent_key_oldest_age_seconds", "Since the first use of the oldest key in use.",
      std::max<std::int64_t>(0, oldest.count() / 1000));
}

/// As of the last look, sync or import.
void add_feeds(Exposition& out, const std::vector<fleet::FeedNumbers>& feeds, Instant now) {
  using Feed = const fleet::FeedNumbers&;
  const auto seconds = [](std::optional<Instant> at) {
    return at ? std::optional(at->unix_ms / 1000) : std::nullopt;
  };
  out.add_feeds("muster_feed_records", "Records in force of each feed.", feeds,
                [](Feed feed) { return std::optional(feed.records); });
  out.add_feeds("muster_feed_age_seconds", "Since each feed was imported.", feeds, [&](Feed feed) {
    return feed.imported_at
               ? std::optional(std::max<std::int64_t>(0, (now - *feed.imported_at).count() / 1000))
               : std::nullopt;
  });
  out.add_feeds("muster_feed_last_success_timestamp_seconds",
                "When a source last had answered in full, as Unix time.", feeds,
                [&](Feed feed) { return seconds(feed.checked_at); });
  out.add_feeds("muster_feed_sync_failures", "Syncs that failed in a row; 0 once one succeeds.",
                feeds, [](Feed feed) { return std::optional(feed.failures); });
}

void add_stale_feeds(Exposition& out, const App& app, Instant now) {
  out.head("muster_feed_stale", "gauge",
           "1 for a feed that is older than [feeds] allows, by its publisher or its import.");
  for (const fleet::FeedAge& age :
       fleet::feed_ages(app.catalogue.current()->feeds, app.config, now)) {
    if (!age.of) continue;
    const std::string kind(feeds::feed_name(age.kind));
    out.sample("muster_feed_stale{feed=\"" + kind + "\"}", age.stale ? 1 : 0);
  }
}

void add_refusals(Exposition& out, const fleet::RefusalWatch& refusals) {
  const auto count = [&](std::string_view name, std::string_view help,
                         fleet::RefusalReason reason) {
    out.add(name, "counter", help, refusals.count(reason));
  };
  count("muster_refused_clock_skew_total", "Calls with an agent's key refused for their time.",
        fleet::RefusalReason::clock_skew);
  count("muster_refused_disabled_total", "Calls of disabled agents.",
        fleet::RefusalReason::disabled);
  count("muster_refused_retired_key_total", "Calls with a key that its agent gave up for another.",
        fleet::RefusalReason::retired_key);
  count("muster_refused_ended_total", "Calls of agents that were superseded or uninstalled.",
        fleet::RefusalReason::ended);
  out.add("muster_agents_clock_skewed", "gauge", "Agents that are refused for their clock now.",
          refusals.skewed());
}

/// The bounds of the server, and the process under the names that Prometheus' clients give it.
void add_use(Exposition& out, const App& app) {
  const std::vector<Budget> all = budgets(app);
  const auto add = [&](std::string_view name, std::string_view help,
                       std::uint64_t Budget::*member) {
    out.head(name, "gauge", help);
    for (const Budget& budget : all) {
      out.sample(std::string(name) + "{budget=\"" + std::string(budget.name) + "\"}",
                 budget.*member);
    }
  };
  add("muster_budget_used", "Taken of each bound of the server; bytes of memory and disk.",
      &Budget::used);
  add("muster_budget_most",
      "The most that was taken at one time since the start, where it is kept.", &Budget::most);
  add("muster_budget_limit", "Each bound of the server.", &Budget::limit);
  if (!app.machine_use) return;
  const MachineUse use = app.machine_use();
  out.add("muster_waiting_writes", "gauge",
          "Requests that wait for a place with the writer, or to be told to come back later.",
          use.transport.waiting);
  if (use.cpu_seconds) {
    out.add("process_cpu_seconds_total", "counter", "Processor time of all threads.",
            static_cast<std::uint64_t>(*use.cpu_seconds));
  }
  if (use.memory_bytes) {
    out.add("process_resident_memory_bytes", "gauge", "Memory in use.", *use.memory_bytes);
  }
  if (use.written_bytes) {
    out.add("muster_written_bytes_total", "counter", "What the server had the disk write.",
            *use.written_bytes);
  }
}

}  // namespace

Result<Reply> show_health(App&, const Request&) {
  return Reply(http::json_response(200, R"({"status": "ok"})"));
}

Result<Reply> show_readiness(App& app, const Request& request) {
  TRY(check_lease(app));
  // Anybody may ask, so the store is not asked for it.
  const Instant answered{app.store_answered_at_ms.load()};
  if (std::chrono::abs(request.now - answered) > limits::readiness_age) {
    return Error{Errc::unavailable, "The store does not answer.", {}, 1};
  }
  return Reply(http::json_response(200, R"({"status": "ready"})"));
}

Result<Reply> show_metrics(App& app, const Request& request) {
  const AgentCounts agents = count_agents(app, request.now);
  Exposition out;
  out.add("muster_requests_total", "counter", "Requests whose head was read.",
          app.counters.requests.load());
  out.add("muster_refused_requests_total", "counter", "Requests answered with 4xx.",
          app.counters.refused.load());
  out.add("muster_unavailable_requests_total", "counter", "Requests answered with 503.",
          app.counters.unavailable.load());
  out.add("muster_mended_reports_total", "counter",
          "Inventory bodies that lacked their last brace.", app.counters.mended_reports.load());
  out.add("muster_software_drifts_total", "counter",
          "Reporters that named another set of packages than the server has.",
          app.counters.software_drifts.load());
  out.add("muster_fenced_enrolments_total", "counter",
          "Enrolments refused because the token is not for that machine.",
          app.counters.fenced_enrolments.load());
  out.add("muster_heartbeats_asked_to_wait_total", "counter",
          "Heartbeats whose agent was asked to leave the next ones, since the server was strained.",
          app.counters.asked_to_wait.load());
  add_store(out, app);
  out.add("muster_agents", "gauge", "Enrolled agents, disabled ones included.",
          agents.online + agents.offline + agents.unknown);
  out.add("muster_agents_online", "gauge", "Agents heard of within the offline threshold.",
          agents.online);
  out.add("muster_agents_offline", "gauge", "Agents silent for longer.", agents.offline);
  out.add("muster_agents_unknown", "gauge",
          "Agents that never called, or whose silence may be the server's own.", agents.unknown);
  out.add("muster_agents_flapping", "gauge", "Agents of any presence that go and come too often.",
          agents.flapping);
  add_keys(out, app.keys.numbers(), request.now);
  add_feeds(out, app.feed_syncs.numbers(), request.now);
  add_stale_feeds(out, app, request.now);
  add_refusals(out, app.refusals);
  out.add("muster_watchers", "gauge", "Streams of GET /api/v1/stream under way.",
          app.watchers.count());
  add_use(out, app);
  if (const auto expires_at = app.face.certificate_expires_at_seconds.load(); expires_at != 0) {
    out.add("muster_tls_certificate_expiry_timestamp_seconds", "gauge",
            "When the server's certificate expires, as Unix time.",
            static_cast<std::uint64_t>(expires_at));
  }
  http::Response response{200, out.take()};
  response.content_type = "text/plain; version=0.0.4";
  return Reply(std::move(response));
}

Result<Reply> show_doctor(App& app, const Request& request) {
  JsonWriter json;
  json.begin_array();
  for (const Check& check : check_server(app, request.now)) {
    json.begin_object()
        .member("name", check.name)
        .member("state", check_state_name(check.state))
        .member("found", check.found)
        .member("advice", check.advice)
        .end_object();
  }
  json.end_array();
  return Reply(http::json_response(200, json.take()));
}

Result<Reply> show_config(App& app, const Request&) {
  return Reply(http::json_response(200, explain_config_json(app.config, app.face.flags)));
}

Result<Reply> show_openapi(App& app, const Request&) {
  http::Response response;
  response.kept_body = app.face.openapi;
  return Reply(std::move(response));
}

}  // namespace muster::endpoints
