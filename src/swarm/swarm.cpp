// SPDX-License-Identifier: Apache-2.0
#include "swarm/swarm.h"

#include <algorithm>

#include "base/check.h"
#include "swarm/own_agent.h"
#include "swarm/site_host.h"

namespace muster::swarm {

namespace {

constexpr Micros second = std::chrono::seconds(1);
/// After the end, calls in progress have so long to end; longer than any call may take.
constexpr Micros closing_most = std::chrono::seconds(60);
/// Hosts that act before answers are looked at again: of thousands that are due at once each may
/// take milliseconds to survey its software, and connections must not starve behind them.
constexpr int hosts_at_once = 32;
constexpr std::uint64_t chaos_stream = 0x63'68'61'6f'73;
constexpr std::uint64_t work_stream = 0x77'6f'72'6b;

double seconds_of(Micros time) {
  return std::chrono::duration<double>(time).count();
}

End end_of(const net::ClientFleet::Event& event) {
  switch (event.end) {
    case net::ClientFleet::End::answered:
      break;
    case net::ClientFleet::End::refused:
      return End::no_peer;
    case net::ClientFleet::End::tls:
      return End::no_trust;
    case net::ClientFleet::End::timed_out:
      return End::timed_out;
    case net::ClientFleet::End::malformed:
      return End::malformed;
    case net::ClientFleet::End::closed:
    case net::ClientFleet::End::idle:
      return End::closed;
  }
  const int status = event.response.status;
  if (status >= 200 && status < 300) return End::good;
  if (status == 429) return End::limited;
  return status >= 400 && status < 500 ? End::refused : End::failed;
}

/// What a person wants to know of a call that failed.
std::string reason_of(const net::ClientFleet::Event& event) {
  if (event.end != net::ClientFleet::End::answered) return event.why;
  constexpr std::size_t shown = 200;
  return "HTTP " + std::to_string(event.response.status) + " " +
         event.response.body.substr(0, shown);
}

}  // namespace

Swarm::Swarm(Wire& wire, Scenario scenario, SoftwarePool pool, Access access,
             std::function<std::optional<ProcessUse>()> server_use)
    : wire_(wire),
      scenario_(std::move(scenario)),
      pool_(std::move(pool)),
      access_(std::move(access)),
      server_use_(std::move(server_use)),
      chaos_(static_cast<std::uint64_t>(scenario_.fleet_seed) ^ chaos_stream),
      work_(static_cast<std::uint64_t>(scenario_.fleet_seed) ^ work_stream) {
  CHECK(access_.site_keys.size() >= scenario_.sites());
}

Swarm::~Swarm() = default;

void Swarm::make_hosts() {
  const std::uint64_t all = scenario_.agents();
  const std::uint64_t at_sites = scenario_.site_hosts();
  std::uint64_t made_at_sites = 0;
  Surroundings& world = *this;
  lines_.resize(all);
  hosts_.reserve(all);
  for (std::uint32_t i = 0; i < all; ++i) {
    // Evenly among the others.
    const bool at_site = (i + 1) * at_sites / all > made_at_sites;
    if (at_site) {
      const auto site =
          made_at_sites++ / static_cast<std::uint64_t>(scenario_.fleet_hosts_per_site);
      hosts_.push_back(std::make_unique<SiteHost>(world, i, access_.site_keys[site]));
    } else {
      hosts_.push_back(std::make_unique<OwnAgent>(world, i));
      own_agents_.push_back(i);
    }
  }
}

Outcome Swarm::run(const std::function<bool(const Progress&)>& each_second_done) {
  begun_ = now_ = wire_.now();
  next_second_ = now_ + second;
  make_hosts();
  switching_on_ = SwitchingOn{now_, std::chrono::seconds(scenario_.time_ramp_seconds), 0};
  std::vector<net::ClientFleet::Event> events;
  for (;;) {
    now_ = wire_.now();
    change_phase();
    if (closing_ && (in_progress_ == 0 || now_ >= *ends_at_ + closing_most)) break;
    if (!closing_) {
      switch_on();
      wake_due();
    }
    tell_lost();
    if (next_second_ <= now_) {
      each_second();
      const Tally& tally = measuring_since_ ? out_.measured : out_.setup;
      const KindTally hosts = tally.of_hosts();
      const bool go_on =
          each_second_done({seconds_of(now_ - begun_), measuring_since_.has_value(), known_ - away_,
                            scenario_.agents(), std::exchange(ended_this_second_, 0),
                            seconds_of(hosts.latency.quantile(0.99)) * 1000,
                            out_.setup.of_hosts().errors() + out_.measured.of_hosts().errors()});
      if (!go_on && !closing_) ends_at_ = now_;
    }
    events.clear();
    wire_.wait(next_moment(), events);
    for (net::ClientFleet::Event& event : events) {
      now_ = wire_.now();
      take(event);
    }
  }
  sum_up();
  return std::move(out_);
}

/// When there is something to do, if no answer comes before.
Micros Swarm::next_moment() const {
  if (!lost_.empty()) return now_;
  Micros next = next_second_;
  if (closing_) return next;
  if (!wakes_.empty()) next = std::min(next, wakes_.top().when);
  if (switching_on_) {
    const SwitchingOn& on = *switching_on_;
    next = std::min(next, on.begin + on.within * on.next / scenario_.agents());
  }
  if (ends_at_) next = std::min(next, *ends_at_);
  return std::max(next, now_);
}

void Swarm::switch_on() {
  for (int done = 0; switching_on_ && done < hosts_at_once; ++done) {
    SwitchingOn& on = *switching_on_;
    if (on.begin + on.within * on.next / scenario_.agents() > now_) return;
    const std::uint32_t host = on.next++;
    if (on.next == scenario_.agents()) switching_on_.reset();
    hosts_[host]->start();
  }
}

void Swarm::wake_at(std::uint32_t host, Micros when) {
  wakes_.push({when, wakes_made_++, host, ++lines_[host].wake});
}

void Swarm::wake_due() {
  for (int done = 0; done < hosts_at_once; ++done) {
    if (wakes_.empty() || wakes_.top().when > now_) return;
    const Wake wake = wakes_.top();
    wakes_.pop();
    if (lines_[wake.host].wake == wake.number) hosts_[wake.host]->wake();
  }
}

void Swarm::send(std::uint32_t host, Kind kind, const agent::Call& call, Micros due) {
  Line& line = lines_[host];
  CHECK(!line.waiting);
  line.due = due;
  line.sent = now_;
  line.kind = kind;
  line.waiting = true;
  line.loses = false;
  ++in_progress_;
  net::ClientRequest request;
  request.method = call.method;
  request.target = call.target;
  request.headers = call.headers;
  request.body = call.body;
  const bool slow = chance(chaos_, scenario_.faults_slow_per_million);
  wire_.send(host, request,
             slow ? Duration(std::chrono::seconds(scenario_.faults_slow_seconds)) : Duration(0));
  if (!chance(chaos_, scenario_.faults_drops_per_million)) return;
  line.loses = true;
  if (chance(chaos_, 500'000)) return;
  wire_.cut(host);
  lost_.push_back(host);
}

/// Tells the hosts whose calls were cut off, but not from within their own call.
void Swarm::tell_lost() {
  for (const std::uint32_t host : std::exchange(lost_, {})) {
    if (!lines_[host].waiting) continue;  // it has lost its power since
    end_call(host, End::dropped, Error{Errc::unavailable, "the connection was cut"});
  }
}

void Swarm::take(net::ClientFleet::Event& event) {
  if (event.connection == orders_line()) return took_tasks(event);
  if (event.connection == metrics_line()) return took_metrics(event);
  Line& line = lines_[event.connection];
  if (event.end == net::ClientFleet::End::idle) {
    if (!line.waiting) go_away(event.connection);
    return;
  }
  CHECK(line.waiting);
  if (line.loses) {
    wire_.cut(event.connection);
    return end_call(event.connection, End::dropped,
                    Error{Errc::unavailable, "the answer was cut off"});
  }
  const End end = end_of(event);
  if (end != End::good) tally_of(line.due).explain(line.kind, reason_of(event));
  if (event.end == net::ClientFleet::End::answered) {
    net::ClientResponse& response = event.response;
    return end_call(
        event.connection, end,
        agent::Answer{response.status, std::move(response.headers), std::move(response.body)});
  }
  go_away(event.connection);
  end_call(event.connection, end, Error{Errc::unavailable, std::move(event.why)});
}

void Swarm::end_call(std::uint32_t host, End end, Result<agent::Answer> answer) {
  Line& line = lines_[host];
  line.waiting = false;
  --in_progress_;
  ++ended_this_second_;
  tally_of(line.due).add(line.kind, end, {line.due, line.sent, now_});
  if (line.kind == Kind::enrolment && end == End::good) {
    if (!first_enrolled_) first_enrolled_ = now_;
    ++out_.enrolled;
    out_.enrolling_seconds = seconds_of(now_ - *first_enrolled_);
  }
  if (!closing_) {
    hosts_[host]->answered(std::move(answer));
  } else if (line.kind == Kind::heartbeat || line.kind == Kind::site_heartbeat) {
    if (end == End::good) has_beaten(host);
  }
}

Tally& Swarm::tally_of(Micros due) {
  return measuring_since_ && due >= *measuring_since_ ? out_.measured : out_.setup;
}

void Swarm::has_beaten(std::uint32_t host) {
  Line& line = lines_[host];
  if (!line.known) {
    line.known = true;
    ++known_;
  }
  if (!line.away) return;
  line.away = false;
  --away_;
  if (away_ > 0 || !cut_off_since_) return;
  const double took = seconds_of(now_ - *std::exchange(cut_off_since_, std::nullopt));
  out_.all_back_seconds = std::max(out_.all_back_seconds.value_or(0), took);
}

void Swarm::go_away(std::uint32_t host) {
  Line& line = lines_[host];
  if (!line.known || line.away) return;
  line.away = true;
  ++away_;
  if (!cut_off_since_ && away_ * std::uint64_t{2} >= scenario_.agents()) cut_off_since_ = now_;
}

void Swarm::change_phase() {
  if (closing_) return;
  if (!measuring_since_) {
    const Micros earliest =
        begun_ + second * (scenario_.time_ramp_seconds + scenario_.time_warmup_seconds);
    const bool waited = now_ >= earliest + second * scenario_.time_settle_seconds;
    const bool settled = known_ == scenario_.agents() && away_ == 0;
    if (now_ >= earliest && (settled || waited)) begin_measuring();
  }
  if (herd_at_ && *herd_at_ <= now_) lose_power();
  if (ends_at_ && *ends_at_ <= now_) {
    closing_ = true;
    watch_server();
    ask_metrics();
  }
}

void Swarm::begin_measuring() {
  measuring_since_ = now_;
  ends_at_ = now_ + second * scenario_.time_duration_seconds;
  if (scenario_.faults_herd_at_seconds > 0) {
    herd_at_ = now_ + second * scenario_.faults_herd_at_seconds;
  }
  watch_server();
}

/// All hosts at once: what they awaited never comes, and some time later they are switched on.
void Swarm::lose_power() {
  herd_at_.reset();
  for (std::uint32_t host = 0; host < scenario_.agents(); ++host) {
    Line& line = lines_[host];
    if (line.waiting) {
      line.waiting = false;
      --in_progress_;
      tally_of(line.due).add(line.kind, End::dropped, {});
    }
    wire_.cut(host);
    hosts_[host]->stop();
    ++line.wake;
    go_away(host);
  }
  switching_on_ = SwitchingOn{now_ + second * scenario_.faults_herd_silence_seconds,
                              second * scenario_.faults_herd_spread_seconds, 0};
}

void Swarm::each_second() {
  next_second_ += second;
  if (next_second_ <= now_) next_second_ = now_ + second;
  watch_server();
  if (closing_) return;
  rebuild_some();
  tasks_owed_ += static_cast<double>(scenario_.work_tasks_per_minute) / 60;
  orders_.due = now_;
  give_tasks();
  if (--seconds_to_metrics_ <= 0) ask_metrics();
}

void Swarm::sum_up() {
  const Micros end = *ends_at_;
  out_.setup_seconds = seconds_of(measuring_since_.value_or(end) - begun_);
  out_.measured_seconds = measuring_since_ ? seconds_of(end - *measuring_since_) : 0;
  out_.hosts_up = known_ - away_;
  // What never ended, in spite of every deadline, is an error and no silence.
  for (const Line& line : lines_) {
    if (line.waiting)
      tally_of(line.due).add(line.kind, End::timed_out, {line.due, line.sent, now_});
  }
  if (const auto own = read_process_use("self")) out_.swarm_resident_bytes = own->resident_bytes;
  out_.scenario = scenario_;
}

}  // namespace muster::swarm
