// SPDX-License-Identifier: Apache-2.0
#include "fleet/operator_names.h"

#include <gtest/gtest.h>

#include "fleet/operators.h"
#include "fleet/testing.h"

namespace muster::fleet {
namespace {

TEST(OperatorNames, AreThoseOfOperatorsAndOfNobodyElse) {
  TestFleet fleet;
  const OperatorId ada =
      fleet->store
          .write([&](store::Tx& tx) {
            return create_operator(tx, fleet->ids, fleet.rng, fleet->credentials, fleet.actor,
                                   {"ada", http::Role::analyst, Duration(0)}, fleet.now);
          })
          .id;
  OperatorNames names(fleet->store);
  EXPECT_EQ(names.of(ada), "ada");
  EXPECT_EQ(names.of_actor(Actor::operator_token(ada).text), "ada");
  EXPECT_EQ(names.of(OperatorId{77}), std::nullopt);
  for (const char* nobody : {"", "server", "key:1", "operator:", "operator:x", "operator:77"}) {
    EXPECT_EQ(names.of_actor(nobody), std::nullopt) << nobody;
  }
  fleet->store.write([&](store::Tx& tx) {
    OperatorNames within(tx);
    EXPECT_EQ(within.of(ada), "ada");
  });
}

}  // namespace
}  // namespace muster::fleet
