// SPDX-License-Identifier: Apache-2.0
#include "fleet/results.h"

#include <gtest/gtest.h>

#include "fleet/task_testing.h"

namespace muster::fleet {
namespace {

using model::Outcome;

struct Tests : Work {
  explicit Tests(std::uint8_t number = 1) {
    test.bytes[15] = number;
    store_program(test);
  }
  TaskId create_test() {
    TaskOrder one(TaskType::execute_test);
    one.agents = {agent.agent};
    one.payload.test_uuid = test.text();
    return create(one);
  }
  TaskId run(std::int64_t exit_code) {
    const TaskId id = create_test();
    EXPECT_TRUE(report(result_of(id, exit_code))->changed);
    return id;
  }
  store::OutcomeCounts summary() { return summarise_test(fleet->store, std::nullopt, test.text()); }
  std::int64_t prune(Duration keep = std::chrono::hours(24)) {
    return prune_results(fleet->store, keep, fleet.now);
  }

  Uuid test{};
};

TEST(RecordResult, KnowsItsHostTestAndOutcome) {
  Tests work;
  const TaskId id = work.run(126);
  const ResultView view = show_result(work.fleet->store, id).value();
  EXPECT_EQ(view.result.host, work.agent.host);
  EXPECT_EQ(view.result.test_uuid, work.test.text());
  EXPECT_EQ(view.result.outcome, Outcome::protected_);
  EXPECT_EQ(view.result.flags.bits, 0);
  EXPECT_EQ(work.summary(), (store::OutcomeCounts{0, 0, 1, 0, 0}));
}

TEST(RecordResult, OfACommandHasNoOutcome) {
  Tests work;
  const TaskId id = work.create();
  model::TaskResult result = work.result_of(id, 127);
  ASSERT_TRUE(work.report(result)->changed);
  EXPECT_EQ(show_result(work.fleet->store, id)->result.outcome, std::nullopt);
  EXPECT_EQ(list_control_page(work.fleet->store, id, "", 9)->controls.at(0).outcome, std::nullopt);
  EXPECT_EQ(work.summary(), store::OutcomeCounts{});
}

TEST(RecordResult, TakesWhatCannotBeTrueAndFlagsIt) {
  Tests work;
  const TaskId id = work.create_test();
  model::TaskResult result = work.result_of(id, 101);
  result.started_at = format_rfc3339(work.fleet.now + std::chrono::hours(1));
  const model::ResultClaims claims{"", "", model::BundleClaims{"another", {}, {}, {}}};
  work.fleet->store.write(
      [&](store::Tx& tx) { EXPECT_TRUE(work.report(tx, result, claims)->changed); });
  const auto stored = show_result(work.fleet->store, id)->result;
  EXPECT_EQ(stored.flags.names(),
            (std::vector<std::string_view>{"foreign_bundle", "in_the_future"}));
  EXPECT_EQ(stored.outcome, Outcome::unprotected);
}

TEST(ShowResult, IsOnlyOfTasksThatHaveOne) {
  Tests work;
  EXPECT_EQ(show_result(work.fleet->store, work.create_test()).error().code, Errc::not_found);
  EXPECT_EQ(show_result(work.fleet->store, TaskId{}).error().code, Errc::not_found);
  EXPECT_EQ(list_control_page(work.fleet->store, TaskId{}, "", 9).error().code, Errc::unknown_task);
}

TEST(Summary, CountsEachHostOnceByItsLatestTask) {
  Tests work;
  const TaskId early = work.create_test();
  work.pass(std::chrono::seconds(1));
  work.run(101);
  EXPECT_EQ(work.summary(), (store::OutcomeCounts{0, 0, 0, 0, 1}));
  ASSERT_TRUE(work.report(work.result_of(early, 126))->changed);
  EXPECT_EQ(work.summary(), (store::OutcomeCounts{0, 0, 0, 0, 1})) << "a late result is not news";
  work.pass(std::chrono::seconds(1));
  work.run(999);
  EXPECT_EQ(work.summary(), (store::OutcomeCounts{0, 0, 0, 1, 0}));
}

TEST(ResultPages, CoverTheHistoryOnce) {
  Tests work;
  std::vector<TaskId> runs;
  for (int i = 0; i < 5; ++i) {
    runs.insert(runs.begin(), work.run(0));
    work.pass(std::chrono::seconds(1));
  }
  std::vector<TaskId> seen;
  std::string cursor;
  do {
    const ResultPage page = list_result_page(work.fleet->store, {}, cursor, 2).value();
    EXPECT_EQ(page.total.value, 5);
    for (const store::ResultRow& row : page.results) seen.push_back(row.result.task);
    cursor = page.next_cursor;
  } while (!cursor.empty());
  EXPECT_EQ(seen, runs);
}

TEST(PruneResults, DeletesWhatIsOldWithAllThatIsItsOwn) {
  Tests work;
  const TaskId old = work.create_test();
  model::TaskResult result = work.result_of(old, 101);
  result.standard_output = model::Output("both say so");
  result.standard_error = model::Output("one says so");
  result.controls.emplace_back().control_id = "c1";
  ASSERT_TRUE(work.report(result)->changed);
  work.pass(std::chrono::hours(48));
  const TaskId kept = work.create_test();
  result = work.result_of(kept, 126);
  result.standard_output = model::Output("both say so");
  ASSERT_TRUE(work.report(result)->changed);
  EXPECT_EQ(work.prune(std::chrono::hours(24 * 7)), 0);
  EXPECT_EQ(work.prune(), 3) << "a result, a control, an output";
  EXPECT_EQ(show_result(work.fleet->store, old).error().code, Errc::not_found);
  EXPECT_EQ(work.show(old).task.status, TaskStatus::completed) << "tasks stay";
  EXPECT_EQ(show_result(work.fleet->store, kept)->result.standard_output.text(), "both say so");
  EXPECT_EQ(work.fleet.count("SELECT count(*) FROM outputs"), 1);
  EXPECT_EQ(work.summary(), (store::OutcomeCounts{0, 0, 1, 0, 0}));
  EXPECT_EQ(work.prune(), 0);
}

TEST(PruneResults, LeavesOutputWhileAnOldResultIsLeft) {
  Tests work;
  const TaskId id = work.create();
  model::TaskResult result = work.result_of(id);
  result.standard_output = model::Output("said");
  for (int i = 0; i <= limits::prune_rows * limits::prune_rounds; ++i) {
    result.controls.emplace_back().control_id = std::to_string(i);
  }
  ASSERT_TRUE(work.report(result)->changed);
  work.pass(std::chrono::hours(72));
  EXPECT_EQ(work.prune(), limits::prune_rows * limits::prune_rounds);
  EXPECT_EQ(show_result(work.fleet->store, id)->result.standard_output.text(), "said");
  EXPECT_EQ(work.prune(), 3) << "the next call goes on";
  EXPECT_EQ(work.fleet.count("SELECT count(*) FROM outputs"), 0);
}

}  // namespace
}  // namespace muster::fleet
