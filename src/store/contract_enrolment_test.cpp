// SPDX-License-Identifier: Apache-2.0
// What the lists of tokens and agents of store/sql promise, on every engine.
#include "store/sql/agent_conditions.h"
#include "store/testing/contract.h"

namespace muster::store {
namespace {

using model::Agent;
using model::Host;
using testing::fields;
using testing::now;
using testing::org;
using testing::other_org;
using testing::text;

using EnrolmentContract = testing::Contract;
ON_EVERY_DATABASE(EnrolmentContract);

TEST_P(EnrolmentContract, EnrolmentTokensAreListedByOrganisationAndState) {
  using model::TokenState;
  write([&](Tx& tx) {
    insert_enrolment_token(tx, {org, {1}, hash(), 1, 0, now, now + Duration(10), std::nullopt});
    insert_enrolment_token(tx, {org, {2}, hash(), 1, 1, now, now + Duration(10), std::nullopt});
    insert_enrolment_token(tx, {org, {3}, hash(), 1, 0, now, now + Duration(5), std::nullopt});
    insert_enrolment_token(tx, {org, {4}, hash(), 1, 1, now, now + Duration(5), now});
    insert_enrolment_token(tx, {other_org, {5}, hash(), 1, 0, now, now + Duration(6), {}});
  });
  const auto listed = [&](const EnrolmentTokenFilter& filter, TokenId before, int count) {
    std::string ids;
    read([&](Reader& reader) {
      for (const auto& token : list_enrolment_tokens(reader, filter, before, count)) {
        ids += std::to_string(token.id.value);
      }
      return 0;
    });
    return ids;
  };
  const TokenId last{number_id_max};
  const Instant at = now + Duration(5);
  EXPECT_EQ(listed({std::nullopt, std::nullopt, at}, last, 9), "54321");
  EXPECT_EQ(listed({std::nullopt, std::nullopt, at}, {4}, 2), "32");
  EXPECT_EQ(listed({org, std::nullopt, at}, last, 9), "4321");
  EXPECT_EQ(listed({std::nullopt, TokenState::active, at}, last, 9), "51");
  EXPECT_EQ(listed({org, TokenState::active, at}, last, 9), "1");
  EXPECT_EQ(listed({org, TokenState::active, now}, last, 9), "31");
  EXPECT_EQ(listed({org, TokenState::expired, at}, last, 9), "3");
  EXPECT_EQ(listed({org, TokenState::exhausted, at}, last, 9), "2");
  EXPECT_EQ(listed({org, TokenState::revoked, at}, last, 9), "4");
  const Total total = read([&](Reader& reader) {
    return count_enrolment_tokens(reader, {std::nullopt, TokenState::active, at});
  });
  EXPECT_EQ(total.value, 2);
  EXPECT_TRUE(total.exact);
}

TEST_P(EnrolmentContract, AgentsOfATokenAreListedNewestFirst) {
  Agent first = agent({1});
  Agent second = agent({2});
  if (second.id < first.id) std::swap(first, second);
  Agent other = agent({1});
  first.token = second.token = TokenId{7};
  other.token = TokenId{8};
  first.enrolled_from = text;
  Host renamed = host(first.host.value, "web-1");
  renamed.operator_tags = {"ü"};
  write([&](Tx& tx) {
    insert_host(tx, renamed);
    insert_host(tx, host(second.host.value, "web-2"));
    for (const Agent& one : {first, second, other}) insert_agent(tx, one);
  });
  const AgentId last{Uuid{{0xFF, 0xFF}}};
  read([&](Reader& reader) {
    const auto all = list_agents_of_token(reader, org, {7}, last, 9);
    EXPECT_EQ(all.size(), 2U);
    EXPECT_EQ(fields(all.at(0).agent), fields(second));
    EXPECT_EQ(fields(all.at(1).agent), fields(first));
    EXPECT_EQ(all.at(1).hostname, "web-1");
    EXPECT_EQ(all.at(1).tags, renamed.tags);
    EXPECT_EQ(all.at(1).operator_tags, renamed.operator_tags);
    EXPECT_EQ(list_agents_of_token(reader, org, {7}, last, 1).size(), 1U);
    EXPECT_EQ(fields(list_agents_of_token(reader, org, {7}, second.id, 9).at(0).agent),
              fields(first));
    EXPECT_EQ(count_agents_of_token(reader, org, {7}).value, 2);
    EXPECT_EQ(count_agents_of_token(reader, other_org, {7}).value, 0);
    return 0;
  });
}

TEST_P(EnrolmentContract, AgentsAreListedByWhatTheyAreAndWhereTheyRun) {
  std::vector<Agent> agents = {agent({1}), agent({2}), agent({3}), agent({4}, OrgId{2})};
  std::sort(agents.begin(), agents.end(),
            [](const Agent& a, const Agent& b) { return a.id < b.id; });
  std::vector<Host> hosts;
  for (const Agent& one : agents) {
    hosts.push_back(host(one.host.value, "Host-" + std::to_string(hosts.size()), one.org));
    hosts.back().tags = {"all", "n\"" + std::to_string(hosts.size())};
    hosts.back().operator_tags = {};
  }
  hosts[1].hostname = "WEB_1%";
  hosts[2].operator_tags = {"Ü ring"};
  agents[1].os = "windows";
  agents[2].status = model::AgentStatus::decommissioned;
  write([&](Tx& tx) {
    insert_org(tx, "second", now);
    for (const Host& one : hosts) insert_host(tx, one);
    for (const Agent& one : agents) insert_agent(tx, one);
  });
  const auto listed = [&](const AgentFilter& filter, AgentId before = model::last_agent_id,
                          int count = 9) {
    std::string places;
    read([&](Reader& reader) {
      std::vector<AgentId> ids;
      for (const auto& row : list_agents(reader, filter, before, count)) {
        ids.push_back(row.agent.id);
        for (std::size_t i = 0; i < agents.size(); ++i) {
          if (agents[i].id == row.agent.id) places += std::to_string(i);
        }
      }
      EXPECT_EQ(list_agent_ids(reader, filter, before, count), ids);
      if (before == model::last_agent_id && count == 9) {
        EXPECT_EQ(count_agents(reader, filter).value, static_cast<std::int64_t>(ids.size()));
      }
      return 0;
    });
    return places;
  };
  const auto with = [](auto change) {
    AgentFilter filter;
    change(filter);
    return filter;
  };
  EXPECT_EQ(listed({}), "3210");
  EXPECT_EQ(listed({}, agents[3].id, 2), "21");
  EXPECT_EQ(listed(with([](AgentFilter& f) { f.org = OrgId{2}; })).size(), 1U);
  EXPECT_EQ(listed(with([](AgentFilter& f) { f.os = "windows"; })), "1");
  EXPECT_EQ(listed(with([](AgentFilter& f) { f.status = model::AgentStatus::decommissioned; })),
            "2");
  EXPECT_EQ(listed(with([](AgentFilter& f) { f.hostname = "hOST-"; })), "320");
  EXPECT_EQ(listed(with([](AgentFilter& f) { f.hostname = "b_1%"; })), "1") << "no pattern";
  EXPECT_EQ(listed(with([](AgentFilter& f) { f.hostname = "%"; })), "1");
  EXPECT_EQ(listed(with([](AgentFilter& f) { f.tag = "all"; })), "3210");
  EXPECT_EQ(listed(with([](AgentFilter& f) { f.tag = "al"; })), "") << "a part of a tag is none";
  EXPECT_EQ(listed(with([](AgentFilter& f) { f.tag = "ALL"; })), "");
  EXPECT_EQ(listed(with([](AgentFilter& f) { f.tag = "n\"2"; })), "1");
  EXPECT_EQ(listed(with([](AgentFilter& f) { f.tag = "Ü ring"; })), "2");
}

TEST_P(EnrolmentContract, ASharedMachineIdNamesNoHostAndIsStillListed) {
  Host early = host(1, "web-1");
  Host late = host(2, "WEB-1");
  early.machine_id = late.machine_id = "m";
  late.last_seen = early.last_seen + Duration(1);
  const Host other = host(3, "web-3");
  write([&](Tx& tx) {
    for (const Host& one : {early, late, other}) insert_host(tx, one);
  });
  const auto by_machine = [&] {
    return read([&](Reader& reader) { return find_host_by_machine(reader, org, "m"); });
  };
  EXPECT_EQ(fields(by_machine().value()), fields(late));
  write([&](Tx& tx) { set_machine_shared(tx, org, "m"); });
  EXPECT_FALSE(by_machine().has_value());
  early.machine_shared = late.machine_shared = true;
  read([&](Reader& reader) {
    const auto of_machine = list_hosts_of_machine(reader, org, "m", 9);
    EXPECT_EQ(of_machine.size(), 2U);
    EXPECT_EQ(fields(of_machine.front()), fields(late));
    EXPECT_EQ(list_hosts_of_machine(reader, org, "m", 1).size(), 1U);
    EXPECT_TRUE(list_hosts_of_machine(reader, org, "", 9).empty());
    EXPECT_TRUE(list_hosts_of_machine(reader, other_org, "m", 9).empty());
    EXPECT_EQ(list_hosts_named(reader, org, "Web-1", 9).size(), 2U);
    EXPECT_EQ(fields(list_hosts_named(reader, org, "web-1", 1).front()), fields(late));
    EXPECT_FALSE(find_host(reader, org, other.id)->machine_shared);
    return 0;
  });
}

TEST_P(EnrolmentContract, AnAgentThatWasSupersededReturnsToAnotherHost) {
  Agent one = agent({1});
  one.machine_id = text;
  write([&](Tx& tx) { insert_agent(tx, one); });
  one.status = model::AgentStatus::superseded;
  one.superseded_at = now;
  write([&](Tx& tx) { set_agent_superseded(tx, one, one.id); });
  const auto stored = [&] {
    return read([&](Reader& reader) { return fields(find_agent(reader, org, one.id).value()); });
  };
  EXPECT_EQ(stored(), fields(one));
  one.status = model::AgentStatus::active;
  one.superseded_at.reset();
  one.host = {2};
  write([&](Tx& tx) { set_agent_returned(tx, one); });
  EXPECT_EQ(stored(), fields(one));
}

TEST_P(EnrolmentContract, TheLastWordOfEachAgentIsKept) {
  const AgentId one{uuid()};
  const AgentId two{uuid()};
  const model::AgentCondition first{"aa", text, "1.2.0", "it crashed"};
  const model::AgentCondition later{"bb", "no", "", ""};
  write([&](Tx& tx) {
    set_agent_condition(tx, {org, one, first, now});
    set_agent_condition(tx, {org, two, {}, now});
    set_agent_condition(tx, {org, two, later, now + std::chrono::seconds(1)});
  });
  read([&](Reader& reader) {
    EXPECT_EQ(find_agent_condition(reader, org, one).value().condition, first);
    const auto row = find_agent_condition(reader, org, two).value();
    EXPECT_EQ(row.condition, later);
    EXPECT_EQ(row.reported_at, now + std::chrono::seconds(1));
    EXPECT_FALSE(find_agent_condition(reader, other_org, one).has_value());
    EXPECT_EQ(list_agent_conditions(reader).size(), 2U);
    return 0;
  });
}

}  // namespace
}  // namespace muster::store
