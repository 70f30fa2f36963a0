// SPDX-License-Identifier: Apache-2.0
#include "agent/runner.h"

#include <optional>
#include <system_error>
#include <utility>

namespace muster::agent {

Runner::Runner(World world, State state) : world_(world), state_(std::move(state)) {}

void Runner::push(const Event& event) {
  for (Action& action : step(state_, event, world_.rest.now())) {
    actions_.push_back(std::move(action));
  }
}

std::optional<std::string> Runner::try_change(const Action& action) {
  try {
    if (const auto* save = std::get_if<Save>(&action)) {
      world_.files.write(save->file, save->content);
    } else if (const auto* forget = std::get_if<Forget>(&action)) {
      world_.files.remove(forget->file);
    } else {
      const auto& publish = std::get<Publish>(action);
      world_.files.publish(publish.from, publish.to);
    }
  } catch (const std::system_error& failure) {
    return failure.what();
  }
  return std::nullopt;
}

void Runner::change(const std::string& file, const Action& action) {
  std::optional<std::string> why = state_.disk_failure;
  if (kept_.empty()) why = try_change(action);
  if (!why) return;
  kept_.push_back(action);
  push(Unsaved{file, *why});
}

void Runner::catch_up() {
  if (kept_.empty()) return;
  while (!kept_.empty()) {
    if (try_change(kept_.front())) return;
    kept_.pop_front();
  }
  feed(Resaved{});
}

void Runner::take(Action& action) {
  struct Taker {
    Runner& runner;
    World& world;
    Action& action;
    void operator()(const Save& save) { runner.change(save.file, action); }
    void operator()(const Forget& forget) { runner.change(forget.file, action); }
    void operator()(const Publish& publish) { runner.change(publish.to, action); }
    void operator()(const Measure&) { runner.push(Measured{world.host.measure()}); }
    void operator()(const TakeSurvey& survey) { world.surveys.begin(survey.order); }
    void operator()(const LookAtImages& look) { world.surveys.begin(look.order); }
    void operator()(const Inspect& inspect) {
      runner.push(Inspected{world.files.inspect(inspect.file)});
    }
    void operator()(const Append& append) {
      runner.push(Appended{world.files.append(append.file, append.offset, append.bytes)});
    }
    void operator()(const Watchdog& watchdog) { world.rest.set_watchdog(watchdog.after); }
    void operator()(const Restart&) {}
    void operator()(const Recall& recall) {
      runner.push(Recalled{read_unless_damaged(world.files, recall.file)});
    }
    void operator()(Send& send) {
      if (send.purpose == Purpose::heartbeat) {
        runner.push(Answered{send.purpose, world.calls.send(send.call)});
      } else if (!runner.kept_.empty()) {
        runner.push(Answered{send.purpose, not_written()});
      } else {
        world.calls.begin(std::move(send.call));
      }
    }
    void operator()(const Execute& execute) {
      if (runner.kept_.empty()) return world.executor.start(execute.command);
      Outcome outcome;
      outcome.exit_code = -1;
      outcome.error = not_written().message;
      outcome.started_at = outcome.completed_at = world.rest.now().wall;
      runner.push(Executor::Ended{execute.command.task, std::move(outcome)});
    }
    void operator()(const Kill&) { world.executor.kill(); }
    void operator()(const Note& note) {
      world.log.write(note.level, note.event, [&](JsonWriter& json) {
        for (const auto& [name, value] : note.fields) json.member(name, value);
      });
    }
    static Error not_written() {
      return {Errc::unavailable, "the agent cannot write its state directory"};
    }
  };
  std::visit(Taker{*this, world_, action}, action);
}

void Runner::feed(const Event& event) {
  push(event);
  while (!actions_.empty()) {
    Action action = std::move(actions_.front());
    actions_.pop_front();
    take(action);
    // A heartbeat may take half a minute; what ended meanwhile is written down first.
    if (std::holds_alternative<Send>(action)) take_ended();
  }
}

bool Runner::take_ended() {
  bool any = false;
  if (state_.running) {
    if (auto ended = world_.executor.take_ended()) {
      push(Event(*std::move(ended)));
      any = true;
    }
  }
  if (state_.surveying) {
    if (auto sight = world_.surveys.take()) {
      if (auto* images = std::get_if<std::optional<ImageSight>>(&*sight)) {
        push(ImagesSeen{std::move(*images)});
      } else {
        push(Surveyed{std::get<Result<Survey>>(*std::move(sight)),
                      read_unless_damaged(world_.files, software_file)});
      }
      any = true;
    }
  }
  if (state_.busy) {
    if (auto answer = world_.calls.take()) {
      push(Answered{*state_.busy, *std::move(answer)});
      any = true;
    }
  }
  return any;
}

Result<void> Runner::run() {
  feed(Started{});
  for (;;) {
    if (world_.rest.stop_requested() && !state_.stopping) feed(Stopping{});
    const bool at_work = state_.running || is_calling(state_);
    if (state_.stopping && !at_work) {
      if (!state_.once) return {};
      return Error{Errc::unavailable, "stopped before everything was done"};
    }
    if (!state_.failure.empty() && !at_work) return Error{Errc::unavailable, state_.failure};
    if (state_.restarting || removal() != Removal::none) return {};
    if (state_.once && settled(state_)) return {};
    if (!take_ended()) {
      world_.rest.wait(next_wake(state_));
      take_ended();
    }
    catch_up();
    feed(Woke{});
  }
}

}  // namespace muster::agent
