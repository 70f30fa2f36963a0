// SPDX-License-Identifier: Apache-2.0
#include "fleet/key_uses.h"

#include <gtest/gtest.h>

#include "fleet/testing.h"

namespace muster::fleet {
namespace {

/// A site's old key and its new one, and two hosts.
class OldKey : public testing::Test {
 protected:
  OldKey() {
    first = host("web-1", "192.0.2.1");
    second = host("web-2", "192.0.2.2");
    old_key = key("old");
    new_key = key("new");
  }

  HostId host(const std::string& name, const std::string& address) {
    InventoryReport report = TestFleet::report_of(name);
    report.ip_address = address;
    return fleet.report(report)->host;
  }
  KeyId key(const std::string& name) {
    return fleet->store.write([&](store::Tx& tx) {
      return create_inventory_key(tx, fleet->ids, fleet.rng, fleet->credentials, fleet.actor,
                                  TestFleet::org, name, 1, fleet.now)
          .id;
    });
  }
  void use(KeyId key, HostId host) {
    fleet->store.write([&](store::Tx& tx) {
      record_key_use(tx, fleet->key_uses, TestFleet::org, key, host, fleet.now);
    });
  }
  bool revoked(std::optional<HostId> asking, std::string_view address = "") {
    return fleet->store
        .write([&](store::Tx& tx) {
          return revoke_old_key(tx, fleet->ids, fleet->credentials,
                                {TestFleet::org, new_key, asking, address}, old_key, fleet.now);
        })
        .value();
  }
  void wait(int days) { fleet.now = fleet.now + std::chrono::hours(24 * days); }

  TestFleet fleet;
  HostId first, second;
  KeyId old_key, new_key;
};

TEST_F(OldKey, IsRevokedByItsOnlyUser) {
  use(old_key, first);
  EXPECT_TRUE(revoked(first));
  EXPECT_EQ(fleet.count("SELECT count(*) FROM audit WHERE action = 'keys.revoke'"), 1);
}

TEST_F(OldKey, StaysWhileAnotherHostUsesIt) {
  use(old_key, first);
  use(old_key, second);
  EXPECT_FALSE(revoked(first));
  EXPECT_FALSE(revoked(std::nullopt, "192.0.2.1"));
}

TEST_F(OldKey, StaysWhenNobodyKnowsWhoAsks) {
  use(old_key, first);
  EXPECT_FALSE(revoked(std::nullopt, "198.51.100.7"));
  EXPECT_FALSE(revoked(second));
  EXPECT_TRUE(revoked(std::nullopt, "192.0.2.1")) << "the one user has this address";
}

TEST_F(OldKey, IsNotUsedByAHostThatMovedTwoDaysAgo) {
  use(old_key, first);
  use(old_key, second);
  wait(1);
  use(new_key, second);
  EXPECT_FALSE(revoked(first)) << "uses are written down once a day: it may use both";
  wait(1);
  use(new_key, second);
  EXPECT_TRUE(revoked(first));
}

TEST_F(OldKey, IsForgottenAfterAMonth) {
  use(old_key, second);
  wait(31);
  EXPECT_TRUE(revoked(first));
}

TEST_F(OldKey, UsesAreWrittenOnceADayAndSurviveARestart) {
  use(old_key, first);
  EXPECT_FALSE(fleet->key_uses.is_news(old_key, first, fleet.now + std::chrono::hours(23)));
  EXPECT_TRUE(fleet->key_uses.is_news(new_key, first, fleet.now));
  fleet.reopen();
  EXPECT_FALSE(fleet->key_uses.is_news(old_key, first, fleet.now + std::chrono::hours(23)));
  wait(1);
  EXPECT_TRUE(fleet->key_uses.is_news(old_key, first, fleet.now));
}

}  // namespace
}  // namespace muster::fleet
