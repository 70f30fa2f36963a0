// SPDX-License-Identifier: Apache-2.0
// What the functions of store/sql/results promise, on every engine: output that is kept once,
// histories, the latest run of each host, and what goes with time.
#include "store/testing/contract.h"

namespace muster::store {
namespace {

using model::Outcome;
using model::Output;
using model::Task;
using model::TaskResult;
using testing::Contract;
using testing::now;
using testing::org;
using testing::other_org;

constexpr std::int64_t day_ms = 24 * 3600 * 1000;
constexpr std::int64_t today = now.unix_ms / day_ms;
constexpr Instant tomorrow{(today + 1) * day_ms};
const std::string test_a = "0190f1c2-0000-7000-8000-00000000000a";
const std::string test_b = "0190f1c2-0000-7000-8000-00000000000b";

class ResultStore : public Contract {
 protected:
  /// The result of a task that is stored too.
  TaskResult add(HostId host, const std::string& test, int seconds,
                 Outcome outcome = Outcome::protected_, OrgId of = org) {
    Task one = task({uuid()}, seconds);
    one.org = of;
    one.test_uuid = test;
    one.label = testing::text;
    if (!test.empty()) one.type = model::TaskType::execute_test;
    TaskResult result;
    result.task = one.id;
    result.host = host;
    result.test_uuid = test;
    result.hostname = testing::text;
    result.received_at = now + std::chrono::seconds(seconds);
    if (!test.empty()) result.outcome = outcome;
    write([&](Tx& tx) {
      insert_task(tx, one);
      insert_results(tx, of, {&result});
      insert_outputs(tx, of, {&result});
      if (result.outcome) set_latest_results(tx, of, {&result});
    });
    return result;
  }
  void add_output(const std::string& out, const std::string& err, Instant at, OrgId of = org) {
    TaskResult result;
    result.task = {uuid()};
    result.received_at = at;
    result.standard_output = Output(out);
    result.standard_error = Output(err);
    write([&](Tx& tx) {
      insert_results(tx, of, {&result});
      insert_outputs(tx, of, {&result});
    });
  }
  std::int64_t count(Sql sql) {
    return read([&](Reader& reader) {
      Rows rows = reader.query(sql);
      rows.next();
      return rows.integer(0);
    });
  }
  std::int64_t outputs() { return count("SELECT count(*) FROM outputs"); }

  std::vector<TaskId> listed(const ResultFilter& filter) {
    return read([&](Reader& reader) {
      std::vector<TaskId> ids;
      for (const ResultRow& row : list_results(reader, filter, end, 10)) {
        ids.push_back(row.result.task);
      }
      EXPECT_EQ(count_results(reader, filter).value, static_cast<std::int64_t>(ids.size()));
      return ids;
    });
  }
  using Ids = std::vector<TaskId>;

