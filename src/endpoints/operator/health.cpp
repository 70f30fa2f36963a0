// SPDX-License-Identifier: Apache-2.0
// What agents said of their machines, and how they and their fleet fare.
#include <cmath>

#include "base/text.h"
#include "endpoints/decode.h"
#include "endpoints/operator/operator.h"
#include "fleet/finding_trend.h"
#include "fleet/health.h"
#include "fleet/hosts.h"
#include "fleet/samples.h"

namespace muster::endpoints {

using http::Reply;
using http::Request;

namespace {

constexpr std::int64_t default_days = 7;
constexpr std::int64_t default_trend_days = 90;

/// The parameter `days`, `otherwise` when it is absent. Fails with invalid_field above `most`.
Result<std::int64_t> days_param(const Request& request, std::int64_t otherwise, std::int64_t most) {
  const auto text = http::query_param(request.query, "days");
  if (!text) return otherwise;
  const std::int64_t days = parse_int(*text).value_or(0);
  if (days < 1 || days > most) {
    return invalid_field("days", "must be between 1 and " + std::to_string(most));
  }
  return days;
}

void write_vital(JsonWriter& json, std::string_view name, double value) {
  json.key(name);
  if (value < 0) {
    json.null();
  } else {
    json.value(value);
  }
}

void write_sample(JsonWriter& json, const model::Sample& sample) {
  const model::Vitals& vitals = sample.vitals;
  json.begin_object().member("at", sample.at()).member("status", sample.status);
  write_vital(json, "uptime_seconds", vitals.uptime_seconds);
  write_vital(json, "cpu_percent", vitals.cpu_percent);
  write_vital(json, "memory_mb", vitals.memory_mb);
  write_vital(json, "disk_free_mb", vitals.disk_free_mb);
  write_vital(json, "process_cpu_percent", vitals.process_cpu_percent);
  write_vital(json, "process_memory_mb", vitals.process_memory_mb);
  json.end_object();
}

void write_maybe(JsonWriter& json, std::string_view name, std::optional<double> value) {
  json.key(name);
  if (value) {
    json.value(*value);
  } else {
    json.null();
  }
}

void write_finding_day(JsonWriter& json, const store::FindingDay& day) {
  const Instant midnight{day.day * Duration(std::chrono::hours(24)).count()};
  json.begin_object()
      .member("day", format_rfc3339(midnight).substr(0, std::string_view("2026-03-21").size()))
      .member("counted_at", day.counted_at);
  for (std::size_t severity = 0; severity < day.open.by_severity.size(); ++severity) {
    json.member(model::severity_name(static_cast<model::Severity>(severity)),
                day.open.by_severity[severity]);
  }
  json.member("kev", day.open.known_exploited).end_object();
}

/// Rounded to a tenth.
std::optional<double> tenths(std::optional<double> value) {
  if (value) *value = std::round(*value * 10) / 10;
  return value;
}

}  // namespace

Result<Reply> show_fleet(App& app, const Request& request) {
  const auto org = TRY(org_param(app, request));
  const fleet::FleetNumbers numbers = app.health.show(org, request.now);
  const model::Record& week = numbers.week;
  const model::Record& month = numbers.month;
  JsonWriter json;
  json.begin_object()
      .member("at", numbers.at)
      .member("agents", numbers.agents)
      .member("online", numbers.online)
      .member("offline", numbers.offline)
      .member("unknown", numbers.unknown)
      .member("flapping", numbers.flapping)
      .member("stale", numbers.stale)
      .member("never_called", numbers.never_called);
  write_maybe(json, "average_health", tenths(numbers.average_health()));
  std::optional<double> uptime;
  if (numbers.agents > 0) uptime = model::percent(model::uptime_share(month));
  write_maybe(json, "uptime_percent_30d", uptime);
  json.member("outages_30d", month.outages);
  write_maybe(json, "hours_between_outages_30d", tenths(model::hours_between_outages(month)));
  json.member("tasks_completed_7d", week.tasks_completed)
      .member("tasks_failed_7d", week.tasks_failed)
      .member("task_success_percent_7d", model::percent(model::task_success_share(week)))
      .member("reporting_hosts", numbers.reporting_hosts)
      .member("packages", numbers.packages)
      .member("packages_not_assessed", numbers.packages_not_assessed)
      .member("hosts_past_support", numbers.hosts_past_support)
      .end_object();
  return Reply(http::json_response(200, json.take()));
}

Result<Reply> show_finding_trend(App& app, const Request& request) {
  const auto org = TRY(org_param(app, request));
  const std::int64_t days =
      TRY(days_param(request, default_trend_days, limits::finding_trend_days));
  JsonWriter json;
  json.begin_object().member("days", days).key("points").begin_array();
  for (const store::FindingDay& day : fleet::list_finding_days(app.store, org, days, request.now)) {
    write_finding_day(json, day);
  }
  json.end_array().end_object();
  return Reply(http::json_response(200, json.take()));
}

Result<Reply> show_agent_history(App& app, const Request& request) {
  const AgentId id{TRY(uuid_param(request.params[0], "agent"))};
  const std::int64_t days = TRY(days_param(request, default_days, limits::history_days));
  const fleet::AgentView found =
      TRY(fleet::show_agent(app.store, app.presence, app.config, id, request.now));
  const Instant since = request.now - std::chrono::hours(24 * days);
  const fleet::SampleHistory history =
      fleet::list_samples(app.store, app.presence, found.agent.org, id, since);
  JsonWriter json;
  json.begin_object()
      .member("agent_id", id)
      .member("hostname", found.hostname)
      .member("since", since)
      .member("sample_seconds", app.config.history_sample_seconds)
      .member("every", history.every)
      .key("points")
      .begin_array();
  for (const model::Sample& sample : history.samples) write_sample(json, sample);
  json.end_array().end_object();
  return Reply(http::json_response(200, json.take()));
}

}  // namespace muster::endpoints
