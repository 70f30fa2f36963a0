// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include "store/testing/databases.h"

namespace muster::store::testing {

/// For tests that hold on every engine: each gets a fresh database.
class EveryDatabase : public ::testing::TestWithParam<Engine> {
 protected:
  void SetUp() override {
    if (!available(GetParam())) GTEST_SKIP() << not_available;
    database = std::make_unique<TestDatabase>(GetParam());
  }

  std::unique_ptr<TestDatabase> database;
};

inline std::string name_of_engine(const ::testing::TestParamInfo<Engine>& info) {
  return engine_name(info.param);
}

}  // namespace muster::store::testing

#define ON_EVERY_DATABASE(suite)                                                             \
  INSTANTIATE_TEST_SUITE_P(                                                                  \
      On, suite,                                                                             \
      ::testing::Values(::muster::store::Engine::sqlite, ::muster::store::Engine::postgres), \
      ::muster::store::testing::name_of_engine)
