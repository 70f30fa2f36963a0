// SPDX-License-Identifier: Apache-2.0
#include "sim/own_agent.h"

#include "agent/enrolment.h"

namespace muster::sim {

namespace {

constexpr Duration life_least = std::chrono::minutes(10);
constexpr Duration life_most = std::chrono::minutes(80);

}  // namespace

OwnAgent::OwnAgent(Surroundings& world, std::string name, std::uint64_t seed)
    : world_(world), name_(std::move(name)), rng_(fork(seed, name_)), software_(rng_) {
  // Within what the server allows, far beyond it, or right.
  if (chance(rng_, 400)) {
    const Duration error = between(rng_, Duration(0), std::chrono::minutes(20));
    clock_error_ = chance(rng_, 500) ? error : -error;
  }
  facts_.hostname = name_;
  facts_.arch = "amd64";
  facts_.os = {"debian", "Debian GNU/Linux", "12", "bookworm"};
  facts_.machine_id = "machine-of-" + name_;
}

std::optional<AgentId> OwnAgent::id() const {
  if (!state_) return std::nullopt;
  return state_->identity.agent;
}

agent::Moment OwnAgent::moment() const {
  const Instant now = world_.steps.now();
  return {now + clock_error_, now - test_epoch + std::chrono::hours(1)};
}

/// A step that is forgotten when the process that planned it is gone.
template <typename F>
UniqueFunction<void()> OwnAgent::mine(F step) {
  return [this, process = process_, step = std::move(step)]() mutable {
    if (process == process_) step();
  };
}

void OwnAgent::boot() {
  ++process_;
  facts_.boot_id = "boot-" + std::to_string(++boots_);
  if (files_.read(agent::Identity::file)) {
    begin_process();
    live();
  } else {
    enrol();
  }
}

void OwnAgent::enrol() {
  world_.wire.send(
      name_, agent::make_enrolment(world_.enrolment_token, facts_),
      [this, process = process_](Result<agent::Answer> answer) {
        if (process != process_) return;
        auto identity = answer.ok() ? agent::read_enrolment(*answer, "https://muster.example")
                                    : Result<agent::Identity>(answer.error());
        if (!identity.ok()) {
          world_.steps.after(between(rng_, std::chrono::seconds(2), std::chrono::seconds(40)),
                             mine([this] { enrol(); }));
          return;
        }
        files_.write(agent::Identity::file, agent::encode_identity(*identity));
        begin_process();
        live();
      });
}

/// What happens to a host while this process lives.
void OwnAgent::live() {
  world_.steps.after(between(rng_, life_least, life_most), mine([this] {
                       if (world_.calm()) return;
                       if (chance(rng_, 600)) return crash();
                       if (chance(rng_, 150)) return set_up_anew();
                       software_.mutate(rng_);
                       live();
                     }));
}

void OwnAgent::begin_process() {
  agent::Settings settings;
  settings.policy_allow = {"execute_command"};
  settings.inventory_images = "off";
  state_ = agent::load_state(files_, settings, facts_, moment(), rng_.next_u64()).value();
  running_.reset();
  actions_.clear();
  feed(agent::Started{});
}

void OwnAgent::crash() {
  world_.trace.note(world_.steps.now(), name_, "crashes");
  world_.ledger.count("agent crashes");
  ++process_;
  state_.reset();
  if (chance(rng_, 300)) software_.mutate(rng_);
  const bool only_the_process = chance(rng_, 500);
  world_.steps.after(between(rng_, std::chrono::seconds(1), std::chrono::minutes(10)),
                     mine([this, only_the_process] {
                       if (only_the_process) --boots_;
                       boot();
                     }));
}

void OwnAgent::set_up_anew() {
  world_.trace.note(world_.steps.now(), name_, "is set up anew");
  world_.ledger.count("set-ups");
  for (const TaskId task : unreported_) world_.ledger.forgotten(task);
  unreported_.clear();
  files_.content.clear();
  software_ = Software(rng_);
  state_.reset();
  boot();
}

void OwnAgent::write(const std::string& file, const std::string& content) {
  if (world_.plant == Plant::journals_forgotten && file.starts_with("journal/")) return;
  files_.write(file, content);
}

void OwnAgent::feed(const agent::Event& event) {
  for (agent::Action& action : agent::step(*state_, event, moment())) {
    actions_.push_back(std::move(action));
  }
  const int process = process_;
  while (!actions_.empty()) {
    // Between any two actions the process may end.
    if (!world_.calm() && rng_.below(20'000) == 0) return crash();
    const agent::Action action = std::move(actions_.front());
    actions_.pop_front();
    take(action);
    if (process != process_) return;
  }
  rest();
}

void OwnAgent::take(const agent::Action& action) {
  const auto add = [&](const agent::Event& event) {
    for (agent::Action& next : agent::step(*state_, event, moment())) {
      actions_.push_back(std::move(next));
    }
  };
  if (const auto* save = std::get_if<agent::Save>(&action)) {
    write(save->file, save->content);
  } else if (const auto* forget = std::get_if<agent::Forget>(&action)) {
    files_.remove(forget->file);
  } else if (std::holds_alternative<agent::Measure>(action)) {
    add(agent::Measured{{100, 5, 200, 400, 1000, 1, 7}});
  } else if (std::holds_alternative<agent::TakeSurvey>(action)) {
    agent::Survey survey;
    survey.facts = facts_;
    survey.software = software_.packages();
    add(agent::Surveyed{std::move(survey), files_.read(agent::software_file)});
  } else if (const auto* recall = std::get_if<agent::Recall>(&action)) {
    add(agent::Recalled{files_.read(recall->file)});
  } else if (const auto* inspect = std::get_if<agent::Inspect>(&action)) {
    add(agent::Inspected{files_.inspect(inspect->file)});
  } else if (const auto* append = std::get_if<agent::Append>(&action)) {
    add(agent::Appended{files_.append(append->file, append->offset, append->bytes)});
  } else if (const auto* publish = std::get_if<agent::Publish>(&action)) {
    files_.publish(publish->from, publish->to);
  } else if (const auto* send = std::get_if<agent::Send>(&action)) {
    agent::Call call = send->call;
    call.headers.emplace_back("User-Agent", "muster-agent/1.2.0");
    world_.wire.send(
        name_, std::move(call),
        [this, process = process_, purpose = send->purpose](Result<agent::Answer> answer) {
          if (process == process_) feed(agent::Answered{purpose, std::move(answer)});
        });
  } else if (const auto* execute = std::get_if<agent::Execute>(&action)) {
    run(execute->command);
  }
}

void OwnAgent::run(const agent::Command& command) {
  running_ = command.task;
  unreported_.push_back(command.task);
  world_.trace.note(world_.steps.now(), name_, "runs a task");
  world_.ledger.executed(command.task, true, world_.steps.now());
  const Instant started = moment().wall;
  world_.steps.after(between(rng_, std::chrono::milliseconds(10), std::chrono::minutes(3)),
                     mine([this, task = command.task, started] {
                       running_.reset();
                       agent::Outcome outcome;
                       outcome.exit_code = static_cast<int>(rng_.below(3));
                       outcome.stdout_text = "ran " + task.text() + " on " + name_ + "\n";
                       outcome.started_at = started;
                       outcome.completed_at = moment().wall;
                       outcome.took = outcome.completed_at - started;
                       const int process = process_;
                       feed(agent::Executor::Ended{task, std::move(outcome)});
                       if (process == process_) world_.ledger.finished(task);
                     }));
}

void OwnAgent::rest() {
  const auto wake = agent::next_wake(*state_);
  if (!wake) return;
  const Duration wait = std::max(Duration(0), *wake - moment().steady);
  world_.steps.after(wait, mine([this, number = ++wake_] {
                       if (number == wake_) feed(agent::Woke{});
                     }));
}

}  // namespace muster::sim
