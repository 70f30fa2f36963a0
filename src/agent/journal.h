// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "agent/executor/executor.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "model/work_order.h"

namespace muster::agent {

/// How far a task got. Written before what it names may happen.
enum class Phase : std::uint8_t {
  accepted,  // will be announced; has certainly not run
  started,   // may have run: never started again
  finished,  // ran, with an outcome
  failed,    // has no outcome: refused, or cut off while it ran
};

/// What is to go from this host once the outcome of an uninstall task was acknowledged.
enum class Removal : std::uint8_t {
  none,
  program,  // and the identity, which its server has ended
  all,      // configuration, journal and state too
};

/// All that is known of one task: journal/<task id>.json.
struct Record {
  TaskId task;
  Phase phase = Phase::accepted;
  bool delivered = false;  // the server has acknowledged `finished` or `failed`
  bool never_ran = false;  // failed only: refused, certainly before anything of it ran
  std::string line;        // accepted only
  Duration timeout{0};     // accepted only
  std::string order;       // accepted only: what was signed of it, and the signature
  std::string order_signature;
  Removal removal = Removal::none;         // finished only
  std::optional<AgentId> removal_of;       // the identity that goes; another one's does not
  std::optional<model::OrderId> order_id;  // of any task that was taken with one
  std::string test_uuid;  // of an execute_test, with the digest of its program; else empty
  std::string binary_sha256;
  Outcome outcome;  // finished: all of it; failed: `error` and `completed_at`
};

/// What is to go because of `record`, from the host of `agent`: nothing if that identity came after
/// the one that was uninstalled. Former versions named none; what they told the server is over.
Removal removal_for(const Record& record, AgentId agent);

std::string encode_record(const Record& record);
/// Fails with invalid_json, invalid_field or missing_field for a damaged file.
Result<Record> decode_record(std::string_view json);

/// What stays of a record in memory while its file is there, and for ever on disk.
struct Entry {
  Phase phase = Phase::accepted;
  bool delivered = false;
  bool archived = false;  // its output is gone
  bool never_ran = false;
  std::int64_t exit_code = 0;
  Instant completed_at;
  std::optional<model::OrderId> order;
  std::size_t output_bytes = 0;  // of its file
};

/// What is still known of a task whose output is gone, as the outcome to tell once more.
Record record_without_output(TaskId task, const Entry& entry);

/// The index of every task this agent ever ran: a task id is executed at most once. Outcomes leave
/// their output behind when newer ones have come (bounds::journal_outputs, _output_bytes); in the
/// end they are folded into archive segments of one line each; of tasks that never ran nothing
/// stays then, however many a server makes up. In memory an archived task is 33 octets in a table
/// that is at least half as full as it may be, as many again if it came with an order, and there
/// are bounds::journal_tasks at most.
class Journal {
 public:
  static std::string file_of(TaskId task);
  static bool is_archive(std::string_view file);

  std::optional<Entry> find(TaskId task) const;
  /// The task that was taken with an order.
  std::optional<TaskId> find_order(model::OrderId order) const;
  /// A record that does not name its order keeps the one that the task was taken with.
  void put(const Record& record);
  void erase(TaskId task);
  /// Reads one archive segment; damaged lines are skipped and counted.
  std::size_t load_archive(const std::string& file, std::string_view content);

  /// Outcomes that the server has not acknowledged, oldest first.
  std::size_t undelivered() const { return outbox_.size(); }
  std::optional<TaskId> next_undelivered() const;
  /// Has it delivered once more, though it was acknowledged before.
  void deliver_again(TaskId task);
  /// Puts it behind the others of the outbox, so that it cannot block them.
  void postpone(TaskId task);

  struct Fold {
    std::string file;  // the new segment; none if nothing is in it
    std::string content;
    std::vector<std::string> folded;  // record files to remove after it is written
  };
  /// Of the delivered records the oldest, as they are to be on disk: without their output, so that
  /// that of all is within bounds::journal_output_bytes.
  std::vector<Record> shed() const;
  /// The oldest delivered records, when there are enough to fold; they count as archived from now.
  std::optional<Fold> fold();

  std::size_t size() const { return entries_.size() + archived_.size(); }
  /// Of these, those that have a file each.
  std::size_t records() const { return entries_.size(); }

 private:
  /// The oldest first: delivered, and not to be delivered again.
  std::vector<std::pair<Instant, TaskId>> settled() const;
  struct Archived {
    Instant completed_at;
    std::int32_t exit_code = 0;
    Phase phase = Phase::finished;
  };
  /// Keeps the first that was said of a task.
  void archive(TaskId task, const Entry& entry);

  std::map<TaskId, Entry> entries_;  // the record's file overrules what was archived
  boost::unordered_flat_map<TaskId, Archived, std::hash<TaskId>> archived_;
  boost::unordered_flat_map<model::OrderId, TaskId, std::hash<model::OrderId>> orders_;
  std::deque<TaskId> outbox_;
  std::int64_t segments_ = 0;  // highest number in use
};

}  // namespace muster::agent
