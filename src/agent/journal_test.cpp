// SPDX-License-Identifier: Apache-2.0
// That a task is executed once holds for ever, in bounded memory.
#include "agent/journal.h"

#include <malloc.h>

#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "agent/bounds.h"
#include "agent/testing/world.h"
#include "base/testing.h"

namespace muster::agent {
namespace {

using testing::FakeWorld;

constexpr std::size_t files_max = bounds::journal_outputs + bounds::journal_segment;

TaskId task_of(std::uint64_t number) {
  TaskId task;
  for (std::size_t i = 0; i < 8; ++i) {
    task.uuid.bytes[15 - i] = static_cast<std::uint8_t>(number >> (8 * i) & 0xffU);
  }
  return task;
}

Record delivered_record(std::uint64_t number) {
  Record record;
  record.task = task_of(number);
  record.phase = Phase::finished;
  record.delivered = true;
  record.outcome.exit_code = static_cast<int>(number % 256);
  // In whole seconds, as files keep it.
  record.outcome.completed_at =
      Instant{1'700'000'000'000 + 1000 * static_cast<std::int64_t>(number)};
  return record;
}

/// A journal with its files, and what it must remember.
struct Kept {
  Journal journal;
  std::map<std::string, std::string> files;
  std::map<TaskId, Record> ran;

  void put(const Record& record) {
    journal.put(record);
    files[Journal::file_of(record.task)] = encode_record(record);
    if (!record.never_ran) ran.insert_or_assign(record.task, record);
  }
  void fold() {
    const auto fold = journal.fold();
    if (!fold) return;
    if (!fold->file.empty()) {
      ASSERT_FALSE(files.contains(fold->file)) << "what only that segment says would be lost";
      files[fold->file] = fold->content;
    }
    for (const std::string& file : fold->folded) files.erase(file);
  }
  void start_again() {
    journal = Journal();
    for (const auto& [name, content] : files) {
      if (Journal::is_archive(name)) {
        EXPECT_EQ(journal.load_archive(name, content), 0U);
      }
    }
    for (const auto& [name, content] : files) {
      if (!Journal::is_archive(name)) journal.put(decode_record(content).value());
    }
  }
  void check() const {
    EXPECT_LE(journal.records(), files_max + bounds::waiting_outcomes);
    for (const auto& [task, record] : ran) {
      const auto entry = journal.find(task);
      ASSERT_TRUE(entry) << task.text();
      EXPECT_EQ(entry->phase, record.phase);
      EXPECT_EQ(entry->exit_code, record.outcome.exit_code);
      EXPECT_EQ(entry->completed_at, record.outcome.completed_at);
      if (record.order_id) {
        EXPECT_EQ(journal.find_order(*record.order_id), task);
      }
    }
  }
};

/// What the heap holds; 0 under an allocator that does not say (sanitizers).
std::size_t heap_bytes() {
  const auto facts = ::mallinfo2();
  return facts.uordblks + facts.hblkhd;
}

TEST(Journal, ARecordWithMuchOutputLeavesNoMemoryBehind) {
  Record record = delivered_record(1);
  record.outcome.stdout_text.assign(limits::output_bytes, '\0');
  record.outcome.stderr_text = record.outcome.stdout_text;
  const std::string text = encode_record(record);
  const std::size_t before = heap_bytes();
  if (before == 0) GTEST_SKIP() << "this allocator does not say what it holds";
  ASSERT_EQ(decode_record(text).value().outcome.stdout_text.size(), limits::output_bytes);
  EXPECT_LT(heap_bytes(), before + limits::MiB);
}

TEST(Journal, RemembersEveryTaskThatRanWhateverComesBetween) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    SeededRng rng(seed);
    Kept kept;
    std::uint64_t number = 0;
    for (int i = 0; i < 3000; ++i) {
      if (rng.below(200) == 0) kept.start_again();
      switch (rng.below(20)) {
        case 1: {  // refused: nothing of it stays
          Record record = delivered_record(++number);
          record.phase = Phase::failed;
          record.never_ran = true;
          kept.put(record);
          break;
        }
        case 2: {  // asked for again long after, and answered from the archive
          if (number == 0) break;
          const TaskId task = task_of(1 + rng.below(number));
          const auto entry = kept.journal.find(task);
          if (!entry || !entry->archived) break;
          // As core_tasks.cpp answers: what the archive said, and no order.
          Record record = kept.ran.at(task);
          record.order_id.reset();
          kept.journal.put(record);
          kept.files[Journal::file_of(task)] = encode_record(record);
          break;
        }
        default: {
          Record record = delivered_record(++number);
          if (rng.below(2) == 0) record.order_id = model::OrderId{record.task.uuid};
          if (rng.below(10) == 0) record.phase = Phase::failed;
          kept.put(record);
        }
      }
      kept.fold();
      if (i % 500 == 0) kept.check();
    }
    kept.check();
    kept.start_again();
    kept.check();
    EXPECT_FALSE(kept.journal.find(task_of(number + 1)));
  }
}

