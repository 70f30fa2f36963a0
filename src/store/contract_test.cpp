// SPDX-License-Identifier: Apache-2.0
// What the functions of store/sql do, on every engine: organisations, keys, hosts, agents, tasks.
#include "store/testing/contract.h"
#include "store/sql/audit.h"

namespace muster::store {
namespace {

using model::Agent;
using model::Control;
using model::Host;
using model::Task;
using model::TaskResult;
using testing::all_fields;
using testing::fields;
using testing::now;
using testing::org;
using testing::other_org;
using testing::text;

using Contract = testing::Contract;
ON_EVERY_DATABASE(Contract);

TEST_P(Contract, OrganisationsHaveUniqueNamesAndTheNextId) {
  const auto second = write([](Tx& tx) { return insert_org(tx, text, now); });
  EXPECT_EQ(second, OrgId{2});
  EXPECT_EQ(write([](Tx& tx) { return insert_org(tx, text, now); }), std::nullopt);
  EXPECT_EQ(write([](Tx& tx) { return insert_org(tx, "Text", now); }), OrgId{3});
  write([](Tx& tx) { date_default_org(tx, now); });
  write([](Tx& tx) { date_default_org(tx, now + Duration(1)); });
  const auto orgs = read([](Reader& reader) { return list_orgs(reader); });
  ASSERT_EQ(orgs.size(), 3U);
  EXPECT_EQ(orgs[0].name, "default");
  EXPECT_EQ(orgs[0].created_at, now);
  EXPECT_EQ(orgs[1].name, text);
  read([](Reader& reader) {
    EXPECT_EQ(find_org_by_name(reader, text)->id, OrgId{2});
    EXPECT_FALSE(find_org_by_name(reader, "text")) << "names are compared as they are";
    EXPECT_EQ(find_org(reader, {3})->name, "Text");
    EXPECT_FALSE(find_org(reader, {4}));
    return 0;
  });
}

TEST_P(Contract, SecretsAndSettingsAreKeptByName) {
  const std::string sealed("\0\xFF\x80 sealed", 10);
  write([&](Tx& tx) {
    insert_secret(tx, "hash_key", sealed);
    set_setting(tx, {org, "tag", "ü", "scan_interval", "60"});
    set_setting(tx, {org, "tag", "ü", "scan_interval", "90"});
    set_setting(tx, {OrgId{0}, "default", "", "scan_interval", "120"});
  });
  EXPECT_THROW(write([&](Tx& tx) { insert_secret(tx, "hash_key", "x"); }), StoreError);
  read([&](Reader& reader) {
    EXPECT_EQ(find_secret(reader, "hash_key"), sealed);
    EXPECT_FALSE(find_secret(reader, "other"));
    auto settings = list_settings(reader);
    std::sort(settings.begin(), settings.end(),
              [](const Setting& a, const Setting& b) { return a.org < b.org; });
    EXPECT_EQ(settings.size(), 2U);
    EXPECT_EQ(settings[0].value, "120");
    EXPECT_EQ(settings[1].scope_id, "ü");
    EXPECT_EQ(settings[1].value, "90");
    const auto of_tag = list_settings_of(reader, org, "tag", "ü");
    EXPECT_EQ(of_tag.size(), 1U);
    EXPECT_EQ(of_tag[0].value, "90");
    EXPECT_TRUE(list_settings_of(reader, org, "tag", "u").empty());
    EXPECT_TRUE(list_settings_of(reader, other_org, "tag", "ü").empty());
    return 0;
  });
}

TEST_P(Contract, AuditAndEventsAreListedNewestFirst) {
  const AgentId agent{uuid()};
  write([&](Tx& tx) {
    for (std::int64_t id = 1; id <= 5; ++id) {
      insert_audit(tx, {org, {id}, now + Duration(id), "operator:1", "a", text, "{}"});
      insert_event(tx, {org,
                        {id},
                        now,
                        "online",
                        id == 2 ? std::nullopt : std::optional(agent),
                        id % 2 == 0 ? std::nullopt : std::optional(HostId{9}),
                        "{}"});
    }
  });
  read([&](Reader& reader) {
    const auto audit = list_audit(reader, {}, {5}, 2);
    EXPECT_EQ(audit.size(), 2U);
    EXPECT_EQ(audit[0].id, AuditId{4});
    EXPECT_EQ(audit[1].id, AuditId{3});
    EXPECT_EQ(audit[0].target, text);
    EXPECT_EQ(audit[0].at, now + Duration(4));
    const auto events = list_events(reader, {}, {number_id_max}, 10);
    EXPECT_EQ(events.size(), 5U);
    EXPECT_EQ(events[0].agent, agent);
    EXPECT_EQ(events[0].host, HostId{9});
    EXPECT_EQ(events[3].agent, std::nullopt);
    EXPECT_EQ(events[3].host, std::nullopt);
    EventFilter of_nine;
    of_nine.host = HostId{9};
    const auto of_host = list_events(reader, of_nine, {5}, 10);
    EXPECT_EQ(of_host.size(), 2U);
    EXPECT_EQ(of_host[0].id, EventId{3});
    EXPECT_EQ(count_audit(reader, {}).value, 5);
    EXPECT_EQ(count_events(reader, {}).value, 5);
    EXPECT_EQ(count_events(reader, of_nine).value, 3);
    return 0;
  });
}

TEST_P(Contract, TotalsAreExactUpToTheBoundAndAtLeastBeyondIt) {
  const auto add = [&](std::int64_t from, std::int64_t to) {
    write([&](Tx& tx) {
      for (std::int64_t id = from; id <= to; ++id) {
        insert_event(tx, {org, {id}, now, "online", std::nullopt, std::nullopt, "{}"});
      }
    });
    return read([](Reader& reader) { return count_events(reader, {}); });
  };
  const Total at_the_bound = add(1, limits::counted_rows);
  EXPECT_EQ(at_the_bound.value, limits::counted_rows);
  EXPECT_TRUE(at_the_bound.exact);
  const Total beyond = add(limits::counted_rows + 1, limits::counted_rows + 2);
  EXPECT_EQ(beyond.value, limits::counted_rows);
  EXPECT_FALSE(beyond.exact);
}

TEST_P(Contract, AnnouncementsAreNumberedInTheOrderOfTheirCommits) {
  write([](Tx& tx) {
    tx.announce({"agent", org, "a"});
    tx.announce({"agent", other_org, text});
  });
  const Result<void> undone = store->write([](Tx& tx) -> Result<void> {
    tx.announce({"agent", org, "undone"});
    return Error{Errc::not_found, "undone"};
  });
  EXPECT_FALSE(undone.ok());
  EXPECT_THROW(write([](Tx& tx) {
                 tx.announce({"agent", org, "lost"});
                 tx.execute("INSERT INTO no_such_table VALUES (1)");
               }),
               StoreError);
  write([](Tx& tx) { tx.announce({"key", org, "b"}); });
  if (store->node() == 0) {  // nobody could follow
    EXPECT_EQ(read([](Reader& reader) { return get_newest_announcement(reader); }), 0);
    return;
  }
  read([&](Reader& reader) {
    EXPECT_EQ(get_newest_announcement(reader), 3);
    const auto all = list_announcements(reader, 0, 3, 10);
    EXPECT_EQ(all.size(), 3U);
    EXPECT_EQ(all[0].id, 1);
    EXPECT_EQ(all[0].subject, "a");
    EXPECT_EQ(all[0].node, store->node());
    EXPECT_EQ(all[1].org, other_org);
    EXPECT_EQ(all[1].subject, text);
    EXPECT_EQ(all[2].kind, "key");
    EXPECT_EQ(list_announcements(reader, 1, 2, 10).size(), 1U);
    EXPECT_EQ(list_announcements(reader, 0, 3, 2).size(), 2U);
    return 0;
  });
}

TEST_P(Contract, NodesRenewLapseAndAreForgotten) {
  write([](Tx& tx) {
    insert_node(tx, {7, 0, 0, false, now, 3, 1});
    insert_node(tx, {8, 0, 2, false, now, std::nullopt, std::nullopt});
    insert_announcements(tx, 8, {{"agent", org, "a"}, {"agent", org, "b"}});
  });
  EXPECT_TRUE(write([](Tx& tx) { return renew_node(tx, 7, 1, 99, now + Duration(5)); }));
  EXPECT_FALSE(write([](Tx& tx) { return renew_node(tx, 9, 1, 99, now); }));
  EXPECT_FALSE(write([](Tx& tx) { return set_node_lapsed(tx, 7, 0); }));  // it renewed meanwhile
  EXPECT_TRUE(write([](Tx& tx) { return set_node_lapsed(tx, 7, 1); }));
  const auto nodes = [&] { return read([](Reader& reader) { return list_nodes(reader); }); };
  ASSERT_EQ(nodes().size(), 2U);
  EXPECT_EQ(std::pair(nodes()[0].renewals, nodes()[0].followed), std::pair(1L, 1L));
  EXPECT_TRUE(nodes()[0].lapsed);
  EXPECT_EQ(nodes()[0].renewed_at, now + Duration(5));
  EXPECT_EQ(nodes()[0].place, 3);
  EXPECT_EQ(nodes()[0].imports, 99);
  EXPECT_EQ(nodes()[1].place, std::nullopt);
  write([](Tx& tx) { prune_nodes(tx, now + Duration(5)); });
  const auto kept = [&] {
    return read([](Reader& reader) { return list_announcements(reader, 0, 9, 9).size(); });
  };
  EXPECT_EQ(kept(), 1U);  // what 7 has not followed
  write([](Tx& tx) { prune_nodes(tx, now + Duration(6)); });
  EXPECT_EQ(nodes().size(), 1U);
  write([](Tx& tx) { prune_nodes(tx, now + Duration(6)); });
  EXPECT_EQ(kept(), 0U);
  write([](Tx& tx) { delete_node(tx, 8); });
  EXPECT_TRUE(nodes().empty());
}

TEST_P(Contract, AuditRowsCannotBeChangedOrDeleted) {
  write([](Tx& tx) { insert_audit(tx, {org, {1}, now, "a", "b", "c", "{}"}); });
  for (const Sql sql : {Sql("UPDATE audit SET actor = 'x'"), Sql("DELETE FROM audit")}) {
    EXPECT_THROW(write([&](Tx& tx) { tx.execute(sql); }), StoreError);
    EXPECT_THROW(write([&](Tx& tx) { tx.post(sql); }), StoreError);
  }
  EXPECT_EQ(read([](Reader& reader) { return list_audit(reader, {}, {2}, 9); }).at(0).actor, "a");
}

TEST_P(Contract, IssuedKeysAreCountedAndRevokedOnce) {
  const OperatorToken token{{5}, text, hash(), "owner", now, std::nullopt, std::nullopt};
  const OperatorToken expiring{{6}, "b", hash(), "analyst", now, now + Duration(1), std::nullopt};
  EnrolmentToken enrolment{org, {7}, hash(), 2, 0, now, now + Duration(10), std::nullopt};
  enrolment.terms.tags = {text, "ü"};
  enrolment.terms.networks = {parse_ip_network("10.0.0.0/8").value(),
                              parse_ip_network("2001:db8::/32").value()};
  enrolment.terms.systems = {"linux/arm64"};
  const InventoryKey key{org, {8}, text, hash(), 1, now, std::nullopt};
  write([&](Tx& tx) {
    insert_operator_token(tx, expiring);
    insert_operator_token(tx, token);
    insert_enrolment_token(tx, enrolment);
    insert_inventory_key(tx, key);
  });
  EXPECT_THROW(write([&](Tx& tx) {
                 insert_operator_token(tx, {{9}, "c", token.hash, "", now, {}, {}});
               }),
               StoreError);
  const auto use = [&](Duration at) {
    return write([&](Tx& tx) { return use_enrolment_token(tx, org, {7}, now + at); });
  };
  EXPECT_TRUE(use(Duration(9)));
  EXPECT_FALSE(use(Duration(10))) << "expired";
  EXPECT_EQ(read([](Reader& reader) { return list_usable_enrolment_tokens(reader); }).size(), 1U);
  EXPECT_TRUE(use(Duration(0)));
  EXPECT_EQ(read([](Reader& reader) { return list_usable_enrolment_tokens(reader); }).size(), 0U);
  EXPECT_FALSE(use(Duration(0))) << "used up";
  EXPECT_FALSE(write([](Tx& tx) { return use_enrolment_token(tx, other_org, {7}, now); }));
  for (const bool expected : {true, false}) {
    EXPECT_EQ(write([](Tx& tx) { return revoke_enrolment_token(tx, org, {7}, now); }), expected);
    EXPECT_EQ(write([](Tx& tx) { return revoke_inventory_key(tx, org, {8}, now); }), expected);
  }
  read([&](Reader& reader) {
    const auto operators = list_operator_tokens(reader);
    EXPECT_EQ(operators.size(), 2U);
    EXPECT_EQ(operators[0].name, text);
    EXPECT_EQ(operators[0].hash, token.hash);
    EXPECT_EQ(operators[0].expires_at, std::nullopt);
    EXPECT_EQ(operators[1].expires_at, expiring.expires_at);
    const auto stored = find_enrolment_token(reader, org, {7});
    EXPECT_EQ(stored->uses, 2);
    EXPECT_EQ(stored->revoked_at, now);
    EXPECT_EQ(stored->hash, enrolment.hash);
    EXPECT_EQ(stored->terms.tags, enrolment.terms.tags);
    EXPECT_EQ(stored->terms.networks.size(), 2U);
    EXPECT_TRUE(contains(stored->terms.networks, *parse_ip_address("10.1.2.3")));
    EXPECT_EQ(stored->terms.systems, enrolment.terms.systems);
    EXPECT_EQ(find_enrolment_token_anywhere(reader, {7})->hash, enrolment.hash);
    EXPECT_FALSE(find_enrolment_token_anywhere(reader, {8}));
    EXPECT_FALSE(find_enrolment_token(reader, other_org, {7}));
    const auto keys = list_inventory_keys(reader);
    EXPECT_EQ(keys.at(0).name, text);
    EXPECT_EQ(keys.at(0).revoked_at, now);
    return 0;
  });
}

TEST_P(Contract, HostsAreReadBackAndFoundByIdMachineAndName) {
  Host a = host(1, "Web-1");
  Host b = host(2, "web-1");
  Host c = host(number_id_max, "WEB-1", other_org);
  Host nameless = host(3, "other");
  nameless.machine_id.clear();
  b.machine_id = a.machine_id;
  a.package_set = hash();
  a.last_report_at = now;
  a.package_count = 12;
  write([&](Tx& tx) {
    for (const Host& one : {a, b, c, nameless}) insert_host(tx, one);
  });
  EXPECT_THROW(write([&](Tx& tx) { insert_host(tx, a); }), StoreError);
  read([&](Reader& reader) {
    EXPECT_EQ(fields(*find_host(reader, org, {1})), fields(a));
    EXPECT_FALSE(find_host(reader, org, c.id));
    EXPECT_EQ(find_host_by_machine(reader, org, a.machine_id)->id, b.id) << "registered last";
    EXPECT_FALSE(find_host_by_machine(reader, org, ""));
    EXPECT_EQ(find_host_by_hostname(reader, org, "WEB-1")->id, b.id);
    EXPECT_FALSE(find_host_by_hostname(reader, org, "web"));
    EXPECT_EQ(all_fields(list_hosts_elsewhere(reader, org, "web-1")), all_fields<Host>({c}));
    EXPECT_EQ(all_fields(list_hosts(reader, {}, HostId{1}, 2)), all_fields<Host>({b, nameless}));
    EXPECT_EQ(all_fields(list_hosts(reader, {other_org, "", ""}, HostId{0}, 9)),
              all_fields<Host>({c}));
    EXPECT_EQ(count_hosts(reader, {}).value, 4);
    EXPECT_EQ(count_hosts(reader, {other_org, "", ""}).value, 1);
    EXPECT_EQ(all_fields(list_hosts_named(reader, "web-1")), all_fields<Host>({c, b, a}));
    return 0;
  });
}

TEST_P(Contract, HostsAreRewritten) {
  Host a = host(1, "web-1");
  write([&](Tx& tx) { insert_host(tx, a); });
  Host renamed = host(1, "Mail-1");
  renamed.first_seen = now + Duration(99);
  renamed.tags = {};
  renamed.package_set = hash();
  write([&](Tx& tx) { set_host(tx, renamed); });
  renamed.first_seen = a.first_seen;
  Host tagged = renamed;
  tagged.hostname = "ignored";
  renamed.operator_tags = tagged.operator_tags = {"x", "ü"};
  write([&](Tx& tx) { set_host_operator_tags(tx, tagged); });
  const auto stored = [&] {
    return fields(
        *read([](Reader& reader) { return find_host_by_hostname(reader, org, "mail-1"); }));
  };
  EXPECT_EQ(stored(), fields(renamed));
  Host reported = renamed;
  reported.hostname = "ignored";
  reported.last_seen = now + Duration(500);
  reported.last_report_at = now + Duration(500);
  reported.package_set.reset();
  reported.package_count = 7;
  write([&](Tx& tx) { set_host_reported(tx, reported); });
  reported.hostname = renamed.hostname;
  EXPECT_EQ(stored(), fields(reported));
}

TEST_P(Contract, AgentsAreReadBackAndMoved) {
  const Agent a = agent({1});
  const Agent b = agent({1});
  const Agent elsewhere = agent({2}, OrgId{2});
  Agent superseded = a;
  superseded.status = model::AgentStatus::superseded;
  superseded.superseded_at = now;
  write([&](Tx& tx) {
    insert_org(tx, "second", now);
    for (const Agent& one : {b, elsewhere, a}) insert_agent(tx, one);
  });
  EXPECT_TRUE(write([&](Tx& tx) {
    set_agent_superseded(tx, superseded, b.id);
    return set_agent_status(tx, org, b.id, model::AgentStatus::disabled);
  }));
  EXPECT_FALSE(write(
      [&](Tx& tx) { return set_agent_status(tx, other_org, a.id, model::AgentStatus::active); }));
  read([&](Reader& reader) {
    EXPECT_EQ(fields(*find_agent(reader, org, a.id)), fields(superseded));
    EXPECT_EQ(find_agent(reader, org, b.id)->status, model::AgentStatus::disabled);
    EXPECT_FALSE(find_agent(reader, org, elsewhere.id));
    EXPECT_EQ(fields(*find_agent_anywhere(reader, elsewhere.id)), fields(elsewhere));
    EXPECT_FALSE(find_agent_anywhere(reader, {uuid()}));
    const auto of_host = list_agents_of_host(reader, org, {1});
    EXPECT_EQ(of_host.size(), 2U);
    EXPECT_LT(of_host[0].id, of_host[1].id);
    const auto all = list_agents(reader);
    EXPECT_EQ(all.size(), 3U);
    EXPECT_EQ(all[2].org, OrgId{2});
    return 0;
  });
}

TEST_P(Contract, PresenceNeverMovesBackAndTheLastOfEqualRowsWins) {
  const auto row = [&](AgentId id, std::int64_t seen, const std::string& version) {
    return AgentPresenceRow{org,    id,     now + Duration(seen), version,
                            "idle", uuid(), std::nullopt,         std::string("\1\0", 2)};
  };
  const AgentId a{uuid()};
  const AgentId b{uuid()};
  write([&](Tx& tx) { set_agent_presence(tx, {}); });
  write([&](Tx& tx) { set_agent_presence(tx, {row(a, 5, "1"), row(b, 5, "1"), row(a, 3, "2")}); });
  std::vector<AgentPresenceRow> expected = {row(a, 9, "é"), row(b, 5, "5")};
  expected[0].last_task_completed = uuid();
  expected[0].current_task.reset();
  expected[0].open_samples = std::string("\0\xff'", 3);
  write([&](Tx& tx) {
    set_agent_presence(tx, {row(a, 4, "3"), row(b, 5, "4"), expected[1], row(a, 9, "x"),
                            expected[0], row(a, 8, "y")});
  });
  auto stored = read([](Reader& reader) { return list_agent_presence(reader); });
  std::sort(stored.begin(), stored.end(),
            [](const auto& x, const auto& y) { return x.last_seen > y.last_seen; });
  EXPECT_EQ(all_fields(stored), all_fields(expected));
  EXPECT_EQ(all_fields(read([](Reader& reader) {
              return list_agent_presence_since(reader, now + Duration(9));
            })),
            all_fields<AgentPresenceRow>({expected[0]}));

  AgentPresenceRow elsewhere = row(a, 10, "10");
  elsewhere.keeps_samples = true;
  write([&](Tx& tx) { set_agent_presence(tx, {elsewhere}); });
  elsewhere.open_samples = expected[0].open_samples;
  EXPECT_EQ(fields(*read([&](Reader& reader) { return find_agent_presence(reader, org, a); })),
            fields(elsewhere));

  write([&](Tx& tx) { set_agent_heard(tx, {}); });
  write([&](Tx& tx) {
    set_agent_heard(tx, {{org, a, now + Duration(9)},
                         {org, b, now + Duration(7)},
                         {org, b, now + Duration(8)},
                         {org, AgentId{uuid()}, now}});
  });
  write([&](Tx& tx) { set_agent_heard(tx, {{org, b, now + Duration(6)}}); });
  expected[0] = elsewhere;
  expected[1].last_seen = now + Duration(8);
  stored = read([](Reader& reader) { return list_agent_presence(reader); });
  std::sort(stored.begin(), stored.end(),
            [](const auto& x, const auto& y) { return x.last_seen > y.last_seen; });
  EXPECT_EQ(all_fields(stored), all_fields(expected)) << "the later of the two";
  EXPECT_EQ(fields(*read([&](Reader& reader) { return find_agent_presence(reader, org, b); })),
            fields(expected[1]));

  write([&](Tx& tx) { set_host_presence(tx, {}); });
  write([&](Tx& tx) { set_host_presence(tx, {{org, {1}, now, "1"}, {org, {1}, now, "2"}}); });
  write([&](Tx& tx) {
    set_host_presence(tx, {{org, {1}, now - Duration(1), "3"}, {other_org, {1}, now, "4"}});
  });
  auto hosts = read([](Reader& reader) { return list_host_presence(reader); });
  std::sort(hosts.begin(), hosts.end(), [](const auto& x, const auto& y) { return x.org < y.org; });
  EXPECT_EQ(all_fields(hosts),
            all_fields<HostPresenceRow>({{org, {1}, now, "2"}, {other_org, {1}, now, "4"}}));
  const auto since = [&](Instant at) {
    return read([&](Reader& reader) { return list_host_presence_since(reader, at).size(); });
  };
  EXPECT_EQ(since(now), 2U);
  EXPECT_EQ(since(now + Duration(1)), 0U);
  write([](Tx& tx) { bring_back_last_seen(tx, now - Duration(2)); });
  for (const auto& heard : read([](Reader& reader) { return list_agent_presence(reader); })) {
    EXPECT_EQ(heard.last_seen, now - Duration(2));
  }
  EXPECT_EQ(since(now - Duration(1)), 0U);
}

TEST_P(Contract, TasksAreReadBackListedAndMoved) {
  const AgentId a{uuid()};
  const AgentId b{uuid()};
  Task first = task(a, 1);
  const Task urgent = task(a, 2, 10);
  const Task of_b = task(b, 3);
  write([&](Tx& tx) {
    for (const Task& one : {of_b, first, urgent}) insert_task(tx, one);
  });
  first.status = model::TaskStatus::assigned;
  first.attempt = 1;
  first.assigned_at = first.lease_until = now;
  first.error = text;
  write([&](Tx& tx) { set_task(tx, first); });
  read([&](Reader& reader) {
    EXPECT_EQ(fields(*find_task(reader, org, first.id)), fields(first));
    EXPECT_FALSE(find_task(reader, other_org, first.id));
    EXPECT_EQ(fields(*find_task_anywhere(reader, of_b.id)), fields(of_b));
    EXPECT_EQ(all_fields(list_deliverable_tasks(reader, org, a, 5)),
              all_fields<Task>({urgent, first}));
    EXPECT_EQ(count_pending_tasks(reader, org, a), 1);
    EXPECT_EQ(all_fields(list_tasks(reader, {}, of_b.id, 5)), all_fields<Task>({urgent, first}));
    EXPECT_EQ(list_tasks(reader, {.agent = b}, {uuid(9)}, 5).size(), 1U);
    EXPECT_EQ(list_tasks(reader, {}, {uuid(9)}, 2).size(), 2U);
    EXPECT_EQ(count_tasks(reader, {.agent = b}).value, 1);
    auto outstanding = list_outstanding(reader);
    EXPECT_EQ(outstanding.size(), 2U);
    for (const Outstanding& one : outstanding) {
      EXPECT_TRUE(one.pending);
      EXPECT_EQ(one.assigned, one.agent == a);
    }
    return 0;
  });
}

TEST_P(Contract, ResultsAreStoredOnceAndControlsOverwriteThemselves) {
  TaskResult result;
  result.task = {uuid()};
  result.received_at = now;
  result.exit_code = std::numeric_limits<std::int64_t>::min();
  result.host = {number_id_max};
  result.outcome = model::Outcome::unprotected;
  result.flags.set(model::ResultFlag::in_the_future);
  result.standard_output = model::Output(std::string(1 << 20, 'o'), true);
  result.standard_error = model::Output(text);
  result.duration_ms = std::numeric_limits<std::int64_t>::max();
  result.bundle = "{}";
  write([&](Tx& tx) { insert_outputs(tx, org, {&result}); });
  const auto insert = [&](Tx& tx) { return insert_results(tx, org, {&result}); };
  EXPECT_EQ(write(insert), std::vector<TaskId>{result.task});
  EXPECT_TRUE(write(insert).empty()) << "it has one";
  // The order of octets is not that of any language: B, a, ä.
  std::vector<Control> controls = {control("ä", 1), control("a", 1), control("B", 1),
                                   control("z", 0)};
  write([&](Tx& tx) { add_controls(tx, result.task, {}); });
  write([&](Tx& tx) { add_controls(tx, result.task, controls); });
  Control changed = control("a", 1);
  changed.actual = "first";
  Control again = changed;
  again.actual = "last";
  again.compliant = false;
  write([&](Tx& tx) { add_controls(tx, result.task, {changed, again}); });
  const auto stored = read([&](Reader& reader) { return find_result(reader, org, result.task); });
  ASSERT_TRUE(stored);
  EXPECT_EQ(fields(*stored), fields(result));
  EXPECT_EQ(all_fields(read(
                [&](Reader& reader) { return list_controls(reader, org, result.task, {}, 10); })),
            all_fields<Control>({controls[3], controls[2], again, controls[0]}));
  EXPECT_FALSE(read([&](Reader& reader) { return find_result(reader, other_org, result.task); }));
}

}  // namespace
}  // namespace muster::store
