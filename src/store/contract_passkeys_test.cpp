// SPDX-License-Identifier: Apache-2.0
// What the functions of store/sql do, on every engine: operators' passkeys.
#include "store/sql/passkeys.h"

#include "store/testing/contract.h"

namespace muster::store {
namespace {

using testing::now;
using testing::text;

using PasskeyContract = testing::Contract;
ON_EVERY_DATABASE(PasskeyContract);

auto fields(const Passkey& p) {
  return std::make_tuple(p.id, p.operator_id, p.name, p.credential_id, p.public_key, p.sign_count,
                         p.backup_eligible, p.backed_up, p.created_at, p.used_at);
}
bool same(const std::optional<Passkey>& found, const Passkey& expected) {
  return found && fields(*found) == fields(expected);
}
/// Octets that no text has, and as many as there may be.
std::string octets(char first, std::size_t size) {
  return first + std::string(size - 1, '\0');
}

const Passkey telephone{
    PasskeyId{7}, OperatorId{1}, "telephone", octets('\xFF', 1023), octets('\xA5', 600), 0,
    true,         true,          now,         std::nullopt};
const Passkey key{
    PasskeyId{8}, OperatorId{1}, text, octets('\xFE', 1023), octets('\xA5', 77), (1LL << 32) - 1,
    false,        false,         now,  now + Duration(1)};
const Passkey other{
    PasskeyId{9}, OperatorId{2}, "telephone", octets('\xFD', 16), octets('\xA4', 44), 5,
    false,        false,         now,         std::nullopt};

TEST_P(PasskeyContract, AreFoundByIdByCredentialAndByOperator) {
  write([&](Tx& tx) {
    insert_passkey(tx, key);
    insert_passkey(tx, telephone);
    insert_passkey(tx, other);
  });
  read([&](Reader& r) {
    EXPECT_TRUE(same(find_passkey(r, PasskeyId{7}), telephone));
    EXPECT_TRUE(same(find_passkey(r, key.credential_id), key));
    EXPECT_TRUE(same(find_passkey(r, other.credential_id), other));
    EXPECT_FALSE(find_passkey(r, PasskeyId{1}));
    EXPECT_FALSE(find_passkey(r, octets('\xFF', 1022)));
    EXPECT_FALSE(find_passkey(r, ""));
    const auto mine = list_passkeys(r, OperatorId{1});
    EXPECT_EQ(mine.size(), 2U);
    EXPECT_TRUE(same(mine.front(), telephone)) << "the older first";
    EXPECT_TRUE(same(mine.back(), key));
    EXPECT_TRUE(list_passkeys(r, OperatorId{3}).empty());
    return 0;
  });
}

TEST_P(PasskeyContract, NoTwoHaveOneCredential) {
  write([&](Tx& tx) { insert_passkey(tx, other); });
  Passkey again = other;
  again.id = PasskeyId{10};
  again.operator_id = OperatorId{3};
  EXPECT_THROW(write([&](Tx& tx) { insert_passkey(tx, again); }), StoreError);
}

TEST_P(PasskeyContract, TheirCounterOnlyGoesUpUnlessItStandsAtZero) {
  write([&](Tx& tx) {
    insert_passkey(tx, telephone);
    insert_passkey(tx, other);
  });
  const Instant later = now + Duration(1000);
  const auto use = [&](PasskeyId id, std::int64_t count, bool backed_up) {
    bool used = false;
    write([&](Tx& tx) { used = use_passkey(tx, id, count, backed_up, later); });
    return used;
  };
  EXPECT_FALSE(use(other.id, 5, true)) << "the same again";
  EXPECT_FALSE(use(other.id, 4, true));
  EXPECT_FALSE(use(other.id, 0, true)) << "it has counted before";
  const auto stored = [&](PasskeyId id) {
    return read([&](Reader& r) { return find_passkey(r, id); });
  };
  EXPECT_TRUE(same(stored(other.id), other)) << "nothing is changed";
  EXPECT_TRUE(use(other.id, (1LL << 32) - 1, true));
  EXPECT_EQ(stored(other.id)->sign_count, (1LL << 32) - 1);
  EXPECT_EQ(stored(other.id)->used_at, later);
  EXPECT_TRUE(stored(other.id)->backed_up);
  EXPECT_TRUE(use(telephone.id, 0, false));
  EXPECT_TRUE(use(telephone.id, 0, false)) << "it does not count";
  EXPECT_FALSE(stored(telephone.id)->backed_up);
  EXPECT_TRUE(use(telephone.id, 1, false)) << "it begins to";
  EXPECT_FALSE(use(telephone.id, 0, false));
  EXPECT_FALSE(use(PasskeyId{1}, 9, false)) << "there is none";
}

TEST_P(PasskeyContract, AreRenamedAndDeleted) {
  write([&](Tx& tx) {
    insert_passkey(tx, telephone);
    insert_passkey(tx, key);
    insert_passkey(tx, other);
    set_passkey_name(tx, telephone.id, "old telephone");
    delete_passkey(tx, key.id);
  });
  const auto names = [&](std::int64_t id) {
    std::vector<std::string> all;
    for (const Passkey& each : read([&](Reader& r) { return list_passkeys(r, OperatorId{id}); })) {
      all.push_back(each.name);
    }
    return all;
  };
  EXPECT_EQ(names(1), std::vector<std::string>{"old telephone"});
  EXPECT_EQ(names(2), std::vector<std::string>{"telephone"});
  write([&](Tx& tx) { delete_passkeys(tx, OperatorId{1}); });
  EXPECT_TRUE(names(1).empty());
  EXPECT_EQ(names(2).size(), 1U);
}

TEST_P(PasskeyContract, AChallengeIsUsedOnceAndForgottenWhenItHasExpired) {
  const auto use = [&](std::uint8_t number, Instant expires_at, Instant at) {
    crypto::KeyHash hash;
    hash.bytes.front() = number;
    bool used = false;
    write([&](Tx& tx) { used = use_challenge(tx, hash, expires_at, at); });
    return used;
  };
  const Instant end = now + Duration(1000);
  EXPECT_TRUE(use(1, end, now));
  EXPECT_FALSE(use(1, end, now));
  EXPECT_TRUE(use(2, end + Duration(1), now));
  const auto count = [&] {
    return read([](Reader& r) {
      Rows rows = r.query("SELECT count(*) FROM used_challenges");
      rows.next();
      return rows.integer(0);
    });
  };
  EXPECT_EQ(count(), 2);
  EXPECT_TRUE(use(3, end + Duration(9), end));
  EXPECT_EQ(count(), 2) << "the first is forgotten";
  EXPECT_FALSE(use(2, end + Duration(1), end));
}

}  // namespace
}  // namespace muster::store
