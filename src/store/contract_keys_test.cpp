// SPDX-License-Identifier: Apache-2.0
// What the functions of store/sql do, on every engine: agents' keys and who uses them.
#include "store/sql/clones.h"
#include "store/sql/keys.h"
#include "store/testing/contract.h"

namespace muster::store {
namespace {

using model::Agent;
using testing::fields;
using testing::now;
using testing::org;
using testing::other_org;
using testing::text;

using KeyContract = testing::Contract;
ON_EVERY_DATABASE(KeyContract);

TEST_P(KeyContract, KeysOfAnAgentAreRewritten) {
  Agent a = agent({1});
  write([&](Tx& tx) { insert_agent(tx, a); });
  a.key_hash = hash();
  a.keys.current = 4;
  a.keys.offered = 5;
  a.keys.former = 3;
  a.keys.former_accepted = true;
  a.key_since = now;
  a.key_offered_at = now + Duration(1);
  a.keys.issued = 2;
  write([&](Tx& tx) { set_agent_keys(tx, a); });
  EXPECT_EQ(fields(*read([&](Reader& r) { return find_agent(r, org, a.id); })), fields(a));
  a.keys.offered.reset();
  a.keys.former.reset();
  a.key_since.reset();
  a.key_offered_at.reset();
  write([&](Tx& tx) { set_agent_keys(tx, a); });
  EXPECT_EQ(fields(*read([&](Reader& r) { return find_agent(r, org, a.id); })), fields(a));
}

TEST_P(KeyContract, KeysAreListedByTheirAge) {
  const auto used = [&](std::int64_t age, model::AgentStatus status, bool offered) {
    Agent a = agent({1});
    a.status = status;
    a.key_since = now - Duration(age);
    if (offered) {
      a.keys.offered = 1;
      a.key_offered_at = now - Duration(age);
    }
    write([&](Tx& tx) {
      insert_agent(tx, a);
      set_agent_keys(tx, a);
    });
    return a.id;
  };
  const auto active = model::AgentStatus::active;
  const AgentId older = used(9, active, false);
  AgentId same = used(7, active, false);
  AgentId also = used(7, active, false);
  if (also < same) std::swap(also, same);
  used(5, active, false);
  used(9, model::AgentStatus::disabled, false);
  used(9, active, true);
  used(3, active, true);
  write([&](Tx& tx) { insert_agent(tx, agent({1})); });

  const auto list = [&](const AgedKey& after, int count) {
    std::vector<AgentId> ids;
    read([&](Reader& reader) {
      for (const AgedKey& key : list_aged_keys(reader, now - Duration(7), after, count)) {
        EXPECT_EQ(key.org, org);
        ids.push_back(key.agent);
      }
      return 0;
    });
    return ids;
  };
  EXPECT_EQ(list({}, 10), (std::vector<AgentId>{older, same, also}));
  EXPECT_EQ(list({}, 2), (std::vector<AgentId>{older, same}));
  EXPECT_EQ(list({org, same, now - Duration(7)}, 2), (std::vector<AgentId>{also}));

  const KeyNumbers numbers =
      read([](Reader& reader) { return get_key_numbers(reader, now - Duration(4)); });
  EXPECT_EQ(numbers.unused, 1);
  EXPECT_EQ(numbers.current, 4);
  EXPECT_EQ(numbers.pending, 2);
  EXPECT_EQ(numbers.overdue, 1);
  EXPECT_EQ(numbers.oldest_since, now - Duration(9));
}

TEST_P(KeyContract, ClonesAreConfirmedAndForgotten) {
  const AgentId id = agent({1}).id;
  CloneRow row{org, id, now, now, "older", text, "", "192.0.2.1"};
  write([&](Tx& tx) {
    set_clone(tx, row);
    row.detected_at = row.confirmed_at = now + Duration(9);
    row.older_hostname = text;
    row.newer_hostname = "newer";
    set_clone(tx, row);
  });
  read([&](Reader& reader) {
    const auto found = find_clone(reader, org, id);
    EXPECT_EQ(found->detected_at, now);
    EXPECT_EQ(found->confirmed_at, now + Duration(9));
    EXPECT_EQ(found->older_hostname, text);
    EXPECT_EQ(found->older_address, text);
    EXPECT_EQ(found->newer_hostname, "newer");
    EXPECT_EQ(found->newer_address, "192.0.2.1");
    EXPECT_FALSE(find_clone(reader, other_org, id));
    EXPECT_FALSE(has_old_clones(reader, now + Duration(9)));
    EXPECT_TRUE(has_old_clones(reader, now + Duration(10)));
    EXPECT_EQ(get_key_numbers(reader, now).cloned, 1);
    return 0;
  });
  EXPECT_EQ(write([&](Tx& tx) { return delete_old_clones(tx, now + Duration(9)); }), 0);
  EXPECT_EQ(write([&](Tx& tx) { return delete_old_clones(tx, now + Duration(10)); }), 1);
  write([&](Tx& tx) {
    set_clone(tx, row);
    delete_clone(tx, org, id);
  });
  EXPECT_FALSE(read([&](Reader& reader) { return find_clone(reader, org, id); }));
}

TEST_P(KeyContract, ASplitIsFoundFromBothSidesAndOutlivesTheMemoryOfClones) {
  const Agent from = agent({1});
  Agent into = agent({2});
  into.origin = {from.id, AgentId{Uuid{{9}}}};
  write([&](Tx& tx) {
    insert_agent(tx, from);
    insert_agent(tx, into);
    CloneRow row{org,         from.id, now,         now, "older",
                 "192.0.2.1", "newer", "192.0.2.2", 1,   4'000'000'000};
    set_clone(tx, row);
    set_clone_split(tx, org, from.id, into.id);
    row.newer_boot = 4'100'000'000;
    set_clone(tx, row);
  });
  const auto check = [&](const std::optional<CloneRow>& found) {
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->agent, from.id);
    EXPECT_EQ(found->split_agent, into.id);
    EXPECT_EQ(found->older_boot, 1);
    EXPECT_EQ(found->newer_boot, 4'100'000'000) << "confirming keeps the split";
  };
  read([&](Reader& reader) {
    EXPECT_EQ(fields(*find_agent(reader, org, into.id)), fields(into));
    EXPECT_EQ(find_agent(reader, org, from.id)->origin, std::nullopt);
    check(find_clone(reader, org, from.id));
    check(find_split(reader, org, into.id));
    EXPECT_FALSE(find_split(reader, org, from.id));
    EXPECT_FALSE(find_split(reader, other_org, into.id));
    EXPECT_EQ(list_splits(reader).size(), 1U);
    EXPECT_EQ(get_key_numbers(reader, now).splitting, 1);
    EXPECT_FALSE(has_old_clones(reader, now + Duration(10)));
    return 0;
  });
  EXPECT_EQ(write([&](Tx& tx) { return delete_old_clones(tx, now + Duration(10)); }), 0);
  write([&](Tx& tx) { set_clone_split(tx, org, from.id, std::nullopt); });
  EXPECT_TRUE(read([](Reader& reader) { return list_splits(reader); }).empty());
  EXPECT_EQ(write([&](Tx& tx) { return delete_old_clones(tx, now + Duration(10)); }), 1);
}

TEST_P(KeyContract, ATokenThatIsUsedUpIsUsableWhileAnAgentOfItHasNotCalled) {
  EnrolmentToken token;
  token.org = org;
  token.id = {7};
  token.hash = hash();
  token.max_uses = 1;
  token.created_at = token.expires_at = now;
  const auto usable = [&] {
    return read([&](Reader& reader) {
      const bool one = is_usable(reader, *find_enrolment_token(reader, org, token.id));
      EXPECT_EQ(list_usable_enrolment_tokens(reader).size(), one ? 1U : 0U);
      return one;
    });
  };
  Agent enrolled = agent({1});
  enrolled.token = token.id;
  write([&](Tx& tx) { insert_enrolment_token(tx, token); });
  EXPECT_TRUE(usable()) << "unused";
  write([&](Tx& tx) { tx.execute("UPDATE enrolment_tokens SET uses = 1"); });
  EXPECT_FALSE(usable());
  write([&](Tx& tx) { insert_agent(tx, enrolled); });
  EXPECT_TRUE(usable());
  enrolled.key_since = now;
  write([&](Tx& tx) { set_agent_keys(tx, enrolled); });
  EXPECT_FALSE(usable());
  write([&](Tx& tx) {
    insert_agent(tx, [&] {
      Agent another = agent({3});
      another.token = token.id;
      return another;
    }());
    revoke_enrolment_token(tx, org, token.id, now);
  });
  EXPECT_FALSE(usable()) << "revoked";
}

}  // namespace
}  // namespace muster::store
