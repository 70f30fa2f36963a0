// SPDX-License-Identifier: Apache-2.0
#include "swarm/outcome.h"

#include <algorithm>
#include <initializer_list>

#include "base/check.h"
#include "base/json_write.h"

namespace muster::swarm {

namespace {

constexpr double mebi = 1024.0 * 1024.0;
constexpr double day_seconds = 24 * 3600;

double ms_of(Micros value) {
  return static_cast<double>(value.count()) / 1000.0;
}

/// Latencies of calls of some kinds; nothing when there were none.
std::optional<double> p99_of(std::initializer_list<const Tally*> tallies,
                             std::initializer_list<Kind> of_kinds) {
  Histogram sum;
  for (const Tally* tally : tallies) {
    for (const Kind kind : of_kinds) sum.add(tally->of(kind).latency);
  }
  if (sum.count() == 0) return std::nullopt;
  return ms_of(sum.quantile(0.99));
}

std::optional<double> rate(std::uint64_t count, double seconds) {
  if (seconds <= 0) return std::nullopt;
  return static_cast<double>(count) / seconds;
}

template <typename T, typename F>
std::optional<double> if_known(const std::optional<T>& value, F&& convert) {
  if (!value) return std::nullopt;
  return convert(static_cast<double>(*value));
}

/// One function for each of figures.def, by name.
struct Measures {
  const Outcome& out;
  const KindTally hosts = out.measured.of_hosts();

