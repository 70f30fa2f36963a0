// SPDX-License-Identifier: Apache-2.0
#include "agent/variables.h"

#include "base/limits.h"
#include "model/task_environment.h"

namespace muster::agent {

namespace {

/// Why the variable cannot be set; empty if it can.
std::string fault_of(std::string_view name, const Json& value) {
  if (!model::is_variable_name(name)) return "has a name that is none";
  if (model::is_reserved_variable(name)) return std::string(name) + " is not for tasks to set";
  const auto text = value.string();
  if (!text || text->size() > limits::env_var_value_bytes ||
      text->find('\0') != std::string_view::npos) {
    return std::string(name) + " has no value that can be set";
  }
  return {};
}

}  // namespace

Result<Variables> read_variables(const Json& payload) {
  const auto members = payload.find("env_vars");
  if (!members || members->is_null()) return Variables{};
  if (!members->is_object() || members->size() > limits::env_vars) {
    return invalid_field("env_vars", "must be an object of few members");
  }
  Variables variables;
  std::string fault;
  std::size_t bytes = 0;
  members->for_each_member([&](std::string_view name, const Json& value) {
    if (fault.empty()) fault = fault_of(name, value);
    if (!fault.empty()) return;
    bytes += name.size() + value.string()->size();
    variables.emplace_back(name, *value.string());
  });
  if (fault.empty() && bytes > limits::env_vars_bytes) fault = "is too large";
  if (!fault.empty()) return invalid_field("env_vars", std::move(fault));
  return variables;
}

}  // namespace muster::agent
