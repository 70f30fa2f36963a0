// SPDX-License-Identifier: Apache-2.0
#include "swarm/own_agent.h"

#include <algorithm>
#include <array>

#include "agent/enrolment.h"
#include "base/check.h"
#include "base/text.h"

namespace muster::swarm {

namespace {

/// Records of tasks that a host keeps, so that the fleet's memory has a bound; a real one keeps
/// bounds::journal_outputs.
constexpr std::size_t records_most = 8;
/// Short, for every agent keeps it; where calls go is the wire's to know.
constexpr const char* server_url = "https://swarm";
constexpr Micros enrolment_retry = std::chrono::seconds(5);

Micros micros_of(Duration steady) {
  return std::chrono::duration_cast<Micros>(steady);
}

Kind kind_of(agent::Purpose purpose) {
  switch (purpose) {
    case agent::Purpose::heartbeat:
    case agent::Purpose::configure:
      return Kind::heartbeat;
    case agent::Purpose::announce:
      return Kind::announcement;
    case agent::Purpose::deliver:
      return Kind::result;
    case agent::Purpose::report:
    case agent::Purpose::images:
      return Kind::report;
    case agent::Purpose::poll:
      return Kind::poll;
    case agent::Purpose::update:
    case agent::Purpose::fetch:
      return Kind::update;
  }
  return Kind::heartbeat;
}

}  // namespace

/// The files of a host as load_state() finds them when it is switched on again: written from what
/// its agent knew, except for the records of its tasks.
class OwnAgent::Disk final : public agent::Files {
 public:
  Disk(std::string identity, std::string progress,
       const std::vector<std::pair<std::string, std::string>>& records)
      : identity_(std::move(identity)), progress_(std::move(progress)), records_(records) {}

  std::optional<std::string> read(const std::string& name) const override {
    if (name == agent::Identity::file) return identity_;
    if (name == agent::Progress::file) return progress_;
    for (const auto& [file, content] : records_) {
      if (file == name) return content;
    }
    return std::nullopt;
  }
  void write(const std::string&, std::string_view) override { CHECK(false); }
  void remove(const std::string&) override { CHECK(false); }
  std::vector<std::string> list(const std::string&) const override {
    std::vector<std::string> names;
    for (const auto& record : records_) names.push_back(record.first);
    std::sort(names.begin(), names.end());
    return names;
  }
  std::optional<agent::FileFacts> inspect(const std::string&) const override {
    return std::nullopt;
  }
  bool append(const std::string&, std::int64_t, std::string_view) override { return false; }
  void publish(const std::string&, const std::string&) override { CHECK(false); }

