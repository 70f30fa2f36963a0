// SPDX-License-Identifier: Apache-2.0
#include "agent/runner.h"

#include <utility>

namespace muster::agent {

Runner::Runner(World world, State state) : world_(world), state_(std::move(state)) {}

void Runner::take(const Action& action) {
  struct Taker {
    Runner& runner;
    World& world;
    void operator()(const Save& save) { world.files.write(save.file, save.content); }
    void operator()(const Forget& forget) { world.files.remove(forget.file); }
    void operator()(const Measure&) { push(Measured{world.host.measure()}); }
    void operator()(const TakeSurvey& survey) { world.surveys.begin(survey.order); }
    void operator()(const LookAtImages& look) { world.surveys.begin(look.order); }
    void operator()(const Inspect& inspect) { push(Inspected{world.files.inspect(inspect.file)}); }
    void operator()(const Append& append) {
      push(Appended{world.files.append(append.file, append.offset, append.bytes)});
    }
    void operator()(const Publish& publish) { world.files.publish(publish.from, publish.to); }
    void operator()(const Watchdog& watchdog) { world.rest.set_watchdog(watchdog.after); }
    void operator()(const Restart&) {}
    void operator()(const Recall& recall) { push(Recalled{world.files.read(recall.file)}); }
    void operator()(const Send& send) { push(Answered{world.transport.send(send.call)}); }
    void operator()(const Execute& execute) { world.executor.start(execute.command); }
    void operator()(const Kill&) { world.executor.kill(); }
    void operator()(const Note& note) {
      world.log.write(note.level, note.event, [&](JsonWriter& json) {
        for (const auto& [name, value] : note.fields) json.member(name, value);
      });
    }
    void push(const Event& event) {
      for (Action& next : step(runner.state_, event, world.rest.now())) {
        runner.actions_.push_back(std::move(next));
      }
    }
  };
  std::visit(Taker{*this, world_}, action);
}

void Runner::feed(const Event& event) {
  for (Action& action : step(state_, event, world_.rest.now())) {
    actions_.push_back(std::move(action));
  }
  while (!actions_.empty()) {
    const Action action = std::move(actions_.front());
    actions_.pop_front();
    take(action);
    // An answer may take half a minute; what ended meanwhile is written down first.
    if (std::holds_alternative<Send>(action)) take_ended();
  }
}

bool Runner::take_ended() {
  const auto push = [&](const Event& event) {
    for (Action& action : step(state_, event, world_.rest.now())) {
      actions_.push_back(std::move(action));
    }
  };
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
        push(Surveyed{std::get<std::optional<Survey>>(*std::move(sight)),
                      world_.files.read(software_file)});
      }
      any = true;
    }
  }
  return any;
}

Result<void> Runner::run() {
  feed(Started{});
  for (;;) {
    if (world_.rest.stop_requested() && !state_.stopping) feed(Stopping{});
    if (state_.stopping && !state_.running) {
      if (!state_.once) return {};
      return Error{Errc::unavailable, "stopped before everything was done"};
    }
    if (!state_.failure.empty() && !state_.running) {
      return Error{Errc::unavailable, state_.failure};
    }
    if (state_.restarting || removal() != Removal::none) return {};
    if (state_.once && settled(state_)) return {};
    if (!take_ended()) {
      world_.rest.wait(next_wake(state_));
      take_ended();
    }
    feed(Woke{});
  }
}

}  // namespace muster::agent
