// SPDX-License-Identifier: Apache-2.0
// What the functions of store/sql do, on every engine: events and outages.
#include "store/testing/contract.h"
#include "store/testing/statement_plans.h"

namespace muster::store {
namespace {

using model::Agent;
using model::Task;
using testing::now;
using testing::org;
using testing::other_org;
using testing::text;

using OutageContract = testing::Contract;
ON_EVERY_DATABASE(OutageContract);

TEST_P(OutageContract, EventsAreFilteredByEverythingAtOnce) {
  const AgentId a{uuid(1)};
  write([&](Tx& tx) {
    for (std::int64_t id = 1; id <= 32; ++id) {
      const auto bit = [&](int n) { return ((id - 1) >> n & 1) != 0; };
      insert_event(tx, {bit(0) ? other_org : org,
                        {id},
                        now + Duration(id),
                        bit(1) ? text : "other",
                        bit(2) ? std::optional(a) : std::nullopt,
                        bit(3) ? std::optional(HostId{9}) : std::nullopt,
                        "{}"});
    }
  });
  // Each filter halves the 32 events, whichever of them leads; the last is of times, or of ids.
  for (int filters = 0; filters < 48; ++filters) {
    EventFilter filter;
    std::int64_t expected = 32;
    const auto on = [&](int n) {
      if ((filters >> n & 1) == 0) return false;
      expected /= 2;
      return true;
    };
    if (on(0)) filter.org = org;
    if (on(1)) filter.type = text;
    if (on(2)) filter.agent = a;
    if (on(3)) filter.host = HostId{9};
    if (on(4)) {
      filter.since = now + Duration(9);
      filter.until = now + Duration(25);
    }
    if (on(5)) filter.from = {17};
    read([&](Reader& reader) {
      EXPECT_EQ(count_events(reader, filter).value, expected) << filters;
      const auto page = list_events(reader, filter, {number_id_max}, 100);
      EXPECT_EQ(page.size(), static_cast<std::size_t>(expected)) << filters;
      EXPECT_TRUE(std::is_sorted(page.begin(), page.end(), [](const auto& x, const auto& y) {
        return x.id > y.id;
      })) << filters;
      return 0;
    });
  }
  EventFilter bounded;
  bounded.from = {5};
  bounded.below = {8};
  EXPECT_EQ(read([&](Reader& reader) { return count_events(reader, bounded); }).value, 3);
  EXPECT_EQ(write([](Tx& tx) { return delete_old_events(tx, {10}, 6); }), 6) << "the oldest";
  EXPECT_EQ(write([](Tx& tx) { return delete_old_events(tx, {10}, 6); }), 3);
  EXPECT_EQ(read([&](Reader& reader) { return list_events(reader, {}, {11}, 5); }).size(), 1U);
}

TEST_P(OutageContract, EventsAreReadByTheIndexThatHasThemInTheirOrder) {
  if (GetParam() != Engine::sqlite) GTEST_SKIP() << "it plans by what is in the tables";
  testing::StatementLog statements;
  store.reset();
  store.emplace(database->open());
  const auto connection = database->connect();
  const auto plan = [&](const EventFilter& filter) {
    statements.texts.clear();
    statements.listening = true;
    read([&](Reader& reader) { return list_events(reader, filter, {number_id_max}, 100); });
    read([&](Reader& reader) { return count_events(reader, filter); });
    statements.listening = false;
    std::set<std::string> steps;
    for (const std::string& sql : statements.texts) {
      const auto explained = connection->prepare(("EXPLAIN QUERY PLAN " + sql).c_str());
      while (explained->step()) {
        std::string step(explained->text(3));
        if (step.find("SEARCH e ") == 0) steps.insert(std::move(step));
      }
    }
    return steps;
  };
  // Without a bound from below PostgreSQL does not look for the least id (ADR 35).
  for (const auto& [from, bounds] :
       {std::pair(EventId{}, "event_id<?)"), std::pair(EventId{5}, "event_id>? AND event_id<?)")}) {
    const auto by = [&](const std::string& index) {
      return std::set<std::string>{"SEARCH e USING INDEX " + index + bounds};
    };
    EventFilter filter;
    filter.from = from;
    EXPECT_EQ(plan(filter), by("events_by_id ("));
    filter.org = org;
    EXPECT_EQ(plan(filter), by("sqlite_autoindex_events_1 (org_id=? AND "));
    filter.type = "went_offline";
    EXPECT_EQ(plan(filter), by("events_by_type (type=? AND "));
    filter.host = HostId{9};
    EXPECT_EQ(plan(filter), by("events_by_host (host_id=? AND "));
    filter.agent = AgentId{uuid(1)};
    EXPECT_EQ(plan(filter), by("events_by_agent (agent_id=? AND "));
  }
}

TEST_P(OutageContract, AnOutageIsOpenUntilItEnds) {
  const AgentId a{uuid(1)};
  const AgentId b{uuid(2)};
  const auto row = [&](AgentId agent, int since, std::optional<EventId> group) {
    return OutageRow{org,
                     agent,
                     HostId{1},
                     now + Duration(since),
                     now + Duration(since + 5),
                     {},
                     group ? "group" : "alone",
                     group,
                     text,
                     ""};
  };
  write([&](Tx& tx) {
    insert_outages(tx, {});
    insert_outage_group(tx, {org, {7}, "tag:" + text, 2, now});
    insert_outages(tx, {row(a, 0, {}), row(b, 0, EventId{7})});
    insert_outages(tx, {row(a, 0, EventId{9})});
  });
  read([&](Reader& reader) {
    const auto open = find_open_outage(reader, org, a);
    EXPECT_EQ(open->since, now);
    EXPECT_EQ(open->telling, "alone") << "the first row stays";
    EXPECT_EQ(open->cause, text);
    EXPECT_EQ(open->group, std::nullopt);
    EXPECT_FALSE(find_open_outage(reader, other_org, a));
    EXPECT_EQ(list_silent_agents(reader).size(), 2U);
    EXPECT_EQ(list_open_outage_groups(reader).at(0).scope, "tag:" + text);
    EXPECT_EQ(count_open_outages(reader, org, {7}), 1);
    EXPECT_EQ(list_open_outages(reader, org, {7}, 9).at(0).agent, b);
    EXPECT_TRUE(is_open_outage_group(reader, org, {7}));
    EXPECT_EQ(count_presence_changes(reader, org, a, now), 1);
    EXPECT_EQ(count_presence_changes(reader, org, a, now + Duration(1)), 0);
    return 0;
  });
  write([&](Tx& tx) {
    end_outage(tx, org, a, now + Duration(9), "r");
    end_outage(tx, org, b, now + Duration(9), "r");
    end_outage_group(tx, org, {7}, now + Duration(9));
  });
  read([&](Reader& reader) {
    EXPECT_FALSE(find_open_outage(reader, org, a));
    EXPECT_FALSE(is_open_outage_group(reader, org, {7}));
    EXPECT_TRUE(list_open_outage_groups(reader).empty());
    EXPECT_EQ(count_presence_changes(reader, org, a, now), 2) << "it went and came";
    return 0;
  });
  const auto prune = [&](Duration before) {
    return write([&](Tx& tx) { return delete_old_outages(tx, now + before, 1); });
  };
  EXPECT_EQ(prune(Duration(5)), 0);
  EXPECT_EQ(prune(Duration(6)), 1);
  EXPECT_EQ(prune(Duration(6)), 1);
  EXPECT_EQ(prune(Duration(6)), 0);
}

TEST_P(OutageContract, AnOutageThatBeginsWhenAnEndedOneDidTakesItsPlace) {
  const AgentId a{uuid(1)};
  const OutageRow first{org, a, HostId{1}, now, now, {}, "flapping", {}, "before", ""};
  OutageRow second = first;
  second.telling = "group";
  second.group = EventId{7};
  second.cause = text;
  second.told_at = now + Duration(20);
  OutageRow only_a_return = first;
  only_a_return.telling = "return";
  only_a_return.ended_at = now + Duration(30);
  write([&](Tx& tx) {
    insert_outages(tx, {first});
    end_outage(tx, org, a, now + Duration(9), "r");
    insert_outages(tx, {second});
    insert_outages(tx, {only_a_return});
  });
  const auto open = read([&](Reader& reader) { return find_open_outage(reader, org, a); });
  ASSERT_TRUE(open);
  EXPECT_EQ(open->telling, "group");
  EXPECT_EQ(open->group, EventId{7});
  EXPECT_EQ(open->cause, text);
  EXPECT_EQ(open->told_at, second.told_at);
  EXPECT_EQ(open->reason, "");
}

TEST_P(OutageContract, WhoWasHeardOrToldOfIsKnownOfManyAtOnce) {
  const AgentId heard{uuid(1)};
  const AgentId told{uuid(2)};
  const AgentId silent{uuid(3)};
  const AgentId ended{uuid(4)};
  const AgentId said_nothing_new{uuid(5)};
  const auto outage = [&](AgentId agent, std::optional<Instant> until) {
    return OutageRow{org, agent, HostId{1}, now, now, until, "alone", {}, "", ""};
  };
  AgentPresenceRow seen;
  seen.org = org;
  const auto seen_at = [&](AgentId agent, Instant at) {
    seen.agent = agent;
    seen.last_seen = at;
    return seen;
  };
  write([&](Tx& tx) {
    set_agent_presence(tx,
                       {seen_at(heard, now + Duration(1)), seen_at(told, now), seen_at(silent, now),
                        seen_at(ended, now), seen_at(said_nothing_new, now)});
    set_agent_heard(tx, {{org, silent, now}, {org, said_nothing_new, now + Duration(1)}});
    insert_outages(tx, {outage(told, {}), outage(ended, now)});
  });
  const auto listed = [&](OrgId of) {
    const std::vector<SilentAgent> asked = {{of, heard, now},
                                            {of, told, now},
                                            {of, silent, now},
                                            {of, ended, now},
                                            {of, said_nothing_new, now}};
    auto found = read([&](Reader& reader) { return list_heard_or_told(reader, asked); });
    std::sort(found.begin(), found.end());
    return found;
  };
  std::vector<AgentId> expected = {heard, told, said_nothing_new};
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(listed(org), expected);
  EXPECT_TRUE(listed(other_org).empty());
  EXPECT_TRUE(read([](Reader& reader) { return list_heard_or_told(reader, {}); }).empty());
}

TEST_P(OutageContract, SamplesAreAppendedToTheirBlockAsTheyAre) {
  const std::string octets("\0\xff\x80'\0", 5);
  write([&](Tx& tx) {
    append_sample_blocks(tx, {});
    append_sample_blocks(tx, {{org, 3, 7, octets}, {org, 3, 8, "x"}, {org, 4, 7, "y"}});
    append_sample_blocks(tx, {{org, 3, 7, octets}, {other_org, 3, 7, "z"}});
  });
  write([&](Tx& tx) { append_sample_blocks(tx, {{org, 3, 7, "\x80"}}); });
  const auto blocks_from = [&](std::int64_t minute) {
    return read([&](Reader& reader) { return list_sample_blocks(reader, org, 3, minute); });
  };
  ASSERT_EQ(blocks_from(7).size(), 2U);
  EXPECT_EQ(blocks_from(7)[0].block, octets + octets + "\x80") << "also what is no text";
  EXPECT_EQ(blocks_from(7)[1].minute, 8);
  EXPECT_EQ(blocks_from(8).size(), 1U);
  const auto prune = [&] {
    return write([&](Tx& tx) { return delete_old_sample_blocks(tx, 8, 2); });
  };
  EXPECT_EQ(prune(), 2);
  EXPECT_EQ(prune(), 1);
  EXPECT_EQ(prune(), 0);
  EXPECT_EQ(blocks_from(0).size(), 1U) << "of the minute itself none";
}

TEST_P(OutageContract, OutagesAndTasksAddUpWithinTheirWindows) {
  const AgentId a{uuid(1)};
  const AgentId b{uuid(2)};
  const auto at = [](int minute) { return now + std::chrono::minutes(minute); };
  const auto outage = [&](AgentId agent, int since, std::optional<int> until, const char* telling) {
    const auto ended = until ? std::optional(at(*until)) : std::nullopt;
    return OutageRow{org, agent, HostId{1}, at(since), at(since), ended, telling, {}, "", ""};
  };
  // From minute 100 on, and from 200 on; now is 300.
  const std::vector<OutageRow> rows = {outage(a, 10, 100, "alone"), outage(a, 90, 110, "group"),
                                       outage(a, 150, 210, "flapping"),
                                       outage(a, 250, 260, "return"), outage(b, 290, {}, "alone")};
  Task done = task(a);
  done.status = model::TaskStatus::completed;
  done.finished_at = at(100);
  Task failed = task(a);
  failed.status = model::TaskStatus::failed;
  failed.finished_at = at(101);
  Task early = done;
  early.id = {uuid()};
  early.finished_at = at(99);
  Task cancelled = failed;
  cancelled.id = {uuid()};
  cancelled.status = model::TaskStatus::cancelled;
  write([&](Tx& tx) {
    insert_outages(tx, rows);
    for (const Task& each : {done, failed, early, cancelled}) {
      insert_task(tx, each);
      set_task(tx, each);
    }
  });
  read([&](Reader& reader) {
    const auto totals = list_outage_totals(reader, at(100), at(200), at(300));
    EXPECT_EQ(totals.size(), 2U);
    const OutageTotal& first = totals.at(0).agent == a ? totals[0] : totals.at(1);
    const OutageTotal& second = totals.at(0).agent == b ? totals[0] : totals.at(1);
    EXPECT_EQ(first.away, std::chrono::minutes(10 + 60));
    EXPECT_EQ(first.began, 1);
    EXPECT_EQ(first.away_lately, std::chrono::minutes(10));
    EXPECT_EQ(first.began_lately, 0);
    EXPECT_EQ(second.away, std::chrono::minutes(10)) << "it is still away";
    EXPECT_EQ(second.began_lately, 1);
    const OutageTotal alone = get_outage_total(reader, org, a, at(100), at(300));
    EXPECT_EQ(alone.away, first.away);
    EXPECT_EQ(alone.began, first.began);
    EXPECT_EQ(get_outage_total(reader, other_org, a, at(100), at(300)).away, Duration(0));
    const auto tasks = list_task_totals(reader, at(100));
    EXPECT_EQ(tasks.size(), 1U);
    EXPECT_EQ(tasks.at(0).agent, a);
    EXPECT_EQ(tasks.at(0).completed, 1);
    EXPECT_EQ(tasks.at(0).failed, 1);
    EXPECT_EQ(get_task_total(reader, org, a, at(100)).completed, 1);
    EXPECT_EQ(get_task_total(reader, org, a, at(100)).failed, 1);
    EXPECT_EQ(get_task_total(reader, other_org, a, at(100)).failed, 0);
    return 0;
  });
}

TEST_P(OutageContract, FlappingAndDisabledAgentsAreListed) {
  Agent disabled = agent({1});
  disabled.status = model::AgentStatus::disabled;
  Agent superseded = agent({1});
  superseded.status = model::AgentStatus::superseded;
  write([&](Tx& tx) {
    insert_agent(tx, disabled);
    insert_agent(tx, superseded);
    insert_flapping(tx, {org, disabled.id, {1}, now});
    insert_flapping(tx, {org, disabled.id, {1}, now + Duration(1)});
    insert_outages(tx, {{org, superseded.id, {1}, now, now, {}, "alone", {}, "", ""},
                        {org, disabled.id, {1}, now, now, {}, "alone", {}, "", ""}});
    end_outages_of_superseded(tx, now);
  });
  read([&](Reader& reader) {
    EXPECT_EQ(list_disabled_agents(reader), std::vector<AgentId>{disabled.id});
    EXPECT_EQ(list_silent_agents(reader), std::vector<AgentId>{disabled.id});
    EXPECT_TRUE(is_flapping(reader, org, disabled.id));
    EXPECT_FALSE(is_flapping(reader, other_org, disabled.id));
    EXPECT_EQ(list_flapping(reader).at(0).since, now) << "the first row stays";
    return 0;
  });
  write([&](Tx& tx) { delete_flapping(tx, org, disabled.id); });
  EXPECT_TRUE(read([](Reader& reader) { return list_flapping(reader); }).empty());
}

}  // namespace
}  // namespace muster::store