TEST(Journal, ATaskThatIsTakenBackLeavesNoOrderBehind) {
  Journal journal;
  Record record;
  record.task = task_of(1);
  record.order_id = model::OrderId{task_of(9).uuid};
  journal.put(record);
  EXPECT_EQ(journal.find_order(*record.order_id), record.task);
  journal.erase(record.task);
  EXPECT_FALSE(journal.find_order(*record.order_id));
  EXPECT_FALSE(journal.find(record.task));
  journal.erase(task_of(2));
}

TEST(Journal, WhatShedsItsOutputKeepsItsOrder) {
  Kept kept;
  const model::OrderId order{task_of(100).uuid};
  // Two of these are more than the bytes of all.
  for (std::uint64_t number = 1; number <= 3; ++number) {
    Record record = delivered_record(number);
    record.outcome.stdout_text.assign(bounds::journal_output_bytes / 2 + 1, 'x');
    if (number == 1) record.order_id = order;
    kept.put(record);
  }
  const std::vector<Record> without = kept.journal.shed();
  ASSERT_EQ(without.size(), 2U) << "the oldest";
  for (const Record& record : without) kept.put(record);
  EXPECT_TRUE(kept.journal.shed().empty());
  kept.start_again();
  EXPECT_EQ(kept.journal.find_order(order), task_of(1));
  EXPECT_TRUE(kept.journal.find(task_of(2))->delivered);
}

TEST(Journal, ThatIsFullTakesNoFurtherTaskAndForgetsNone) {
  FakeWorld world;
  Kept kept;
  world.journal_tasks = 500;
  for (std::uint64_t number = 1; number < world.journal_tasks; ++number) {
    kept.put(delivered_record(number));
    kept.fold();
  }
  world.files.content.insert(kept.files.begin(), kept.files.end());
  const TaskId last = world.server.add_command("true", 1);
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_EQ(world.executor.runs[last], 1) << "there was room for one";
  const TaskId further = world.server.add_command("true", 2);
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_EQ(world.executor.runs[further], 0);
  const auto& errors = world.server.tasks[further].errors;
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_TRUE(errors[0].starts_with("refused: the journal of this host is full")) << errors[0];
  const State state =
      load_state(world.files, world.settings, world.host.facts, world.rest.now(), 1).value();
  for (const auto& [task, record] : kept.ran) EXPECT_TRUE(state.journal.find(task)) << task.text();
}

TEST(Journal, WhereThePowerFailsWhileItFoldsEveryTaskIsKnownAfterwards) {
  bool crashed = true;
  int points = 0;
  for (int mutation = 0; crashed; ++mutation) {
    for (const bool after : {false, true}) {
      FakeWorld world;
      for (std::uint64_t number = 1; number <= files_max; ++number) {
        const Record record = delivered_record(number);
        world.files.content[Journal::file_of(record.task)] = encode_record(record);
      }
      const TaskId task = world.server.add_command("true", 5000);
      world.files.crash_at(mutation, after);
      crashed = world.crashes_once();
      points += crashed ? 1 : 0;
      world.files.crash_never();
      ASSERT_TRUE(world.run_once().ok()) << mutation;
      EXPECT_LE(world.executor.runs[task], 1) << mutation;
      const State state =
          load_state(world.files, world.settings, world.host.facts, world.rest.now(), 1).value();
      for (std::uint64_t number = 1; number <= files_max; ++number) {
        const auto entry = state.journal.find(task_of(number));
        ASSERT_TRUE(entry) << mutation << ": " << number;
        EXPECT_EQ(entry->exit_code, static_cast<std::int64_t>(number % 256)) << mutation;
      }
      EXPECT_TRUE(state.journal.find(task)) << mutation;
    }
  }
  EXPECT_GT(points, 60) << "the fold alone is more than thirty changes of the disk";
}

}  // namespace
}  // namespace muster::agent