  ResultPlace end{{number_id_max}, {}};
};

TEST_P(ResultStore, WhatManyProgramsWroteIsStoredOnce) {
  const std::string same(5000, 's');
  for (int i = 0; i < 50; ++i) add_output(same, same, now);
  EXPECT_EQ(outputs(), 1);
  add_output(same, "", now, other_org);
  EXPECT_EQ(outputs(), 2) << "nothing is shared across organisations";
  add_output("", "", now);
  EXPECT_EQ(outputs(), 2) << "what is empty is not stored";
}

TEST_P(ResultStore, OutputIsKeptOctetByOctet) {
  TaskResult result;
  result.task = {uuid()};
  result.standard_output = Output(std::string("a\0b", 3), true);
  result.standard_error = Output("", true);
  write([&](Tx& tx) {
    insert_results(tx, org, {&result});
    insert_outputs(tx, org, {&result});
  });
  const auto stored = read([&](Reader& reader) { return find_result(reader, org, result.task); });
  ASSERT_TRUE(stored);
  EXPECT_EQ(testing::fields(*stored), testing::fields(result));
}

TEST_P(ResultStore, HistoriesGoByEveryFilterAndTogether) {
  const HostId one{7};
  const HostId two{8};
  const TaskId a = add(one, test_a, 1).task;
  const TaskId b = add(one, test_b, 2, Outcome::error).task;
  const TaskId c = add(two, test_a, 3, Outcome::error).task;
  const TaskId command = add(one, "", 4).task;
  const TaskId elsewhere = add(one, test_a, 5, Outcome::protected_, other_org).task;
  EXPECT_EQ(listed({}), (Ids{elsewhere, command, c, b, a}));
  EXPECT_EQ(listed({.org = org}), (Ids{command, c, b, a}));
  EXPECT_EQ(listed({.org = org, .host = one}), (Ids{command, b, a}));
  EXPECT_EQ(listed({.org = org, .host = one, .test = test_a}), (Ids{a}));
  EXPECT_EQ(listed({.test = test_a}), (Ids{elsewhere, c, a}));
  EXPECT_EQ(listed({.org = other_org, .test = test_a}), (Ids{elsewhere}));
  EXPECT_EQ(listed({.outcome = Outcome::error}), (Ids{c, b}));
  EXPECT_EQ(listed({.org = org, .host = one, .outcome = Outcome::error}), (Ids{b}));
  EXPECT_EQ(listed({.test = test_a, .since = now + std::chrono::seconds(3)}), (Ids{elsewhere, c}));
}

TEST_P(ResultStore, PagesGoOnWhereTheLastOneEnded) {
  Ids all;
  for (int i = 0; i < 6; ++i) all.push_back(add({7}, test_a, i / 3).task);  // 3 at each moment
  std::sort(all.begin(), all.end(), [](TaskId x, TaskId y) { return y.uuid < x.uuid; });
  Ids seen;
  ResultPlace place = end;
  for (int page = 0; page < 3; ++page) {
    for (const ResultRow& row :
         read([&](Reader& reader) { return list_results(reader, {}, place, 2); })) {
      EXPECT_EQ(row.label, testing::text);
      EXPECT_EQ(row.type, model::TaskType::execute_test);
      seen.push_back(row.result.task);
      place = {row.result.received_at, row.result.task};
    }
  }
  EXPECT_EQ(seen, all);
}

TEST_P(ResultStore, TheLatestRunIsThatOfTheTaskCreatedLast) {
  const auto counts = [&](std::optional<OrgId> of = std::nullopt) {
    return read([&](Reader& reader) { return count_latest_results(reader, of, test_a); });
  };
  EXPECT_EQ(counts(), (OutcomeCounts{}));
  add({7}, test_a, 5, Outcome::unprotected);
  add({7}, test_a, 4, Outcome::protected_);  // an agent's queue is in no order
  EXPECT_EQ(counts(), (OutcomeCounts{0, 0, 0, 0, 1}));
  add({7}, test_a, 6, Outcome::error);
  add({8}, test_a, 1, Outcome::protected_);
  add({9}, test_b, 9, Outcome::protected_);
  add({7}, test_a, 1, Outcome::not_run, other_org);
  EXPECT_EQ(counts(org), (OutcomeCounts{0, 0, 1, 1, 0}));
}

TEST_P(ResultStore, WhatIsStoredTogetherIsAsIfOneAfterAnother) {
  std::vector<TaskResult> results;
  for (std::int64_t i = 0; i < 6; ++i) {
    TaskResult& result = results.emplace_back();
    result.task = {uuid()};
    result.host = {7 + i % 2};
    result.test_uuid = i == 5 ? test_b : test_a;
    result.outcome = i % 3 == 0 ? Outcome::error : Outcome::protected_;
    result.received_at = i == 3 ? tomorrow : now;
    result.exit_code = i - 1;
    result.standard_output = Output("said by three " + std::to_string(i % 2), i == 0);
    result.standard_error = Output(i == 4 ? "said by three 0" : "");
    result.bundle = i == 2 ? "{}" : "";
    result.controls = {control("a", i), control("b", 1), control("a", 9)};
  }
  const auto store_them = [&](OrgId in, std::size_t at_once) {
    for (std::size_t from = 0; from < results.size(); from += at_once) {
      std::vector<const TaskResult*> part;
      std::vector<ControlOfTask> controls;
      for (std::size_t i = from; i < std::min(from + at_once, results.size()); ++i) {
        part.push_back(&results[i]);
        for (const model::Control& each : results[i].controls)
          controls.push_back({part.back()->task, &each});
      }
      write([&](Tx& tx) {
        EXPECT_EQ(insert_results(tx, in, part).size(), part.size());
        EXPECT_TRUE(insert_results(tx, in, part).empty()) << "each task has one";
        insert_outputs(tx, in, part);
        set_controls(tx, in, controls);
        set_latest_results(tx, in, part);
      });
    }
  };
  store_them(org, results.size());
  store_them(other_org, 1);
  read([&](Reader& reader) {
    for (const TaskResult& result : results) {
      const auto together = find_result(reader, org, result.task);
      ASSERT_TRUE(together);
      EXPECT_EQ(testing::fields(*together),
                testing::fields(*find_result(reader, other_org, result.task)));
      const auto controls = list_controls(reader, org, result.task, {}, 10);
      ASSERT_EQ(controls.size(), 2U);
      EXPECT_EQ(controls[1].position, 9) << "the last of those that name it";
      EXPECT_EQ(testing::all_fields(controls),
                testing::all_fields(list_controls(reader, other_org, result.task, {}, 10)));
    }
  });
  EXPECT_EQ(outputs(), 4) << "two texts in each organisation";
  EXPECT_EQ(count("SELECT count(DISTINCT last_day) FROM outputs"), 2);
  EXPECT_EQ(count("SELECT count(*) FROM (SELECT 1 FROM outputs GROUP BY sha256, last_day"
                  " HAVING count(*) <> 2) differ"),
            0);
  EXPECT_EQ(count("SELECT count(*) FROM latest_results"), 2 * 3);
  EXPECT_EQ(count("SELECT count(*) FROM (SELECT 1 FROM latest_results"
                  " GROUP BY test_uuid, host_id, task_id, outcome HAVING count(*) <> 2) differ"),
            0);
}

TEST_P(ResultStore, OldResultsGoInSlicesAfterTheirControls) {
  const TaskResult old = add({7}, test_a, 0);
  const TaskResult kept = add({8}, test_a, 60);
  write([&](Tx& tx) {
    add_controls(tx, old.task, {control("a", 1), control("b", 2), control("c", 3)});
    add_controls(tx, kept.task, {control("a", 1)});
  });
  const auto prune = [&] {
    return write([&](Tx& tx) { return delete_old_results(tx, now + std::chrono::seconds(60), 2); });
  };
  EXPECT_EQ(prune(), 2);
  EXPECT_EQ(count("SELECT count(*) FROM controls"), 2);
  EXPECT_EQ(listed({}), (Ids{kept.task, old.task})) << "a part of its controls is left";
  EXPECT_EQ(prune(), 2) << "the last control, then the result";
  EXPECT_EQ(listed({}), (Ids{kept.task}));
  EXPECT_EQ(prune(), 0);
  EXPECT_EQ(count("SELECT count(*) FROM controls"), 1);
  EXPECT_EQ(count("SELECT count(*) FROM latest_results"), 1);
}

TEST_P(ResultStore, TheLatestRunStaysWhenAnEarlierOneGoes) {
  add({7}, test_a, 0);
  add({7}, test_a, 60);
  write([&](Tx& tx) { delete_old_results(tx, now + std::chrono::seconds(60), 9); });
  EXPECT_EQ(count("SELECT count(*) FROM latest_results"), 1);
}

TEST_P(ResultStore, OutputGoesAfterTheDayOfTheLastResultThatNamesIt) {
  add_output("often", "once", now);
  add_output("often", "", tomorrow);
  add_output("often", "", now);  // late, or the clock went back
  const auto prune = [&](std::int64_t before) {
    return write([&](Tx& tx) { return delete_old_outputs(tx, before, 10, 1000); });
  };
  EXPECT_EQ(prune(today), 0);
  EXPECT_EQ(prune(today + 1), 1) << "once";
  EXPECT_EQ(prune(today + 1), 0);
  EXPECT_EQ(prune(today + 2), 1) << "often";
  EXPECT_EQ(outputs(), 0);
}

TEST_P(ResultStore, OutputGoesByACountAndByOctets) {
  for (const char c : {'a', 'b', 'c', 'd', 'e'}) add_output(std::string(100, c), "", now);
  const auto prune = [&](int most, std::int64_t octets) {
    return write([&](Tx& tx) { return delete_old_outputs(tx, today + 1, most, octets); });
  };
  EXPECT_EQ(prune(2, 1000), 2);
  EXPECT_EQ(prune(10, 101), 2);
  EXPECT_EQ(prune(10, 1), 1) << "one at least, however large it is";
}

TEST_P(ResultStore, ControlsArePaged) {
  const TaskId id{uuid()};
  write([&](Tx& tx) { add_controls(tx, id, {control("b", 1), control("a", 1), control("c", 2)}); });
  read([&](Reader& reader) {
    const auto page = list_controls(reader, org, id, {}, 2);
    ASSERT_EQ(page.size(), 2U);
    EXPECT_EQ(page[1].control_id, "b");
    const auto rest = list_controls(reader, org, id, {1, "b"}, 2);
    ASSERT_EQ(rest.size(), 1U);
    EXPECT_EQ(rest[0].control_id, "c");
    EXPECT_EQ(count_controls(reader, org, id), 3);
    EXPECT_EQ(count_controls(reader, other_org, id), 0);
  });
}

ON_EVERY_DATABASE(ResultStore);

}  // namespace
}  // namespace muster::store
