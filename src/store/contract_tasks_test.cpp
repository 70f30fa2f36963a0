// SPDX-License-Identifier: Apache-2.0
// What the functions of store/sql do with tasks beyond their life, on every engine: lists, batches,
// notes, due times, retries and what is sealed.
#include "store/testing/contract.h"

namespace muster::store {
namespace {

using model::Task;
using testing::all_fields;
using testing::Contract;
using testing::now;
using testing::org;
using testing::other_org;

class Listed : public Contract {
 protected:
  void SetUp() override {
    Contract::SetUp();
    if (IsSkipped()) return;
    first = task(agent, 1);
    first.label = "uname -a; echo 100%_done!";
    second = task(agent, 2);
    second.status = model::TaskStatus::failed;
    second.label = "Reboot";
    third = task({uuid()}, 3);
    third.type = model::TaskType::execute_test;
    third.batch = first.batch;
    write([&](Tx& tx) {
      for (const Task& one : {first, second, third}) insert_task(tx, one);
    });
  }
  /// The tasks that a filter leaves, which are as many as it counts.
  auto listed(const TaskFilter& filter) {
    return read([&](Reader& reader) {
      const auto tasks = list_tasks(reader, filter, {uuid(9)}, 10);
      EXPECT_EQ(count_tasks(reader, filter).value, static_cast<std::int64_t>(tasks.size()));
      return all_fields(tasks);
    });
  }
  static auto just(const std::vector<Task>& tasks) { return all_fields(tasks); }

