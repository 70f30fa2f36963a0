// SPDX-License-Identifier: Apache-2.0
// What the functions of store/sql do, on every engine: how operators sign in.
#include "store/sql/passwords.h"

#include "store/testing/contract.h"

namespace muster::store {
namespace {

using testing::now;
using testing::text;

using PasswordContract = testing::Contract;
ON_EVERY_DATABASE(PasswordContract);

bool same(const std::optional<OperatorPassword>& found, const OperatorPassword& expected) {
  return found && found->id == expected.id && found->name == expected.name &&
         found->hash == expected.hash && found->totp_generation == expected.totp_generation &&
         found->totp_step == expected.totp_step && found->set_at == expected.set_at;
}

TEST_P(PasswordContract, AreFoundByOperatorAndByName) {
  const OperatorPassword ada{OperatorId{1}, text, "$argon2id$1", 0, 0, now};
  OperatorPassword bob{OperatorId{2}, "bob", "$argon2id$2", 7, 9, now + Duration(1)};
  write([&](Tx& tx) {
    set_operator_password(tx, ada);
    set_operator_password(tx, bob);
  });
  const auto by_id = [&](std::int64_t id) {
    return read([&](Reader& r) { return find_operator_password(r, OperatorId{id}); });
  };
  const auto by_name = [&](std::string_view name) {
    return read([&](Reader& r) { return find_operator_password(r, name); });
  };
  EXPECT_TRUE(same(by_id(1), ada));
  EXPECT_TRUE(same(by_name(text), ada));
  EXPECT_TRUE(same(by_name("bob"), bob));
  EXPECT_FALSE(by_id(3));
  EXPECT_FALSE(by_name("Bob"));
  bob.hash = "$argon2id$3";
  bob.totp_generation = 8;
  write([&](Tx& tx) { set_operator_password(tx, bob); });
  EXPECT_TRUE(same(by_id(2), bob));
  EXPECT_TRUE(same(by_id(1), ada));
}

TEST_P(PasswordContract, AStepIsUsedOnce) {
  write([&](Tx& tx) { set_operator_password(tx, {OperatorId{1}, "ada", "h", 1, 10, now}); });
  const auto use = [&](std::int64_t step) {
    bool used = false;
    write([&](Tx& tx) { used = use_totp_step(tx, OperatorId{1}, step); });
    return used;
  };
  EXPECT_FALSE(use(9));
  EXPECT_FALSE(use(10));
  EXPECT_TRUE(use(12));
  EXPECT_FALSE(use(12));
  EXPECT_FALSE(use(11));
}

TEST_P(PasswordContract, AreDeletedOnce) {
  write([&](Tx& tx) { set_operator_password(tx, {OperatorId{1}, "ada", "h", 0, 0, now}); });
  write([](Tx& tx) {
    EXPECT_FALSE(delete_operator_password(tx, OperatorId{2}));
    EXPECT_TRUE(delete_operator_password(tx, OperatorId{1}));
    EXPECT_FALSE(delete_operator_password(tx, OperatorId{1}));
  });
  EXPECT_FALSE(read([](Reader& r) { return find_operator_password(r, "ada"); }));
}

}  // namespace
}  // namespace muster::store
