// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "agent/bounds.h"
#include "agent/collectors/host.h"
#include "agent/executor/executor.h"
#include "agent/files.h"
#include "agent/identity.h"
#include "agent/image_record.h"
#include "agent/journal.h"
#include "agent/key_choice.h"
#include "agent/moment.h"
#include "agent/progress.h"
#include "agent/pushed_config.h"
#include "agent/settings.h"
#include "agent/software_set.h"
#include "agent/surveys.h"
#include "agent/transport.h"
#include "agent/update_offer.h"
#include "agent/update_record.h"
#include "agent/version.h"
#include "base/log.h"

/// The agent as a pure state machine: step(state, event, now) gives the actions to take, in order.
/// Whoever drives it (agent/runner.h) takes each action before the next and brings back what came
/// of it as an event. Everything that must not be lost is in a Save before the action that relies
/// on it, so the process may be killed between any two. While the disk takes no Save, nothing is
/// done that relies on one: the agent beats, and that is all.
namespace muster::agent {

/// The calls an agent makes; each has its own clock and its own patience.
enum class Purpose : std::uint8_t {
#define PURPOSE(name, word, dialect) name,
#include "agent/purposes.def"
#undef PURPOSE
};
inline constexpr Purpose all_purposes[] = {
#define PURPOSE(name, word, dialect) Purpose::name,
#include "agent/purposes.def"
#undef PURPOSE
};
inline constexpr std::size_t purposes = std::size(all_purposes);
std::string_view purpose_name(Purpose purpose);
/// Whether the call is one of the device dialect; the others are of the inventory dialect.
bool is_device(Purpose purpose);

// --- What happened -----------------------------------------------------------------------------

struct Started {};
struct Woke {};
struct Stopping {};
struct Measured {
  Vitals vitals;
};
struct Surveyed {
  Result<Survey> survey;
  std::optional<std::string> acknowledged;  // content of software_file
};
struct ImagesSeen {
  std::optional<ImageSight> sight;
};
struct Recalled {
  std::optional<std::string> record;  // content of the file that was asked for
};
struct Inspected {
  std::optional<FileFacts> facts;  // none: there is no such file
};
struct Appended {
  bool whole;  // false: the disk is full, or does not take it
};
struct Unsaved {  // of a Save, Forget or Publish; it is tried again until Resaved
  std::string file;
  std::string why;
};
struct Resaved {};  // the disk has everything that it did not take
struct Answered {
  Purpose purpose;
  Result<Answer> answer;
};
using Event = std::variant<Started, Woke, Stopping, Measured, Surveyed, ImagesSeen, Recalled,
                           Inspected, Appended, Unsaved, Resaved, Answered, Executor::Ended>;

// --- What to do --------------------------------------------------------------------------------

struct Save {
  std::string file;
  std::string content;
};
struct Forget {
  std::string file;
};
struct Measure {};   // answered by Measured
struct TakeSurvey {  // answered by Surveyed, some time later
  SoftwareOrder order;
};
struct LookAtImages {  // answered by ImagesSeen, some time later
  ImageOrder order;
};
struct Recall {  // answered by Recalled
  std::string file;
};
struct Inspect {  // answered by Inspected
  std::string file;
};
struct Append {  // answered by Appended; what stood behind `offset` is gone
  std::string file;
  std::int64_t offset;
  std::string bytes;
};
struct Publish {  // the finished download becomes a program
  std::string from;
  std::string to;
};
struct Watchdog {  // the process ends itself after this, if it is not told otherwise
  std::optional<Duration> after;
};
struct Restart {};  // by the installed program, which chooses what runs (agent/launch.h)
struct Send {       // answered by Answered
  Purpose purpose;
  Call call;
};
struct Execute {  // answered by Ended, some time later
  Command command;
};
struct Kill {};
struct Note {  // for the log
  LogLevel level;
  std::string event;
  std::vector<std::pair<std::string, std::string>> fields;
};
using Action = std::variant<Save, Forget, Measure, TakeSurvey, LookAtImages, Recall, Inspect,
                            Append, Publish, Watchdog, Restart, Send, Execute, Kill, Note>;
using Actions = std::vector<Action>;

// --- What it knows -----------------------------------------------------------------------------

/// When a call is due next, on the steady clock, and how often it failed in a row.
struct Lane {
  Duration due{0};
  int failures = 0;
  /// Refused as skewed or with one of two keys, and tried again at once; reset by anything else.
  int quick_retries = 0;
};

/// A file on its way to this host (core_fetch.cpp).
struct Fetching {
  std::string target;  // path and query
  std::string file;    // where it goes, once it is whole
  crypto::Sha256 sha256;
  std::int64_t size = 0;
  std::int64_t offset = 0;  // octets that are on disk
  std::int64_t piece = 0;   // octets that are asked for at a time
  Duration progress_at{0};  // on the steady clock
  bool started_over = false;

  std::string part() const { return file + ".part"; }
};

struct State {
  std::string version = std::string(agent_version);
  Settings own;       // as the owner of the host has them
  Settings settings;  // in force
  Identity identity;
  Progress progress;
  Journal journal;
  HostFacts facts;
  Duration process_started{0};  // on the steady clock: the other may be set meanwhile
  std::uint64_t phase = 0;      // of what is done at intervals (agent/phase.h)
  std::uint64_t jitter = 0;     // seed of the spread of what is tried again
  bool once = false;            // do what is due, then be settled()

  std::string disk_failure;  // why files cannot be written; empty: they can

