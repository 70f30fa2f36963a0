// SPDX-License-Identifier: Apache-2.0
#include "agent/collectors/services.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "base/test_directory.h"

namespace muster::agent {
namespace {

using model::ServiceState;

TEST(Units, ThatAreUpOrFailedCount) {
  EXPECT_EQ(parse_units("cron.service             loaded    active     running Regular jobs\n"
                        "keyboard-setup.service   loaded    active     exited  Set the console\n"
                        "app.service              loaded    failed     failed  App\n"
                        "gone.service             not-found failed     failed  gone.service\n"
                        "apt-daily.service        loaded    activating start   Daily apt\n"
                        "quiet.service            loaded    inactive   dead    Quiet\n"),
            (std::vector<ServiceState>{{"cron.service", "running"},
                                       {"keyboard-setup.service", "exited"},
                                       {"app.service", "failed"},
                                       {"gone.service", "failed"}}));
}

TEST(Units, WhatComesAndGoesIsLeftOut) {
  EXPECT_TRUE(parse_units("user@1000.service loaded active running User Manager\n"
                          "user-runtime-dir@1000.service loaded active exited Runtime\n"
                          "sshd@7-10.0.0.1:22-10.0.0.9:40000.service loaded active running Per\n"
                          "dbus.socket loaded active running D-Bus\n")
                  .empty());
}

TEST(Units, TextThatIsNoneIsSkipped) {
  EXPECT_TRUE(parse_units("").empty());
  EXPECT_TRUE(parse_units("\n \nx.service\nx.service loaded active\n").empty());
  EXPECT_TRUE(parse_units(std::string(300, 'x') + ".service loaded active running x").empty());
  EXPECT_TRUE(parse_units("x\x1b[2J.service loaded active running x").empty());
}

TEST(Systemd, IsThereOnceItHasStartedTheSystem) {
  const TestDirectory root;
  EXPECT_FALSE(has_systemd(root.path()));
  std::filesystem::create_directories(root.path() + "/run/systemd/system");
  EXPECT_TRUE(has_systemd(root.path()));
}

}  // namespace
}  // namespace muster::agent
