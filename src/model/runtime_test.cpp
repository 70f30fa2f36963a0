// SPDX-License-Identifier: Apache-2.0
#include "model/runtime.h"

#include <gtest/gtest.h>

namespace muster::model {
namespace {

TEST(Runtime, SettlesInOneOrderWithoutRepeatsWithinItsLimits) {
  Runtime runtime;
  runtime.listening = {{"udp", "::", 68, ""}, {"tcp", "::", 443, "nginx"}, {"udp", "::", 68, ""}};
  for (std::size_t i = 0; i <= running_services_max; ++i) {
    if (!runtime.services) runtime.services.emplace();
    runtime.services->push_back({"s" + std::to_string(i) + ".service", "running"});
  }
  runtime.settle();
  EXPECT_EQ(listening_json(runtime),
            R"([{"protocol": "tcp", "address": "::", "port": 443, "process": "nginx"}, )"
            R"({"protocol": "udp", "address": "::", "port": 68, "process": ""}])");
  EXPECT_EQ(runtime.services->size(), running_services_max);
}

TEST(Runtime, WhatIsNotLookedAtIsNullAndNotNothing) {
  Runtime runtime;
  EXPECT_EQ(listening_json(runtime), "null");
  EXPECT_EQ(services_json(runtime), "null");
  runtime.services.emplace();
  EXPECT_EQ(services_json(runtime), "[]");
  EXPECT_NE(runtime, Runtime{});
}

}  // namespace
}  // namespace muster::model