  std::array<Lane, purposes> lanes;
  /// No call of the device dialect before, on the steady clock: their limit counts all of them.
  Duration limited_until{0};
  /// A heartbeat waits for its event, from Measure to Answered. It waits for no other call, and
  /// while it is on its way none begins: what it brings counts for them.
  bool beating = false;
  /// What waits for its event beside it, one thing at a time.
  std::optional<Purpose> busy;
  /// The keys that these two went with: the identity's may be others when the answers come.
  std::string beat_key, busy_key;
  bool stopping = false;

  // The server's clock minus ours; from an answer's own words it overrules the Date header.
  Duration clock_offset{0};
  bool offset_from_server = false;

  KeyChoice key_choice;

  // Presence.
  std::string reconnect_reason;
  std::optional<Duration> last_heartbeat;
  /// Heartbeats that failed in a row: since when, and why the last one did.
  struct Unheard {
    Duration since{0};
    std::string why;
  };
  std::optional<Unheard> unheard;
  Duration quiet_until{0};  // on the steady clock: what is due by the clock alone waits till then

  // The task in hand: accepted and to be announced, or running.
  std::optional<Command> active;
  std::optional<Fetching> fetching_test;  // the program of `active`, before it is announced
  bool running = false;
  bool uninstalling = false;                 // an uninstall task was taken: no further work is
  Removal removal = Removal::none;           // due now; the process ends for it
  std::vector<crypto::PublicKey> task_keys;  // [policy] trusted_task_keys
  std::optional<Instant> active_until;       // the order of `active` expires
  std::optional<Record> delivering;
  std::optional<TaskId> answered_again;  // delivered to us though its outcome was acknowledged
  /// A task that load_state() found unfinished.
  struct Found {
    TaskId task;
    bool cut_off;  // it may have run
    std::string order;
    std::string order_signature;
  };
  std::vector<Found> found;
  std::size_t delivery_output = 0;  // bytes of each stream the server took no offence at
  bool poll_was_empty = false;
  std::size_t journal_tasks = bounds::journal_tasks;  // none is taken beyond: none is forgotten

  // What the server sets here (core_config.cpp).
  PushedConfig config;                       // in force
  std::optional<std::string> config_wanted;  // the hash of another that the server has
  std::string config_asked;                  // the one wanted when it was asked for
  std::string config_refused;                // the hash of the one that was refused last
  std::string config_error;                  // and why; empty: none was since one was taken
  int config_changes = 0;                    // in force or refused, since this process began

  // One look at a time, at software or at images, is on its way.
  bool surveying = false;
  Duration look_began{0};
  bool look_is_slow = false;  // and that was logged

  std::pair<std::size_t, std::size_t> software_left_out;  // that the log was told of

  // The report in hand.
  std::optional<Surveyed> surveyed;
  bool full_wanted = false;
  bool full_wanted_anew = false;  // told while a report was on its way
  bool sent_full = false;
  bool was_open = false;
  SoftwareSet sent_software;
  std::string sent_runtime;        // its hash; empty: nothing was said of it
  bool sent_runtime_told = false;  // and what it is
  bool report_settled = false;

  // The report on images in hand (core_images.cpp).
  ImageRecord images;  // what the server was told
  std::optional<ImagesSeen> images_seen;
  ImageRecord images_sent;          // what it will have been told
  std::size_t images_left_out = 0;  // that the log was told of
  bool more_images = false;
  bool images_settled = false;

  // Updates (core_update.cpp).
  UpdateRecord update;
  std::vector<crypto::PublicKey> update_keys;
  std::string update_refusal;  // why the last offer was refused; empty: it was not
  std::optional<Fetching> fetching;
  Build fetching_build;  // whose program that is
  std::int64_t piece_bytes = bounds::fetch_piece_bytes;
  std::vector<std::string> leftovers;  // files found by load_state(), wanted by nobody
  std::vector<std::string> parts;      // of downloads, that may be on disk
  bool on_trial = false;               // this very process is a build's trial
  Duration trial_began{0};
  Duration trial_until{0};
  int trial_heartbeats = 0;
  bool trial_polled = false;
  bool restart_wanted = false;  // as soon as no task is in hand
  bool draining = false;        // a restart is due once the call that is on its way has ended
  bool restarting = false;

  /// Why `run --once` cannot succeed; empty while it can.
  std::string failure;

  Lane& lane(Purpose purpose) { return lanes[static_cast<std::size_t>(purpose)]; }
  const Lane& lane(Purpose purpose) const { return lanes[static_cast<std::size_t>(purpose)]; }
};

/// The state as the files left it. Fails with not_found when the host is not enrolled, and for a
/// damaged identity or a key in the settings that is none. Damaged progress is forgotten; a damaged
/// record counts as a task that may have run.
Result<State> load_state(const Files& files, Settings settings, HostFacts facts, Moment now,
                         std::uint64_t jitter, std::string_view version = agent_version);

Actions step(State& state, const Event& event, Moment now);

/// When to send Woke, if nothing happens before; nothing while nothing may begin before an event.
std::optional<Duration> next_wake(const State& state);

/// When the call may go, on the steady clock, once it is wanted.
Duration due_of(const State& state, Purpose purpose);

/// Whether the answer to a call is awaited.
inline bool is_calling(const State& state) {
  return state.beating || state.busy.has_value();
}

/// With `once`: a heartbeat got through, what the server sets here is known, the reports are up to
/// date, no task is left, every outcome is delivered, and no call is on its way.
bool settled(const State& state);

}  // namespace muster::agent
