// SPDX-License-Identifier: Apache-2.0
#include "fleet/host_directory.h"

#include <gtest/gtest.h>

namespace muster::fleet {
namespace {

constexpr OrgId org{1};

model::Host host(std::int64_t id, std::string hostname, std::string machine_id = {}) {
  model::Host made;
  made.org = org;
  made.id = HostId{id};
  made.hostname = std::move(hostname);
  made.machine_id = std::move(machine_id);
  return made;
}

std::int64_t found(const HostDirectory& directory, std::string_view machine_id,
                   std::string_view hostname) {
  const auto known = directory.find(org, machine_id, hostname);
  return known ? known->id.value : 0;
}

TEST(HostDirectory, ANameOfSeveralHostsMeansTheLastRegisteredInWhateverOrderTheyCome) {
  HostDirectory directory;
  for (const std::int64_t id : {2, 3, 1, 2, 3, 1}) directory.set(host(id, "Web-1"));
  EXPECT_EQ(found(directory, "", "wEB-1"), 3);
  EXPECT_FALSE(directory.find(OrgId{2}, "", "web-1"));
}

TEST(HostDirectory, ANameGivenUpMeansTheHostThatHadItBefore) {
  HostDirectory directory;
  directory.set(host(1, "web-1"));
  directory.set(host(2, "web-1"));
  directory.set(host(2, "mail-1"));
  EXPECT_EQ(found(directory, "", "web-1"), 1);
  EXPECT_EQ(found(directory, "", "mail-1"), 2);
  directory.set(host(1, "mail-1"));
  EXPECT_EQ(found(directory, "", "web-1"), 0);
  EXPECT_EQ(found(directory, "", "mail-1"), 2);
}

TEST(HostDirectory, AMachineIdComesBeforeTheNameUntilItIsShared) {
  HostDirectory directory;
  directory.set(host(1, "web-1", "m"));
  directory.set(host(2, "web-1"));
  EXPECT_EQ(found(directory, "m", "web-1"), 1);
  EXPECT_EQ(found(directory, "other", "web-1"), 2);
  model::Host shared = host(1, "web-1", "m");
  shared.machine_shared = true;
  directory.set(shared);
  EXPECT_EQ(found(directory, "m", "web-1"), 2);
}

}  // namespace
}  // namespace muster::fleet
