// SPDX-License-Identifier: Apache-2.0
#include "model/task_environment.h"

#include <string>

#include <gtest/gtest.h>

#include "base/limits.h"

namespace muster::model {
namespace {

TEST(TaskEnvironment, NamesAreThoseThatAShellTakes) {
  for (const char* name : {"A", "_", "a1_B", "AZURE_TENANT_ID"}) {
    EXPECT_TRUE(is_variable_name(name)) << name;
  }
  for (const char* name : {"", "1A", "A=B", "A B", "A-B", "\xc3\x84", "A\n", "BASH_FUNC_x%%"}) {
    EXPECT_FALSE(is_variable_name(name)) << name;
  }
  EXPECT_FALSE(is_variable_name(std::string_view("A\0B", 3)));
  EXPECT_TRUE(is_variable_name(std::string(limits::env_var_name_bytes, 'A')));
  EXPECT_FALSE(is_variable_name(std::string(limits::env_var_name_bytes + 1, 'A')));
}

TEST(TaskEnvironment, WhatChangesTheProgramsThatRunIsReserved) {
  for (const char* name :
       {"LD_PRELOAD", "LD_LIBRARY_PATH", "LD_", "ld_preload", "DYLD_INSERT_LIBRARIES", "PATH",
        "Path", "HOME", "TMPDIR", "F0_BUNDLE_DIR", "BASH_ENV", "ENV", "IFS", "PYTHONPATH"}) {
    EXPECT_TRUE(is_reserved_variable(name)) << name;
  }
  for (const char* name : {"LANG", "TZ", "LD", "OLD_PATH", "PATHS", "PATH_", "ENVIRONMENT",
                           "AZURE_TENANT_ID", "F0_X", "TEST_SECRET", ""}) {
    EXPECT_FALSE(is_reserved_variable(name)) << name;
  }
}

}  // namespace
}  // namespace muster::model