  std::optional<double> latency(double share) const {
    if (hosts.latency.count() == 0) return std::nullopt;
    return ms_of(hosts.latency.quantile(share));
  }
  std::optional<double> p50_ms() const { return latency(0.5); }
  std::optional<double> p99_ms() const { return latency(0.99); }
  std::optional<double> p999_ms() const { return latency(0.999); }
  std::optional<double> max_ms() const { return latency(1); }
  std::optional<double> heartbeat_p99_ms() const {
    return p99_of({&out.measured}, {Kind::heartbeat, Kind::site_heartbeat});
  }
  std::optional<double> poll_p99_ms() const { return p99_of({&out.measured}, {Kind::poll}); }
  std::optional<double> result_p99_ms() const { return p99_of({&out.measured}, {Kind::result}); }
  std::optional<double> report_p99_ms() const {
    return p99_of({&out.measured}, {Kind::report, Kind::site_report});
  }
  std::optional<double> enrolment_p99_ms() const {
    return p99_of({&out.setup, &out.measured}, {Kind::enrolment});
  }
  std::optional<double> errors() const {
    std::uint64_t sum = 0;
    for (const Tally* tally : {&out.setup, &out.measured}) {
      sum += tally->of_hosts().errors() + tally->of(Kind::task_order).errors();
    }
    return static_cast<double>(sum);
  }
  std::optional<double> calls_per_second() const {
    return rate(hosts.calls(), out.measured_seconds);
  }
  std::optional<double> results_per_second() const {
    return rate(out.measured.of(Kind::result).of(End::good), out.measured_seconds);
  }
  std::optional<double> enrolments_per_second() const {
    return rate(out.enrolled, out.enrolling_seconds);
  }
  std::optional<double> up_percent() const {
    return 100.0 * out.hosts_up / static_cast<double>(out.scenario.fleet_agents);
  }
  std::optional<double> offline() const {
    return if_known(out.most_offline, [](double count) { return count; });
  }
  std::optional<double> all_back_seconds() const { return out.all_back_seconds; }
  std::optional<double> server_cpu_cores() const {
    return if_known(out.server_cpu_seconds,
                    [&](double seconds) { return seconds / out.measured_seconds; });
  }
  std::optional<double> server_rss_mib() const {
    return if_known(out.server_resident_bytes, [](double bytes) { return bytes / mebi; });
  }
  std::optional<double> server_written_gib_per_day() const {
    return if_known(out.server_written_bytes, [&](double bytes) {
      return bytes / out.measured_seconds * day_seconds / mebi / 1024;
    });
  }
  std::optional<double> lag_p99_ms() const {
    if (hosts.lag.count() == 0) return std::nullopt;
    return ms_of(hosts.lag.quantile(0.99));
  }
  std::optional<double> swarm_bytes_per_host() const {
    return if_known(out.swarm_resident_bytes, [&](double bytes) {
      return bytes / static_cast<double>(out.scenario.fleet_agents);
    });
  }
};

void write_kind(JsonWriter& json, std::string_view name, const KindTally& tally) {
  json.begin_object().member("call", name).member("count", tally.calls());
  json.member("errors", tally.errors()).key("ends").begin_object();
  for (std::size_t i = 0; i < ends; ++i) {
    if (tally.by_end[i] != 0) json.member(end_name(static_cast<End>(i)), tally.by_end[i]);
  }
  json.end_object()
      .member("p50_ms", ms_of(tally.latency.quantile(0.5)))
      .member("p90_ms", ms_of(tally.latency.quantile(0.9)))
      .member("p99_ms", ms_of(tally.latency.quantile(0.99)))
      .member("p999_ms", ms_of(tally.latency.quantile(0.999)))
      .member("max_ms", ms_of(tally.latency.max()))
      .end_object();
}

void write_tally(JsonWriter& json, std::string_view name, const Tally& tally) {
  json.key(name).begin_array();
  for (std::size_t i = 0; i < kinds; ++i) {
    const auto kind = static_cast<Kind>(i);
    if (tally.of(kind).calls() != 0) write_kind(json, kind_name(kind), tally.of(kind));
  }
  json.end_array();
}

void write_reasons(JsonWriter& json, const Outcome& outcome) {
  json.key("reasons").begin_array();
  for (const Tally* tally : {&outcome.setup, &outcome.measured}) {
    for (const auto& [why, count] : tally->reasons()) {
      json.begin_object().member("why", why).member("count", count).end_object();
    }
  }
  json.end_array();
}

}  // namespace

std::vector<Figure> figures_of(const Outcome& outcome) {
  const Measures measures{outcome};
  return {
#define FIGURE(name, sense, text) Figure{#name, Figure::Sense::sense, text, measures.name()},
#include "swarm/figures.def"
#undef FIGURE
  };
}

std::vector<Verdict> judge(const std::vector<Figure>& figures,
                           const std::vector<Assertion>& assertions) {
  std::vector<Verdict> verdicts;
  for (const Assertion& assertion : assertions) {
    const auto figure = std::find_if(figures.begin(), figures.end(), [&](const Figure& each) {
      return each.name == assertion.figure;
    });
    CHECK(figure != figures.end());
    const bool most = figure->sense == Figure::Sense::at_most;
    const bool holds = figure->value && (most ? *figure->value <= assertion.limit
                                              : *figure->value >= assertion.limit);
    verdicts.push_back({*figure, assertion.limit, holds});
  }
  return verdicts;
}

bool all_hold(const std::vector<Verdict>& verdicts) {
  return std::all_of(verdicts.begin(), verdicts.end(),
                     [](const Verdict& verdict) { return verdict.holds; });
}

std::string encode_outcome(const Outcome& outcome) {
  const auto figures = figures_of(outcome);
  const auto verdicts = judge(figures, outcome.scenario.assertions);
  JsonWriter json;
  json.begin_object()
      .member("agents", outcome.scenario.fleet_agents)
      .member("site_hosts", outcome.scenario.site_hosts())
      .member("seed", outcome.scenario.fleet_seed)
      .member("setup_seconds", outcome.setup_seconds)
      .member("measured_seconds", outcome.measured_seconds)
      .member("requests", outcome.measured.of_hosts().calls())
      .member("online", outcome.last_online);
  for (const Figure& figure : figures) json.member(figure.name, figure.value);
  write_tally(json, "setup", outcome.setup);
  write_tally(json, "measured", outcome.measured);
  write_reasons(json, outcome);
  json.key("verdicts").begin_array();
  for (const Verdict& verdict : verdicts) {
    const bool most = verdict.figure.sense == Figure::Sense::at_most;
    json.begin_object()
        .member("figure", verdict.figure.name)
        .member(most ? "at_most" : "at_least", verdict.limit)
        .member("value", verdict.figure.value)
        .member("holds", verdict.holds)
        .end_object();
  }
  json.end_array().member("passed", all_hold(verdicts)).end_object();
  return json.take();
}

}  // namespace muster::swarm
