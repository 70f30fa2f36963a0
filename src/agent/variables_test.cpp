// SPDX-License-Identifier: Apache-2.0
#include "agent/variables.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace muster::agent {
namespace {

Result<Variables> read(const std::string& env_vars) {
  JsonDocument document;
  return read_variables(document.parse(R"({"env_vars": )" + env_vars + "}").value());
}

/// Empty if they can be set; else why not.
std::string fault_of(const std::string& env_vars) {
  const auto variables = read(env_vars);
  if (variables.ok()) return {};
  EXPECT_EQ(variables.error().field, "env_vars");
  return variables.error().message;
}

TEST(Variables, AreNamesAndTexts) {
  EXPECT_EQ(read(R"({"TOKEN": "x y", "EMPTY": ""})").value(),
            (Variables{{"TOKEN", "x y"}, {"EMPTY", ""}}));
  EXPECT_EQ(read("null").value(), Variables{});
  EXPECT_EQ(read("{}").value(), Variables{});
}

TEST(Variables, NothingGetsIntoAnEnvironmentThatIsNotPlainOrNotForTasks) {
  for (const char* bad :
       {R"({"A=B": "x"})", R"({"1A": "x"})", R"({"": "x"})", R"({"A": "x\u0000y"})", R"({"A": 1})",
        R"({"A": null})", "[]", R"("A=1")"}) {
    EXPECT_NE(fault_of(bad), "") << bad;
  }
  EXPECT_NE(fault_of(R"({"GOOD": "x", "LD_PRELOAD": "/tmp/x.so"})").find("LD_PRELOAD"),
            std::string::npos);
  EXPECT_NE(fault_of(R"({"path": "/tmp"})"), "");
}

TEST(Variables, AReasonRepeatsNoValue) {
  const std::string fault = fault_of(R"({"PATH": "hush", "A": "hush\u0000"})");
  EXPECT_NE(fault, "");
  EXPECT_EQ(fault.find("hush"), std::string::npos);
}

TEST(Variables, AreFewAndSmall) {
  const auto many = [](std::size_t count, std::size_t bytes) {
    std::string text = "{";
    for (std::size_t i = 0; i < count; ++i) {
      text += (i == 0 ? "\"V" : ", \"V") + std::to_string(i) + "\": \"" + std::string(bytes, 'x') +
              "\"";
    }
    return text + "}";
  };
  EXPECT_EQ(fault_of(many(limits::env_vars, 1)), "");
  EXPECT_NE(fault_of(many(limits::env_vars + 1, 1)), "");
  EXPECT_EQ(fault_of(many(1, limits::env_var_value_bytes)), "");
  EXPECT_NE(fault_of(many(1, limits::env_var_value_bytes + 1)), "");
  EXPECT_NE(fault_of(many(5, limits::env_var_value_bytes)), "") << "all of them together";
}

}  // namespace
}  // namespace muster::agent
