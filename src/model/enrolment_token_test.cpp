// SPDX-License-Identifier: Apache-2.0
#include "model/enrolment_token.h"

#include <gtest/gtest.h>

namespace muster::model {
namespace {

TokenTerms fenced() {
  TokenTerms terms;
  terms.networks = {parse_ip_network("10.0.0.0/8").value(),
                    parse_ip_network("2001:db8::/32").value()};
  terms.systems = {"windows", "linux/arm64"};
  return terms;
}

TEST(TokenTerms, WithoutFencesAdmitEverybody) {
  EXPECT_TRUE(admits({}, "192.0.2.1", "linux", "amd64"));
  EXPECT_TRUE(admits({}, "no address", "darwin", "arm64"));
}

TEST(TokenTerms, AdmitOnlyFromTheirNetworks) {
  EXPECT_TRUE(admits(fenced(), "10.255.0.1", "windows", "amd64"));
  EXPECT_TRUE(admits(fenced(), "2001:db8::7", "windows", "amd64"));
  EXPECT_TRUE(admits(fenced(), "::ffff:10.0.0.1", "windows", "amd64")) << "IPv4 over IPv6";
  for (const char* peer : {"11.0.0.1", "2001:db9::7", "::1", "", "10.0.0.1:80", "local"}) {
    EXPECT_FALSE(admits(fenced(), peer, "windows", "amd64")) << peer;
  }
}

TEST(TokenTerms, AdmitOnlyTheirSystems) {
  EXPECT_TRUE(admits(fenced(), "10.0.0.1", "windows", "arm64"));
  EXPECT_TRUE(admits(fenced(), "10.0.0.1", "linux", "arm64"));
  EXPECT_FALSE(admits(fenced(), "10.0.0.1", "linux", "amd64"));
  EXPECT_FALSE(admits(fenced(), "10.0.0.1", "darwin", "arm64"));
}

TEST(TokenTerms, SystemsAreThoseThatAgentsCanBe) {
  for (const char* good : {"linux", "windows/amd64", "darwin/arm64"}) {
    EXPECT_TRUE(is_system(good)) << good;
  }
  for (const char* bad : {"", "beos", "linux/", "linux/386", "/amd64", "amd64", "Linux"}) {
    EXPECT_FALSE(is_system(bad)) << bad;
  }
}

TEST(TokenState, IsReadBackFromItsName) {
  for (int i = 0; i < 4; ++i) {
    const auto state = static_cast<TokenState>(i);
    EXPECT_EQ(parse_token_state(token_state_name(state)), state);
  }
  EXPECT_FALSE(parse_token_state("used"));
}

}  // namespace
}  // namespace muster::model
