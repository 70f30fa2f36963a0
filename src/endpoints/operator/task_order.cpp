// SPDX-License-Identifier: Apache-2.0
#include "endpoints/operator/task_order.h"

#include <algorithm>

#include "base/json_write.h"
#include "base/limits.h"
#include "endpoints/decode.h"
#include "endpoints/operator/operator.h"
#include "fleet/saved_views.h"
#include "model/host_query.h"
#include "model/task_environment.h"
#include "store/store.h"

namespace muster::endpoints {

using fleet::TaskOrder;
using model::TaskType;

namespace {

void decode_agents(Fields& fields, TaskOrder& order) {
  if (fields.has("query")) {
    for (const char* other : {"agent_ids", "orders"}) {
      if (fields.has(other)) fields.fail("query", std::string("is instead of ") + other);
    }
    return;
  }
  if (fields.has("dry_run")) fields.fail("dry_run", "is for query");
  const auto agents = fields.array("agent_ids", limits::task_targets);
  if (!agents) return;
  agents->for_each([&](const Json& agent) {
    const Result<Uuid> id = parse_uuid(agent.string().value_or(""));
    if (!id.ok()) {
      fields.fail("agent_ids[" + std::to_string(order.agents.size()) + "]", "must be a UUID");
    }
    order.agents.push_back(AgentId{id.ok() ? *id : Uuid{}});
  });
  if (order.agents.empty()) fields.fail("agent_ids", "must not be empty");
}

void decode_bounds(Fields& fields, TaskOrder& order) {
  const auto timeout =
      fields.optional_integer("execution_timeout", 1, limits::execution_timeout_seconds_max);
  order.execution_timeout_seconds = timeout.value_or(order.execution_timeout_seconds);
  order.priority = fields.optional_integer("priority", 0, 10).value_or(order.priority);
  if (const auto ttl = fields.optional_integer("ttl_seconds", 1, limits::task_ttl_seconds_max)) {
    order.deliver_within = order.valid_for = std::chrono::seconds(*ttl);
  }
  order.redeliver = fields.optional_boolean("redeliver").value_or(false);
  const auto retries = fields.optional_integer("max_retries", 0, limits::task_retries_max);
  // A test says nothing else when it runs again; of the others nobody knows.
  if (retries.value_or(0) > 0 && order.type != TaskType::execute_test) {
    fields.fail("max_retries", "is for execute_test only");
  }
  order.max_retries = retries.value_or(order.max_retries);
}

/// As a JSON object; empty for none. What is wrong is said by name: a value is never repeated.
std::string decode_env_vars(Fields& fields) {
  const auto given = fields.optional_object("env_vars");
  if (!given || given->size() == 0) return {};
  if (given->size() > limits::env_vars) {
    fields.fail("env_vars", "must have at most " + std::to_string(limits::env_vars) + " members");
  }
  JsonWriter json;
  json.begin_object();
  given->for_each_member([&](std::string_view name, const Json& value) {
    const auto text = value.string();
    if (!model::is_variable_name(name)) {
      fields.fail("env_vars", "must have names of letters, digits and underscores");
    } else if (model::is_reserved_variable(name)) {
      fields.fail("env_vars." + std::string(name),
                  "is not for tasks to set: set it in the command itself");
    } else if (!text || text->size() > limits::env_var_value_bytes ||
               text->find('\0') != std::string_view::npos) {
      fields.fail("env_vars." + std::string(name), "must be text of at most " +
                                                       std::to_string(limits::env_var_value_bytes) +
                                                       " bytes without NUL");
    } else {
      json.member(name, *text);
    }
  });
  json.end_object();
  std::string out = json.take();
  if (out.size() > limits::env_vars_bytes) fields.fail("env_vars", "is too large");
  return out;
}

model::TestMetadata decode_metadata(Fields fields, Result<void>& verdict) {
  const auto text = [&](std::string_view name) {
    return std::string(fields.optional_text(name, limits::name_bytes).value_or(""));
  };
  const auto texts = [&](std::string_view name) {
    return fields.optional_texts(name, limits::tags, limits::name_bytes);
  };
  model::TestMetadata metadata;
  metadata.category = text("category");
  metadata.subcategory = text("subcategory");
  metadata.severity = text("severity");
  metadata.techniques = texts("techniques");
  metadata.tactics = texts("tactics");
  metadata.threat_actor = text("threat_actor");
  metadata.target = texts("target");
  metadata.complexity = text("complexity");
  metadata.tags = texts("tags");
  metadata.score = fields.optional_number("score");
  metadata.integrations = texts("integrations");
  verdict = fields.finish();
  return metadata;
}

void decode_test(Fields& fields, model::TaskPayload& payload) {
  const Result<Uuid> test = parse_uuid(fields.text("test_uuid", limits::name_bytes));
  if (test.ok()) {
    payload.test_uuid = test->text();
  } else {
    fields.fail("test_uuid", "must be a UUID");
  }
  payload.test_name = fields.optional_text("test_name", limits::name_bytes).value_or("");
  payload.binary_name = fields.optional_text("binary_name", limits::name_bytes).value_or("");
  payload.arguments = fields.optional_texts("arguments", limits::tags, limits::name_bytes);
  if (const auto metadata = fields.optional_object("metadata")) {
    Result<void> verdict;
    payload.metadata = decode_metadata(Fields(*metadata, "metadata"), verdict);
    if (!verdict.ok()) fields.fail(verdict.error().field, verdict.error().message);
  }
}

/// What was signed, one for each agent: muster tasks create --sign-key.
Result<void> decode_orders(Fields& fields, TaskOrder& order) {
  const auto list = fields.optional_array("orders", limits::task_targets);
  if (!list) return {};
  Result<void> verdict;
  list->for_each([&](const Json& element) {
    if (!verdict.ok()) return;
    const std::string path = "orders[" + std::to_string(order.orders.size()) + "]";
    Fields members(element, path);
    TaskOrder::Signed given;
    given.order.text = members.text("order", limits::order_bytes);
    read_hex(members, "signature", given.order.signature);
    read_hex(members, "public_key", given.order.signer);
    verdict = members.finish();
    if (!verdict.ok()) return;
    Result<model::WorkOrder> says = model::parse_work_order(given.order.text);
    if (!says.ok()) {
      verdict = invalid_field(path + ".order", says.error().message);
      return;
    }
    given.says = std::move(says).value();
    order.orders.push_back(std::move(given));
  });
  TRY(std::move(verdict));
  if (order.orders.empty()) return invalid_field("orders", "must not be empty");
  if (fields.optional_integer("max_retries", 0, limits::task_retries_max).value_or(0) > 0) {
    return invalid_field("max_retries", "must be 0: what is signed is carried out once");
  }
  return {};
}

}  // namespace

Result<std::optional<TargetOrder>> decode_targets(App& app, const Json& body, OrgId org,
                                                  Instant now) {
  Fields fields(body);
  if (!fields.has("query")) return std::optional<TargetOrder>();
  const std::string text(fields.text("query", limits::query_bytes));
  const bool dry_run = fields.optional_boolean("dry_run").value_or(false);
  TRY(fields.finish());
  const model::HostQuery query = TRY(app.store.read(
      [&](store::Reader& reader) { return fleet::read_host_query(reader, org, text); }));
  return std::optional<TargetOrder>(
      {TRY(fleet::find_targets(app.store, app.presence, app.config, query, org, now)), dry_run});
}

Result<TaskOrder> decode_task_order(App& app, const http::Request& request, const Json& body) {
  Fields fields(body);
  const std::string_view type =
      one_of(fields, "type", {"execute_test", "execute_command", "update_agent", "uninstall"});
  TRY(fields.finish());
  TaskOrder order(*model::parse_task_type(type));
  decode_agents(fields, order);
  decode_bounds(fields, order);
  switch (order.type) {
    case TaskType::execute_command:
      order.payload.command = fields.text("command", limits::command_bytes);
      order.env_vars = decode_env_vars(fields);
      break;
    case TaskType::uninstall:
      order.payload.command = fields.optional_text("command", limits::command_bytes).value_or("");
      if (!order.payload.command.empty() && order.payload.command != "cleanup") {
        fields.fail("command", "must be cleanup, which deletes the agent's files too, or empty");
      }
      break;
    case TaskType::execute_test:
      decode_test(fields, order.payload);
      order.env_vars = decode_env_vars(fields);
      break;
    case TaskType::update_agent:
      break;
  }
  TRY(fields.finish());
  TRY(decode_orders(fields, order));
  // A query means the hosts of one organisation, and so does whoever may work in one alone.
  const bool of_one = fields.has("org") || fields.has("query") || request.caller.is_limited() ||
                      http::query_param(request.query, "org").has_value();
  if (of_one) order.org = TRY(org_member(app, request, fields, body));
  TRY(fields.finish());
  return order;
}

}  // namespace muster::endpoints