  const AgentId agent{uuid()};
  Task first, second, third;
};

TEST_P(Listed, TasksGoByEveryFilterAndTogether) {
  EXPECT_EQ(listed({}), just({third, second, first}));
  EXPECT_EQ(listed({.org = org}), just({third, second, first}));
  EXPECT_EQ(listed({.org = other_org}), just({}));
  EXPECT_EQ(listed({.agent = agent}), just({second, first}));
  EXPECT_EQ(listed({.batch = first.batch}), just({third, first}));
  EXPECT_EQ(listed({.status = model::TaskStatus::failed}), just({second}));
  EXPECT_EQ(listed({.type = model::TaskType::execute_test}), just({third}));
  EXPECT_EQ(listed({.agent = agent, .batch = first.batch}), just({first}));
  EXPECT_EQ(listed({.agent = agent, .status = model::TaskStatus::pending}), just({first}));
}

TEST_P(Listed, TextIsFoundAnywhereInAnyCaseAndMeansItself) {
  EXPECT_EQ(listed({.text = "UNAME"}), just({first}));
  EXPECT_EQ(listed({.text = "boot"}), just({second}));
  EXPECT_EQ(listed({.text = "100%_done!"}), just({first}));
  EXPECT_EQ(listed({.text = "1%d"}), just({})) << "no pattern";
  EXPECT_EQ(listed({.text = "100__d"}), just({})) << "no pattern";
}

class TaskStore : public Contract {};

TEST_P(TaskStore, ABatchIsDecidedOnOnceAndOnlyIfItNeedsIt) {
  TaskBatch waits;
  waits.org = org;
  waits.id = uuid(1);
  waits.created_at = now;
  waits.created_by = {7};
  waits.approve_by = now + std::chrono::hours(24);
  TaskBatch elsewhere = waits;
  elsewhere.org = other_org;
  TaskBatch free = waits;
  free.id = uuid(2);
  free.approve_by.reset();
  write([&](Tx& tx) {
    for (const TaskBatch& batch : {waits, elsewhere, free}) insert_batch(tx, batch);
  });
  const BatchDecision no{false, {8}, now + Duration(5), testing::text};
  write([&](Tx& tx) {
    EXPECT_FALSE(decide_batch(tx, org, free.id, no)) << "it needs none";
    EXPECT_FALSE(decide_batch(tx, org, uuid(3), no)) << "it never was";
    EXPECT_TRUE(decide_batch(tx, org, waits.id, no));
    EXPECT_FALSE(decide_batch(tx, org, waits.id, {true, {9}, now, ""})) << "it has one";
  });
  read([&](Reader& reader) {
    const auto found = find_batch(reader, org, waits.id);
    ASSERT_TRUE(found && found->decision);
    EXPECT_EQ(found->created_by, waits.created_by);
    EXPECT_EQ(found->approve_by, waits.approve_by);
    EXPECT_FALSE(found->decision->approved);
    EXPECT_EQ(found->decision->by, no.by);
    EXPECT_EQ(found->decision->at, no.at);
    EXPECT_EQ(found->decision->reason, no.reason);
    EXPECT_FALSE(find_batch(reader, other_org, waits.id)->decision) << "another organisation's";
    EXPECT_FALSE(find_batch(reader, org, free.id)->approve_by);
    EXPECT_FALSE(find_batch(reader, org, uuid(3)));
  });
}

TEST_P(TaskStore, WhatWaitsForApprovalIsFoundAndNeverOutstanding) {
  const AgentId agent{uuid()};
  Task waits = task(agent, 1);
  waits.status = model::TaskStatus::pending_approval;
  waits.approve_by = waits.due_at = now + std::chrono::hours(24);
  Task other = task(agent, 2);
  other.batch = waits.batch;
  write([&](Tx& tx) {
    insert_task(tx, waits);
    insert_task(tx, other);
  });
  read([&](Reader& reader) {
    TaskFilter filter;
    filter.status = model::TaskStatus::pending_approval;
    EXPECT_EQ(all_fields(list_tasks(reader, filter, {uuid(9)}, 10)), all_fields<Task>({waits}));
    EXPECT_EQ(count_tasks(reader, filter).value, 1);
    filter.org = other_org;
    EXPECT_EQ(count_tasks(reader, filter).value, 0);
    EXPECT_EQ(all_fields(list_deliverable_tasks(reader, org, agent, 10)),
              all_fields<Task>({other}));
    EXPECT_TRUE(list_outstanding_of(reader, org, {{agent, true}}).at(0).pending);
    EXPECT_TRUE(list_outstanding(reader).at(0).pending);
    EXPECT_EQ(count_pending_tasks(reader, org, agent), 2) << "both count for the bound";
    EXPECT_EQ(
        all_fields(list_batch_tasks(reader, waits.batch, org, BatchPart::pending_approval, 10)),
        all_fields<Task>({waits}));
    EXPECT_EQ(list_batch_tasks(reader, waits.batch, org, BatchPart::unfinished, 10).size(), 2U);
    EXPECT_EQ(list_due_tasks(reader, *waits.due_at + Duration(1), 10).size(), 1U);
  });
  waits.status = model::TaskStatus::pending;
  waits.deliver_by = now + std::chrono::hours(30);
  waits.valid_until = now + std::chrono::hours(31);
  write([&](Tx& tx) { set_task(tx, waits); });
  EXPECT_EQ(read([&](Reader& r) { return all_fields<Task>({*find_task(r, org, waits.id)}); }),
            all_fields<Task>({waits}))
      << "its time began";
}

TEST_P(TaskStore, BatchesCountTheirTasksByStatus) {
  const OrgId second = write([](Tx& tx) { return insert_org(tx, "second", now); }).value();
  TaskBatch older;
  older.org = org;
  older.id = uuid(1);
  older.label = testing::text;
  older.created_at = now;
  older.created_by = {7};
  TaskBatch newer = older;
  newer.id = uuid(2);
  TaskBatch elsewhere = newer;
  elsewhere.org = second;
  write([&](Tx& tx) {
    for (const TaskBatch& batch : {older, newer, elsewhere, older}) {
      insert_batch(tx, batch);
      Task one = task({uuid()});
      one.org = batch.org;
      one.batch = batch.id;
      one.status = batch.org == second ? model::TaskStatus::failed : one.status;
      insert_task(tx, one);
    }
  });
  read([&](Reader& reader) {
    const auto all = list_batches(reader, std::nullopt, uuid(9), {0}, 10);
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[0].org, second);
    EXPECT_EQ(all[1].id, newer.id);
    EXPECT_EQ(all[2].id, older.id);
    EXPECT_EQ(all[2].label, testing::text);
    EXPECT_EQ(all[2].created_by, OperatorId{7});
    using Counts = std::vector<std::pair<model::TaskStatus, std::int64_t>>;
    EXPECT_EQ(all[2].tasks, (Counts{{model::TaskStatus::pending, 2}}));
    EXPECT_EQ(all[0].tasks, (Counts{{model::TaskStatus::failed, 1}}));
    const auto rest = list_batches(reader, std::nullopt, newer.id, second, 1);
    ASSERT_EQ(rest.size(), 1U);
    EXPECT_EQ(rest[0].org, org) << "the other organisation of the same call";
    EXPECT_EQ(list_batches(reader, org, uuid(9), {0}, 10).size(), 2U);
    EXPECT_EQ(count_batches(reader, org).value, 2);
    EXPECT_EQ(count_batches(reader, std::nullopt).value, 3);
    const auto counted = [&](const Uuid& id, std::optional<OrgId> of, BatchPart part, int bound) {
      return list_batch_tasks(reader, id, of, part, bound).size();
    };
    EXPECT_EQ(counted(older.id, std::nullopt, BatchPart::unfinished, 10), 2U);
    EXPECT_EQ(counted(older.id, std::nullopt, BatchPart::all, 1), 1U);
    EXPECT_EQ(counted(uuid(3), std::nullopt, BatchPart::all, 1), 0U);
    EXPECT_EQ(counted(newer.id, std::nullopt, BatchPart::all, 10), 2U);
    EXPECT_EQ(counted(newer.id, org, BatchPart::all, 10), 1U);
    EXPECT_EQ(counted(newer.id, second, BatchPart::unfinished, 10), 0U) << "it failed";
  });
}

TEST_P(TaskStore, NotesAreReadNewestFirst) {
  const TaskId id{uuid()};
  write([&](Tx& tx) {
    for (std::int64_t i = 1; i <= 12; ++i) insert_note(tx, org, id, {i, now, "me", testing::text});
    insert_note(tx, other_org, id, {1, now, "they", "x"});
  });
  const auto notes = read([&](Reader& reader) { return list_notes(reader, org, id); });
  ASSERT_EQ(notes.size(), 12U);
  EXPECT_EQ(notes[0].version, 12);
  EXPECT_EQ(notes[11].version, 1);
  EXPECT_EQ(notes[0].text, testing::text);
  EXPECT_EQ(notes[0].author, "me");
}

TEST_P(TaskStore, WhatIsSealedGoesWithTheEndOfTheTask) {
  Task one = task({uuid()});
  const std::string sealed("\0\xFF sealed", 9);
  write([&](Tx& tx) { insert_task(tx, one, sealed); });
  const auto kept = [&] {
    return read([&](Reader& reader) { return find_sealed_env(reader, org, one.id); });
  };
  EXPECT_EQ(kept(), sealed);
  one.status = model::TaskStatus::executing;
  write([&](Tx& tx) { set_task(tx, one); });
  EXPECT_EQ(kept(), sealed);
  one.status = model::TaskStatus::expired;
  write([&](Tx& tx) { set_task(tx, one); });
  EXPECT_EQ(kept(), "");
}

TEST_P(TaskStore, DueTasksAndRetriesComeInTheirOrder) {
  Task early = task({uuid()}, 1);
  early.due_at = now;
  Task late = task({uuid()}, 2);
  late.due_at = now + Duration(1);
  late.original = early.id;
  late.retry_count = 2;
  Task never = task({uuid()}, 3);
  never.original = early.id;
  never.retry_count = 1;
  write([&](Tx& tx) {
    for (const Task& one : {late, never, early}) insert_task(tx, one);
  });
  read([&](Reader& reader) {
    EXPECT_TRUE(list_due_tasks(reader, now, 9).empty()) << "due by, not at";
    EXPECT_EQ(all_fields(list_due_tasks(reader, now + Duration(1), 9)), all_fields<Task>({early}));
    EXPECT_EQ(all_fields(list_due_tasks(reader, now + Duration(2), 9)),
              all_fields<Task>({early, late}));
    EXPECT_EQ(list_due_tasks(reader, now + Duration(2), 1).size(), 1U);
    EXPECT_EQ(all_fields(list_retries(reader, org, early.id)), all_fields<Task>({never, late}));
    EXPECT_TRUE(list_retries(reader, other_org, early.id).empty());
  });
}

TEST_P(TaskStore, WhatAPollMayFindIsCounted) {
  const AgentId a{uuid()};
  Task waiting = task(a);
  Task given = task(a, 1);
  given.status = model::TaskStatus::assigned;
  given.redeliver = false;
  given.lease_until = now + Duration(5);
  Task repeatable = given;
  repeatable.id = {uuid(2)};
  repeatable.type = model::TaskType::update_agent;
  repeatable.lease_until = now + Duration(9);
  Task begun = repeatable;
  begun.id = {uuid(3)};
  begun.started_at = now;
  const AgentId agent_b{uuid()};
  const Task of_b = task(agent_b, 4);
  write([&](Tx& tx) {
    for (const Task& one : {waiting, given, repeatable, begun, of_b}) insert_task(tx, one);
  });
  read([&](Reader& reader) {
    const auto once = list_outstanding_of(reader, org, {{a, true}}).at(0);
    EXPECT_TRUE(once.pending);
    EXPECT_EQ(once.redeliver_at, now + Duration(5));
    const auto fielded = list_outstanding_of(reader, org, {{a, false}}).at(0);
    EXPECT_EQ(fielded.redeliver_at, now + Duration(9)) << "a command is given once";
    const auto nothing = list_outstanding_of(reader, org, {{AgentId{uuid()}, true}}).at(0);
    EXPECT_FALSE(nothing.pending);
    EXPECT_FALSE(nothing.redeliver_at.has_value());
    const auto together =
        list_outstanding_of(reader, org, {{AgentId{uuid()}, true}, {a, true}, {agent_b, false}});
    ASSERT_EQ(together.size(), 3U);
    EXPECT_FALSE(together[0].pending);
    EXPECT_EQ(together[1].redeliver_at, once.redeliver_at);
    EXPECT_TRUE(together[2].pending);
    EXPECT_FALSE(together[2].redeliver_at.has_value());
  });
}

TEST_P(TaskStore, TasksAreFoundTogether) {
  const AgentId a{uuid()};
  std::vector<Task> tasks = {task(a, 1), task(a, 2), task(a, 3)};
  Task elsewhere = task(a, 4);
  elsewhere.org = other_org;
  write([&](Tx& tx) {
    for (const Task& one : tasks) insert_task(tx, one, "sealed");
    insert_task(tx, elsewhere);
  });
  tasks[0].status = model::TaskStatus::completed;
  tasks[0].finished_at = now;
  tasks[0].error = "none";
  tasks[2].status = model::TaskStatus::assigned;
  tasks[2].attempt = 3;
  tasks[2].due_at = now + Duration(7);
  write([&](Tx& tx) {
    set_task(tx, tasks[0]);
    set_task(tx, tasks[2]);
  });
  read([&](Reader& reader) {
    auto found = find_tasks(reader, org,
                            {tasks[0].id, tasks[1].id, tasks[2].id, elsewhere.id, TaskId{uuid()}});
    std::sort(found.begin(), found.end(),
              [](const Task& x, const Task& y) { return x.created_at < y.created_at; });
    ASSERT_EQ(found.size(), 3U);
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(testing::fields(found[i]), testing::fields(tasks[i]));
    }
    EXPECT_EQ(find_tasks(reader, org, {tasks[1].id}).at(0).id, tasks[1].id);
    EXPECT_TRUE(find_sealed_env(reader, org, tasks[0].id).empty()) << "it is over";
    EXPECT_EQ(find_sealed_env(reader, org, tasks[2].id), "sealed");
  });
}

