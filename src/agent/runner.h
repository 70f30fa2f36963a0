// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <optional>

#include "agent/calls.h"
#include "agent/collectors/host.h"
#include "agent/core.h"
#include "agent/executor/executor.h"
#include "agent/files.h"
#include "agent/moment.h"
#include "agent/surveys.h"
#include "base/log.h"

namespace muster::agent {

/// Time and signals, as the loop needs them.
class Rest {
 public:
  virtual ~Rest() = default;
  virtual Moment now() = 0;
  /// Returns at `until` on the steady clock (nothing: no such time), when a command, a survey or a
  /// call has ended, or when somebody asks the agent to stop, whichever is first; earlier is
  /// allowed.
  virtual void wait(std::optional<Duration> until) = 0;
  virtual bool stop_requested() = 0;
  /// The kernel ends this process after `after`, whatever it does meanwhile; nothing: it does not.
  virtual void set_watchdog(std::optional<Duration> after) = 0;
};

/// The world the agent acts on.
struct World {
  Files& files;
  Calls& calls;
  Host& host;
  Surveys& surveys;
  Executor& executor;
  Rest& rest;
  Log& log;
};

/// Drives the core: takes its actions in order and brings back what came of them. Changes of files
/// that the disk does not take are kept and tried again, in order, and until the last of them is
/// done nothing is done that came after them: calls but heartbeats fail, and so does a command. A
/// heartbeat holds up the loop until it is answered; every other call goes beside it. A disk that
/// cannot be read is an exception out of run(); nothing is half done then that load_state() cannot
/// take up.
class Runner {
 public:
  Runner(World world, State state);

  /// Until somebody asks to stop; with State::once until it is settled or cannot be. What runs is
  /// killed then and its outcome kept; a call that is on its way has its time to be answered. Also
  /// until another build is to run: restart_wanted(), and until the agent is to go: removal().
  /// Fails with the reason when `once` did not reach its end.
  Result<void> run();

  bool restart_wanted() const { return state_.restarting; }
  /// What is to go from this host now: the outcome of an uninstall task was acknowledged.
  Removal removal() const { return state_.removal; }
  const State& state() const { return state_; }

 private:
  void feed(const Event& event);
  /// What the core makes of it, after what is to be done already.
  void push(const Event& event);
  void take(Action& action);
  /// Changes `file` now, or with what is kept.
  void change(const std::string& file, const Action& action);
  /// Why the disk did not take it; nothing if it did.
  std::optional<std::string> try_change(const Action& action);
  /// Tries again what is kept.
  void catch_up();
  /// Whether anything that went on beside has ended.
  bool take_ended();

  World world_;
  State state_;
  std::deque<Action> actions_;
  std::deque<Action> kept_;  // changes of files that the disk did not take, in order
};

}  // namespace muster::agent
