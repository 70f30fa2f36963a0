// SPDX-License-Identifier: Apache-2.0
#include "crypto/password.h"

#include <gtest/gtest.h>

namespace muster::crypto {
namespace {

TEST(Password, IsProvedByItselfAlone) {
  const std::string hash = hash_password("correct horse battery");
  EXPECT_TRUE(hash.starts_with("$argon2id$v=19$m=65536,t=2,p=1$"));
  EXPECT_TRUE(verify_password(hash, "correct horse battery"));
  EXPECT_FALSE(verify_password(hash, "correct horse batterz"));
  EXPECT_FALSE(verify_password(hash, ""));
  EXPECT_NE(hash_password("correct horse battery"), hash) << "each has its own salt";
}

TEST(Password, TextThatIsNoHashProvesNothing) {
  for (const char* text : {"", "correct", "$argon2id$v=19$m=65536,t=2,p=1$", "$2b$12$abc"}) {
    EXPECT_FALSE(verify_password(text, "correct")) << text;
  }
}

}  // namespace
}  // namespace muster::crypto