 private:
  std::string identity_;
  std::string progress_;
  const std::vector<std::pair<std::string, std::string>>& records_;
};

OwnAgent::OwnAgent(Surroundings& world, std::uint32_t number)
    : world_(world),
      rng_(rng_of(world.scenario(), number)),
      changes_(world.scenario(), number, rng_, world.now()),
      number_(number) {
  const Scenario& scenario = world.scenario();
  if (chance(rng_, scenario.faults_skew_percent * 10'000)) {
    const Micros most = std::chrono::seconds(scenario.faults_skew_seconds);
    const auto error = std::chrono::duration_cast<Duration>(up_to(rng_, most));
    skew_ = chance(rng_, 500'000) ? error : -error;
  }
}

agent::Moment OwnAgent::moment() const {
  return {world_.wall() + skew_, std::chrono::duration_cast<Duration>(world_.now())};
}

agent::HostFacts OwnAgent::facts() const {
  agent::HostFacts facts;
  facts.hostname = hostname_of(number_);
  facts.os = {"debian", "Debian GNU/Linux", "12", "bookworm"};
  facts.kernel = "6.1.0-25-amd64";
  facts.arch = "amd64";
  facts.boot_id = "boot-" + std::to_string(boots_);
  // Like one of hash_machine_id(): 32 digits that no other host has, also after a set-up.
  std::array<std::uint8_t, 16> machine{};
  SeededRng(static_cast<std::uint64_t>(world_.scenario().fleet_seed) ^
            (std::uint64_t{number_} << 24))
      .fill(std::as_writable_bytes(std::span(machine)));
  facts.machine_id = to_hex(machine);
  return facts;
}

std::optional<AgentId> OwnAgent::agent() const {
  if (!state_) return std::nullopt;
  return state_->identity.agent;
}

void OwnAgent::start() {
  on_ = true;
  ++boots_;
  if (state_) {
    boot();
  } else {
    enrol(world_.now());
  }
}

void OwnAgent::stop() {
  on_ = false;
  enrolling_ = false;
  run_.reset();
}

void OwnAgent::rebuild() {
  if (!on_ || !state_) return;
  state_.reset();
  run_.reset();
  acknowledged_.reset();
  records_.clear();
  ++boots_;
  enrol(world_.now());
}

void OwnAgent::enrol(Micros due) {
  enrolling_ = true;
  world_.send(number_, Kind::enrolment,
              agent::make_enrolment(world_.access().enrolment_token, facts()), due);
}

void OwnAgent::enrolled(Result<agent::Answer> answer) {
  enrolling_ = false;
  auto identity = answer.ok() ? agent::read_enrolment(*answer, server_url)
                              : Result<agent::Identity>(std::move(answer).error());
  if (!identity.ok()) {
    const auto asked = identity.error().retry_after_seconds;
    const Micros wait = asked ? Micros(std::chrono::seconds(*asked)) : enrolment_retry;
    enrolment_due_ = world_.now() + wait + up_to(rng_, wait);
    return world_.wake_at(number_, enrolment_due_);
  }
  state_.emplace();
  state_->identity = *std::move(identity);
  boot();
}

/// The agent's process begins, with what its files say.
void OwnAgent::boot() {
  const Scenario& scenario = world_.scenario();
  agent::Settings settings;
  settings.policy_allow = {"execute_command"};
  settings.intervals_heartbeat_seconds = scenario.agent_heartbeat_seconds;
  settings.intervals_poll_seconds = scenario.agent_poll_seconds;
  settings.intervals_report_seconds = scenario.agent_report_seconds;
  settings.intervals_changes_seconds = scenario.agent_changes_seconds;
  settings.inventory_images = "off";
  const Disk disk(agent::encode_identity(state_->identity),
                  agent::encode_progress(state_->progress), records_);
  state_ = agent::load_state(disk, std::move(settings), facts(), moment(), rng_.next_u64()).value();
  run_.reset();
  on_wire_.reset();
  waiting_.reset();
  beating_since_ = idle_since_ = world_.now();
  feed(agent::Started{});
}

void OwnAgent::wake() {
  // A wake of the life before a set-up comes while it enrols.
  if (!on_ || enrolling_) return;
  if (!state_) return enrol(enrolment_due_);
  if (run_ && run_->until <= world_.now()) return feed(end_run());
  feed(agent::Woke{});
}

void OwnAgent::answered(Result<agent::Answer> answer) {
  CHECK(on_);
  if (!state_) return enrolled(std::move(answer));
  const agent::Purpose purpose = *std::exchange(on_wire_, std::nullopt);
  if (const auto next = std::move(waiting_)) {
    send_now(agent::Purpose::heartbeat, next->call, next->due);
  }
  const auto beaten_before = state_->last_heartbeat;
  feed(agent::Answered{purpose, std::move(answer)});
  if (purpose == agent::Purpose::heartbeat && state_->last_heartbeat != beaten_before) {
    world_.has_beaten(number_);
  }
}

void OwnAgent::feed(const agent::Event& event) {
  std::deque<agent::Action> actions;
  const bool had_task = state_->active.has_value();
  const bool had_beaten = state_->last_heartbeat.has_value();
  for (agent::Action& action : agent::step(*state_, event, moment())) {
    actions.push_back(std::move(action));
  }
  if (had_task && !state_->active) idle_since_ = world_.now();
  if (!had_beaten && state_->last_heartbeat) beating_since_ = world_.now();
  while (!actions.empty()) {
    const agent::Action action = std::move(actions.front());
    actions.pop_front();
    take(action, actions);
  }
  spread_reports();
  rest();
}

void OwnAgent::take(const agent::Action& action, std::deque<agent::Action>& actions) {
  const auto bring = [&](const agent::Event& event) {
    for (agent::Action& next : agent::step(*state_, event, moment())) {
      actions.push_back(std::move(next));
    }
  };
  if (const auto* saved = std::get_if<agent::Save>(&action)) {
    save(*saved);
  } else if (const auto* forget = std::get_if<agent::Forget>(&action)) {
    std::erase_if(records_, [&](const auto& record) { return record.first == forget->file; });
  } else if (std::holds_alternative<agent::Measure>(action)) {
    const auto up = std::chrono::duration_cast<std::chrono::seconds>(world_.now()).count();
    bring(agent::Measured{{.uptime_seconds = up,
                           .cpu_percent = static_cast<std::int64_t>(rng_.below(30)),
                           .memory_mb = 2000 + static_cast<std::int64_t>(rng_.below(500)),
                           .total_memory_mb = 8000,
                           .disk_free_mb = 50'000 - static_cast<std::int64_t>(rng_.below(100)),
                           .process_cpu_percent = 1,
                           .process_memory_mb = 12}});
  } else if (std::holds_alternative<agent::TakeSurvey>(action)) {
    bring(survey());
  } else if (const auto* recall = std::get_if<agent::Recall>(&action)) {
    std::optional<std::string> content;
    for (const auto& [file, text] : records_) {
      if (file == recall->file) content = text;
    }
    bring(agent::Recalled{std::move(content)});
  } else if (std::holds_alternative<agent::Inspect>(action)) {
    bring(agent::Inspected{});
  } else if (std::holds_alternative<agent::Append>(action)) {
    // No room for programs: an update that the server offers is put off.
    bring(agent::Appended{false});
  } else if (const auto* sending = std::get_if<agent::Send>(&action)) {
    send(*sending);
  } else if (const auto* execute = std::get_if<agent::Execute>(&action)) {
    const Micros longest = std::chrono::seconds(world_.scenario().work_task_seconds);
    run_ = Run{execute->command.task, world_.now() + up_to(rng_, longest), moment().wall};
  }
}

/// A call of which the core does not say when it was due, or which could not be wanted yet then, is
/// due when it could be.
Micros OwnAgent::ready_since(agent::Purpose purpose) const {
  switch (purpose) {
    case agent::Purpose::announce:
      return world_.now();
    case agent::Purpose::report:
      return beating_since_;
    case agent::Purpose::poll:
      return std::max(beating_since_, idle_since_);
    default:
      return Micros(0);
  }
}

void OwnAgent::send(const agent::Send& send) {
  const Micros ready =
      std::max(micros_of(agent::due_of(*state_, send.purpose)), ready_since(send.purpose));
  const Micros due = std::min(ready, world_.now());
  if (!on_wire_) return send_now(send.purpose, send.call, due);
  // A real agent opens a second connection for it; here it waits, and was due when it was due.
  CHECK(send.purpose == agent::Purpose::heartbeat && !waiting_);
  waiting_ = std::make_unique<Waiting>(Waiting{send.call, due});
}

void OwnAgent::send_now(agent::Purpose purpose, const agent::Call& call, Micros due) {
  on_wire_ = purpose;
  world_.send(number_, kind_of(purpose), call, due);
}

void OwnAgent::save(const agent::Save& save) {
  if (save.file == agent::software_file) {
    acknowledged_ = surveyed_;
    return;
  }
  if (!save.file.starts_with("journal/") || agent::Journal::is_archive(save.file)) return;
  std::erase_if(records_, [&](const auto& record) { return record.first == save.file; });
  records_.emplace_back(save.file, save.content);
  if (records_.size() > records_most) records_.erase(records_.begin());
}

agent::Surveyed OwnAgent::survey() {
  surveyed_ = changes_.revision(rng_, world_.now());
  const auto packages_of = [&](std::uint32_t revision) {
    return world_.pool().packages(changes_.variant(), revision);
  };
  agent::Survey survey;
  survey.facts = state_->facts;
  survey.software = packages_of(surveyed_);
  std::optional<std::string> known;
  if (acknowledged_) {
    // Mostly nothing has changed: what is made up once is what both of them are.
    known = agent::encode_software(agent::make_software_set(
        *acknowledged_ == surveyed_ ? survey.software : packages_of(*acknowledged_)));
  }
  return {std::move(survey), std::move(known)};
}

agent::Executor::Ended OwnAgent::end_run() {
  const Run run = *std::exchange(run_, std::nullopt);
  agent::Outcome outcome;
  outcome.exit_code = chance(rng_, 950'000) ? 0 : 1;
  outcome.stdout_text = "Linux " + hostname_of(number_) + " 6.1.0-25-amd64\n";
  outcome.started_at = run.started;
  outcome.completed_at = moment().wall;
  outcome.took = std::max(Duration(0), outcome.completed_at - outcome.started_at);
  return {run.task, std::move(outcome)};
}

/// A fleet that was switched on just now would report in step: after its first report each host is
/// put somewhere into its day and into the time between two looks.
void OwnAgent::spread_reports() {
  const bool reported = state_->progress.reports_acknowledged > 0;
  if (reports_spread_ || !reported) return;
  reports_spread_ = true;
  const Scenario& scenario = world_.scenario();
  const auto within = [&](std::int64_t seconds) {
    return std::chrono::duration_cast<Duration>(up_to(rng_, std::chrono::seconds(seconds)));
  };
  agent::Lane& lane = state_->lane(agent::Purpose::report);
  lane.due = moment().steady + within(scenario.agent_changes_seconds);
  state_->progress.last_full_at =
      state_->progress.last_full_at - within(scenario.agent_report_seconds);
}

void OwnAgent::rest() {
  std::optional<Micros> wake;
  if (const auto next = agent::next_wake(*state_)) wake = micros_of(*next);
  if (run_) wake = wake ? std::min(*wake, run_->until) : run_->until;
  if (wake) world_.wake_at(number_, std::max(*wake, world_.now()));
}

}  // namespace muster::swarm
