// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <optional>

#include "agent/collectors/host.h"
#include "agent/core.h"
#include "agent/executor/executor.h"
#include "agent/files.h"
#include "agent/moment.h"
#include "agent/surveys.h"
#include "agent/transport.h"
#include "base/log.h"

namespace muster::agent {

/// Time and signals, as the loop needs them.
class Rest {
 public:
  virtual ~Rest() = default;
  virtual Moment now() = 0;
  /// Returns at `until` on the steady clock (nothing: no such time), when a command or a survey has
  /// ended, or when somebody asks the agent to stop, whichever is first; earlier is allowed.
  virtual void wait(std::optional<Duration> until) = 0;
  virtual bool stop_requested() = 0;
  /// The kernel ends this process after `after`, whatever it does meanwhile; nothing: it does not.
  virtual void set_watchdog(std::optional<Duration> after) = 0;
};

/// The world the agent acts on.
struct World {
  Files& files;
  Transport& transport;
  Host& host;
  Surveys& surveys;
  Executor& executor;
  Rest& rest;
  Log& log;
};

/// Drives the core: takes its actions in order and brings back what came of them. A broken disk is
/// an exception out of run(); nothing is half done then that load_state() cannot take up.
class Runner {
 public:
  Runner(World world, State state);

  /// Until somebody asks to stop; with State::once until it is settled or cannot be. What runs is
  /// killed then and its outcome kept. Also until another build is to run: restart_wanted(), and
  /// until the agent is to go: removal(). Fails with the reason when `once` did not reach its end.
  Result<void> run();

  bool restart_wanted() const { return state_.restarting; }
  /// What is to go from this host now: the outcome of an uninstall task was acknowledged.
  Removal removal() const { return state_.removal; }
  const State& state() const { return state_; }

 private:
  void feed(const Event& event);
  void take(const Action& action);
  /// Whether anything that went on beside has ended.
  bool take_ended();

  World world_;
  State state_;
  std::deque<Action> actions_;
};

}  // namespace muster::agent