ON_EVERY_DATABASE(Listed);
ON_EVERY_DATABASE(TaskStore);

class Signed : public Contract {};

TEST_P(Signed, AnOrderIsOfItsTaskAndOrganisationAndFoundById) {
  const TaskId id{uuid()};
  const Uuid order_id = uuid(7);
  model::SignedOrder order;
  order.text = testing::text;
  order.signature.fill(0xFE);
  order.signer.fill(0x01);
  write([&](Tx& tx) { insert_work_order(tx, org, id, order_id, order); });
  const auto found = read([&](Reader& reader) { return find_work_order(reader, org, id); });
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->text, order.text);
  EXPECT_EQ(found->signature, order.signature);
  EXPECT_EQ(found->signer, order.signer);
  read([&](Reader& reader) {
    EXPECT_FALSE(find_work_order(reader, other_org, id).has_value());
    EXPECT_FALSE(find_work_order(reader, org, TaskId{uuid(8)}).has_value());
    EXPECT_EQ(find_task_of_order(reader, org, order_id), id);
    EXPECT_FALSE(find_task_of_order(reader, other_org, order_id).has_value());
    return 0;
  });
  EXPECT_THROW(write([&](Tx& tx) { insert_work_order(tx, org, TaskId{uuid(9)}, order_id, order); }),
               StoreError)
      << "an order is of one task";
}

ON_EVERY_DATABASE(Signed);

}  // namespace
}  // namespace muster::store
