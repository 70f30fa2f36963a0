// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/task.h"

namespace muster::model {

/// What a test says about itself; of the other types all of it is empty.
struct TestMetadata {
  std::string category;
  std::string subcategory;
  std::string severity;
  std::vector<std::string> techniques;
  std::vector<std::string> tactics;
  std::string threat_actor;
  std::vector<std::string> target;
  std::string complexity;
  std::vector<std::string> tags;
  std::optional<double> score;
  std::vector<std::string> integrations;
};

/// The work itself, as agents get it.
struct TaskPayload {
  std::string test_uuid;
  std::string test_name;
  std::string binary_name;
  std::string binary_sha256;  // hex, lower case
  std::int64_t binary_size = 0;
  std::vector<std::string> arguments;
  std::string command;
  TestMetadata metadata;
};

/// JSON object with every member, whatever the type: agents in the field decode strictly (fact
/// sheet of the device protocol, 5.2).
std::string encode_payload(const TaskPayload& payload, std::int64_t execution_timeout_seconds);

/// What lists call the task: the test's name, else the command.
std::string label_of(const TaskPayload& payload);

/// `payload` with a last member `env_vars`; as it is when `env_vars`, a JSON object, is empty.
std::string with_env_vars(std::string_view payload, std::string_view env_vars);

}  // namespace muster::model
