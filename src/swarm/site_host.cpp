// SPDX-License-Identifier: Apache-2.0
#include "swarm/site_host.h"

#include <algorithm>

#include "agent/http_date.h"
#include "base/json_write.h"

namespace muster::swarm {

namespace {

constexpr Micros retry = std::chrono::seconds(30);
constexpr const char* agent_version = "1.5.0";

/// 0.9 to 1.1 times `wait`, as fielded agents do.
Micros spread(SeededRng& rng, Micros wait) {
  return wait - wait / 10 + up_to(rng, wait / 5);
}

/// What the server asks for, or a usual wait.
Micros wait_after(const Result<agent::Answer>& answer, Instant wall) {
  if (!answer.ok()) return retry;
  const auto asked = agent::parse_retry_after(answer->header("Retry-After"), wall);
  return asked ? Micros(*asked) : retry;
}

}  // namespace

SiteHost::SiteHost(Surroundings& world, std::uint32_t number, const std::string& key)
    : world_(world),
      rng_(rng_of(world.scenario(), number)),
      changes_(world.scenario(), number, rng_, world.now()),
      key_(key),
      number_(number) {}

void SiteHost::start() {
  on_ = true;
  awaited_.reset();
  beat_due_ = report_due_ = world_.now();
  call_what_is_due();
}

void SiteHost::wake() {
  if (on_ && !awaited_) call_what_is_due();
}

/// Presence first, once the server knows the host: a site's heartbeat does not make one.
void SiteHost::call_what_is_due() {
  if (known_ && beat_due_ <= world_.now()) return beat();
  if (report_due_ <= world_.now() && report()) return;
  world_.wake_at(number_, known_ ? std::min(beat_due_, report_due_) : report_due_);
}

void SiteHost::send(Kind kind, std::string body, Micros due) {
  awaited_ = kind;
  const std::string path =
      kind == Kind::site_heartbeat ? "/api/agent/heartbeat" : "/api/agent/inventory";
  world_.send(number_, kind, {http::Method::post, path, {{"X-Agent-Key", key_}}, std::move(body)},
              due);
}

void SiteHost::beat() {
  JsonWriter json;
  json.begin_object()
      .member("hostname", hostname_of(number_))
      .member("agent_version", agent_version)
      .end_object();
  send(Kind::site_heartbeat, json.take(), beat_due_);
}

agent::SoftwareSet SiteHost::software(std::uint32_t revision) const {
  return agent::make_software_set(world_.pool().packages(changes_.variant(), revision));
}

bool SiteHost::report() {
  reporting_ = changes_.revision(rng_, world_.now());
  const bool full = !acknowledged_ || full_due_ <= world_.now();
  agent::SoftwareChange change;
  if (!full) {
    change = agent::change_between(software(*acknowledged_), software(reporting_));
    if (change.empty()) {
      report_due_ += spread(rng_, std::chrono::seconds(world_.scenario().agent_changes_seconds));
      return false;
    }
  }
  JsonWriter json;
  json.begin_object().member("hostname", hostname_of(number_)).key("os").begin_object();
  json.member("name", "Debian GNU/Linux").member("version", "12").end_object();
  if (full) {
    json.key("software");
    agent::write_software(json, software(reporting_));
  } else {
    json.member("delta", true).key("software_added");
    agent::write_software(json, change.added);
    json.key("software_removed");
    agent::write_software(json, change.removed);
  }
  send(Kind::site_report, std::move(json.end_object()).take(), report_due_);
  return true;
}

void SiteHost::reported(const Result<agent::Answer>& answer) {
  const Scenario& scenario = world_.scenario();
  const Micros now = world_.now();
  if (!answer.ok() || !answer->success()) {
    // Lost, it may have been taken: only a full report is sure.
    acknowledged_.reset();
    report_due_ = now + spread(rng_, wait_after(answer, world_.wall()));
    return;
  }
  const Micros changes = std::chrono::seconds(scenario.agent_changes_seconds);
  const Micros day = std::chrono::seconds(scenario.agent_report_seconds);
  // As with OwnAgent::spread_reports(): the first puts it somewhere into its day.
  if (!acknowledged_) {
    full_due_ = now + up_to(rng_, day);
    report_due_ = now + up_to(rng_, changes);
  } else {
    if (full_due_ <= now) full_due_ = now + day;
    report_due_ = now + spread(rng_, changes);
  }
  acknowledged_ = reporting_;
  if (!std::exchange(known_, true)) beat_due_ = now;
}

/// What the server knows of this host.
void SiteHost::forget() {
  known_ = false;
  acknowledged_.reset();
  report_due_ = world_.now();
}

void SiteHost::answered(Result<agent::Answer> answer) {
  const Kind kind = *std::exchange(awaited_, std::nullopt);
  if (kind == Kind::site_report) {
    reported(answer);
  } else if (answer.ok() && answer->success()) {
    beat_due_ = world_.now() +
                spread(rng_, std::chrono::seconds(world_.scenario().agent_heartbeat_seconds));
    world_.has_beaten(number_);
  } else {
    const bool unknown = answer.ok() && answer->status == 404;
    if (unknown) forget();
    beat_due_ = world_.now() + spread(rng_, wait_after(answer, world_.wall()));
  }
  call_what_is_due();
}

}  // namespace muster::swarm
