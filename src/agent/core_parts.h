// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/core.h"
#include "agent/envelope.h"
#include "agent/messages.h"

/// The parts of step(), by what they are about; private to the core.
namespace muster::agent::core {

/// What one step has to work with.
struct Step {
  State& state;
  Moment now;
  Actions& actions;
  std::string used_key = {};  // by the call whose answer this step takes

  Lane& lane(Purpose purpose) { return state.lane(purpose); }
  void note(LogLevel level, std::string event,
            std::vector<std::pair<std::string, std::string>> fields = {}) {
    note_from(state.settings.log_level, level, std::move(event), std::move(fields));
  }
  /// Of what is done to this host at somebody's order: only its owner can have it left out, and no
  /// server by the level that it sets.
  void note_for_owner(LogLevel level, std::string event,
                      std::vector<std::pair<std::string, std::string>> fields = {}) {
    note_from(state.own.log_level, level, std::move(event), std::move(fields));
  }
  void note_from(std::string_view least, LogLevel level, std::string event,
                 std::vector<std::pair<std::string, std::string>> fields) {
    if (least == "error" ? level < LogLevel::error
                         : least == "warning" && level < LogLevel::warning) {
      return;
    }
    actions.push_back(Note{level, std::move(event), std::move(fields)});
  }
  void save_identity() { actions.push_back(Save{Identity::file, encode_identity(state.identity)}); }
  void save_progress() { actions.push_back(Save{Progress::file, encode_progress(state.progress)}); }
  void save_record(Record record) {
    state.journal.put(record);
    record.order_id = state.journal.find(record.task)->order;
    actions.push_back(Save{Journal::file_of(record.task), encode_record(record)});
  }
};

// --- core.cpp: lanes -----------------------------------------------------------------------------

/// `wait` times 0.9 to 1.1, so that those who were refused together do not stay in step.
Duration spread(State& state, Duration wait);

/// From now to this agent's next turn of what is done once in `interval`: at its own phase by the
/// server's clock, but a quarter of the interval from now at least. So within 1/4 and 5/4 of it,
/// whatever the clocks do.
Duration next_turn(const Step& step, Duration interval);

/// When the first calls are due, of a process that starts now.
void plan_first_calls(Step& step);  // core_presence.cpp

/// A whole answer of the right kind came: the lane is due again at the next turn, or at once if
/// there is no interval.
void succeeded(Step& step, Purpose purpose, Duration interval);

/// The call failed; it is due again after a growing wait, and not before `at_least`.
void failed(Step& step, Purpose purpose, const std::string& why, Duration at_least = Duration(0));

/// Failure as the answer tells it: obeys Retry-After. For statuses with no meaning of their own.
void refused(Step& step, Purpose purpose, const Answer& answer);

// --- core_calls.cpp: what every call and answer have in common ----------------------------------

/// Adds the device headers (device-endpoints.txt, "Authentication") and sends.
void send(Step& step, Purpose purpose, http::Method method, std::string target, std::string body,
          HeaderList headers = {});

/// Learns the server's clock from `answer`.
void learn_time(Step& step, const Answer& answer);
void learn_server_time(Step& step, Instant server_time);

/// A 401: another key, another clock, or patience. It never costs the identity.
void unauthorised(Step& step, Purpose purpose, const Answer& answer);

/// The key of the call is proved by an answer that only our server gives.
void key_proved(Step& step);

/// Where a task's status and result go.
std::string task_target(TaskId task, std::string_view what);  // core_delivery.cpp

// --- one pair a purpose: begin it, and take its answer -------------------------------------------

void begin_heartbeat(Step& step, const Vitals& vitals);  // core_presence.cpp
void take_heartbeat(Step& step, const Answer& answer);
/// What the server's hash of its configuration says: nothing to do, to forget, or to fetch.
void hear_config_hash(Step& step, const std::string& hash);  // core_config.cpp
void begin_config(Step& step);
void take_config(Step& step, const Answer& answer);
/// The configuration of config.json, at start.
void load_config(State& state, const std::string& content);
void begin_poll(Step& step);  // core_tasks.cpp
void take_poll(Step& step, const Answer& answer);
void begin_announcement(Step& step);
void take_announcement(Step& step, const Answer& answer);
/// There may be other work. After a task that did not run only at the pace of refusals: a server
/// that gives out nothing else is not asked at full speed.
void poll_soon(Step& step, bool it_ran);
void begin_delivery(Step& step, const Recalled& recalled);  // core_delivery.cpp
void take_delivery(Step& step, const Answer& answer);
/// A look at the host begins; it ends with its event.
void begin_look(Step& step, Action look);
/// Tells the log of one that does not come to its end.
void watch_look(Step& step);
/// Takes a survey, or sends what the last one found.
void begin_report(Step& step);  // core_report.cpp
void take_report(Step& step, const Answer& answer);
void report_lost(Step& step);
/// Looks at the host's images, or sends what was seen of them.
void begin_images(Step& step);  // core_images.cpp
void take_images(Step& step, const Answer& answer);
/// Whether `run --once` has nothing to do for them any more.
bool images_settled(const State& state);

/// A file in pieces, for a test or an update: what is on disk already is not asked for again, and
/// nothing is taken whose digest is not the one named. Other calls go between two pieces.
void begin_fetching(Step& step, Purpose purpose);  // core_fetch.cpp
void fetch_piece(Step& step, Purpose purpose);
void take_piece(Step& step, Purpose purpose, const Answer& answer);
/// The call failed: if it was for a piece, the next one is smaller.
void piece_lost(Step& step, Purpose purpose);
void take_part(Step& step, const Inspected& inspected);
void take_appended(Step& step, const Appended& appended);
/// How it ended.
void test_fetched(Step& step);
void test_not_fetched(Step& step, const std::string& why);
void update_fetched(Step& step);
void update_not_fetched(Step& step, const std::string& why);

void begin_update(Step& step);  // core_update.cpp
void take_update(Step& step, const Answer& answer);
/// Forgets files that no build needs, and begins the trial that this process is.
void begin_builds(Step& step);
/// An operator stops this process: that start of a build on trial says nothing against it.
void uncount_start(Step& step);
/// A heartbeat got through: proof for a build on trial, and a verdict on the one before this.
void heartbeat_got_through(Step& step, bool at_once);
void poll_got_through(Step& step);
/// Makes a build on trial the current one, once it has shown all that is asked of it.
void prove_build(Step& step);
/// A refusal to serve now shows that the server is there: it does not end a trial, for some time.
void server_is_busy(Step& step);
/// Whether a trial is over, or another build is to run and no task is in hand.
bool restart_is_due(const Step& step);
/// Ends a trial that is over, and restarts when that is due and no task is in hand.
void plan_restart(Step& step);

/// Tasks found in the journal at start: those cut off while they ran are failed, never run again.
void resume_tasks(Step& step);
void task_ended(Step& step, const Executor::Ended& ended);
/// An outcome without a run: refused, malformed, cut off.
enum class Ran { never, maybe };
void fail_task(Step& step, TaskId task, const std::string& error, Ran ran);

}  // namespace muster::agent::core
