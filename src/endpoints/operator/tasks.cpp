// SPDX-License-Identifier: Apache-2.0
#include "fleet/tasks.h"
#include "endpoints/decode.h"
#include "endpoints/operator/operator.h"
#include "endpoints/operator/result_members.h"
#include "endpoints/operator/task_order.h"
#include "fleet/approvals.h"
#include "fleet/presence.h"
#include "fleet/signed_orders.h"

namespace muster::endpoints {

using http::Reply;
using http::Request;
using http::Response;

namespace {

std::string command_of(const model::Task& task) {
  const Result<Json> payload = thread_json().parse(task.payload);
  const auto command = payload.ok() ? payload->find("command") : std::nullopt;
  return std::string(command ? command->string().value_or("") : "");
}

void write_task(JsonWriter& json, const model::Task& task, std::string_view hostname) {
  json.member("id", task.id)
      .member("org_id", task.org)
      .member("agent_id", task.agent)
      .member("hostname", hostname)
      .member("batch_id", task.batch)
      .member("type", model::task_type_name(task.type))
      .member("status", model::task_status_name(task.status))
      .member("priority", task.priority)
      .member("command", command_of(task))
      .member("label", task.label)
      .member("test_uuid", task.test_uuid)
      .member("execution_timeout", task.execution_timeout_seconds)
      .member("redeliver", task.redeliver)
      .member("attempt", task.attempt)
      .member("retry_count", task.retry_count)
      .member("max_retries", task.max_retries)
      .member("original_task_id", task.original)
      .member("created_at", task.created_at)
      .member("deliver_by", task.deliver_by)
      .member("valid_until", task.valid_until)
      .member("approve_by", task.approve_by)
      .member("assigned_at", task.assigned_at)
      .member("started_at", task.started_at)
      .member("completed_at", task.finished_at)
      .member("error", task.error);
}

/// What was signed, for whoever wants to verify it, and its times; null for an unsigned task.
void write_order(JsonWriter& json, const std::optional<model::SignedOrder>& order) {
  json.key("order");
  if (!order) {
    json.null();
    return;
  }
  json.begin_object()
      .member("public_key", to_hex(order->signer))
      .member("signature", to_hex(order->signature))
      .member("text", order->text);
  // Nothing of a text that somebody changed in the store.
  const Result<model::WorkOrder> says = model::parse_work_order(order->text);
  json.member("expires_at", says.ok() ? std::optional(says->expires_at) : std::nullopt)
      .end_object();
}

void write_note(JsonWriter& json, const store::TaskNote& note, fleet::OperatorNames& names) {
  json.begin_object().member("version", note.version).member("at", note.at);
  write_actor(json, "author", note.author, names);
  json.member("text", note.text).end_object();
}

/// What a second person said of a batch; null for one that needs none.
void write_approval(JsonWriter& json, const store::TaskBatch& batch, fleet::OperatorNames& names) {
  if (!batch.approve_by) {
    json.null();
    return;
  }
  const std::optional<store::BatchDecision>& decision = batch.decision;
  json.begin_object().member("approve_by", batch.approve_by);
  write_operator(json, "created_by", batch.created_by, names);
  json.key("decision");
  if (decision) {
    json.value(decision->approved ? "approved" : "rejected");
  } else {
    json.null();
  }
  write_operator(json, "decided_by", decision ? std::optional(decision->by) : std::nullopt, names);
  json.member("decided_at", decision ? std::optional(decision->at) : std::nullopt)
      .member("reason", decision ? decision->reason : std::string())
      .end_object();
}

/// What exactly an agent would run: all but the values of environment variables.
void write_work(JsonWriter& json, App& app, const model::Task& task) {
  json.key("payload").raw(task.payload).key("env_names").begin_array();
  for (const std::string& name : fleet::list_env_names(app.store, app.tasks, task.org, task.id)) {
    json.value(name);
  }
  json.end_array();
}

std::string encode_batch(const store::TaskBatch& batch, fleet::OperatorNames& names) {
  std::int64_t tasks = 0;
  for (const auto& [status, count] : batch.tasks) tasks += count;
  JsonWriter json;
  json.begin_object()
      .member("id", batch.id)
      .member("org_id", batch.org)
      .member("type", model::task_type_name(batch.type))
      .member("label", batch.label)
      .member("created_at", batch.created_at);
  write_operator(json, "created_by", batch.created_by, names);
  json.member("tasks", tasks).key("by_status").begin_object();
  for (const auto& [status, count] : batch.tasks) {
    json.member(model::task_status_name(status), count);
  }
  json.end_object().key("approval");
  write_approval(json, batch, names);
  json.end_object();
  return json.take();
}

/// Who would be given the work of an order.
std::string encode_targets(const fleet::Targets& targets) {
  JsonWriter json;
  json.begin_object()
      .member("dry_run", true)
      .member("hosts", targets.hosts)
      .member("without_agent", targets.without_agent)
      .key("agents")
      .begin_array();
  for (const fleet::Target& target : targets.agents) {
    json.begin_object()
        .member("agent_id", target.agent)
        .member("asset_id", target.host)
        .member("hostname", target.hostname)
        .end_object();
  }
  json.end_array().end_object();
  return json.take();
}

/// What the query narrows a list of tasks to. Fails with not_found and invalid_field.
Result<store::TaskFilter> filter_of(App& app, const Request& request) {
  store::TaskFilter filter;
  const auto given = [&](std::string_view name) { return http::query_param(request.query, name); };
  filter.org = TRY(org_param(app, request));
  if (const auto text = given("agent")) filter.agent = AgentId{TRY(uuid_param(*text, "agent"))};
  if (const auto text = given("batch")) filter.batch = TRY(uuid_param(*text, "batch"));
  if (const auto text = given("status")) {
    filter.status = model::parse_task_status(*text);
    if (!filter.status) return invalid_field("status", "is no status of a task");
  }
  if (const auto text = given("type")) {
    filter.type = model::parse_task_type(*text);
    if (!filter.type) return invalid_field("type", "is no type of a task");
  }
  filter.text = given("text");
  return filter;
}

}  // namespace

Result<Reply> create_tasks(App& app, const Request& request) {
  const Json body = TRY(decode_body(request));
  fleet::TaskOrder order = TRY(decode_task_order(app, request, body));
  const auto target = TRY(decode_targets(app, body, order.org.value_or(OrgId{}), request.now));
  if (target) {
    if (target->dry_run) return Reply(http::json_response(200, encode_targets(target->targets)));
    for (const fleet::Target& each : target->targets.agents) order.agents.push_back(each.agent);
  }
  const std::vector<crypto::PublicKey> roots = TRY(fleet::task_roots(app.config));
  TRY(fleet::check_signatures(order, roots, request.now));
  return Reply(http::Write([&app, actor = actor_of(request), order = std::move(order),
                            creator = OperatorId{request.caller.key},
                            now = request.now](store::Tx& tx) -> Result<Response> {
    const fleet::CreatedTasks created =
        TRY(fleet::create_tasks(tx, app.tasks, actor, creator, order, now));
    JsonWriter json;
    json.begin_object().member("batch_id", created.batch).key("task_ids").begin_array();
    for (const TaskId id : created.ids) json.value(id);
    json.end_array();
    if (created.unapproved > 0) json.member("pending_approval", created.unapproved);
    json.end_object();
    return http::json_response(201, json.take());
  }));
}

Result<Reply> list_tasks(App& app, const Request& request) {
  const int limit = TRY(page_limit(request));
  const store::TaskFilter filter = TRY(filter_of(app, request));
  const fleet::TaskPage page =
      TRY(fleet::list_task_page(app.store, filter, page_cursor(request), limit, request.now));
  std::vector<std::string> items;
  items.reserve(page.tasks.size());
  for (const fleet::TaskView& view : page.tasks) {
    JsonWriter json;
    json.begin_object();
    write_task(json, view.task, view.hostname);
    json.end_object();
    items.push_back(json.take());
  }
  return Reply(page_response(items, page.next_cursor, page.total));
}

Result<Reply> list_batches(App& app, const Request& request) {
  const int limit = TRY(page_limit(request));
  const std::optional<OrgId> org = TRY(org_param(app, request));
  const fleet::BatchPage page =
      TRY(fleet::list_batch_page(app.store, org, page_cursor(request), limit));
  std::vector<std::string> items;
  items.reserve(page.batches.size());
  fleet::OperatorNames names(app.store);
  for (const store::TaskBatch& batch : page.batches) {
    items.push_back(encode_batch(batch, names));
  }
  return Reply(page_response(items, page.next_cursor, page.total));
}

Result<Reply> cancel_batch(App& app, const Request& request) {
  const Uuid batch = TRY(uuid_param(request.params[0], "id"));
  const std::optional<OrgId> org = TRY(org_param(app, request));
  return Reply(http::Write([&app, actor = actor_of(request), batch, org,
                            now = request.now](store::Tx& tx) -> Result<Response> {
    const std::vector<model::Task> cancelled =
        TRY(fleet::cancel_batch(tx, app.tasks, actor, batch, org, now));
    JsonWriter json;
    json.begin_object().member("cancelled", cancelled.size()).key("task_ids").begin_array();
    for (const model::Task& task : cancelled) json.value(task.id);
    json.end_array().end_object();
    return http::json_response(200, json.take());
  }));
}

Result<Reply> add_task_note(App& app, const Request& request) {
  const TaskId id = TRY(task_param(request));
  const Json body = TRY(decode_body(request));
  Fields fields(body);
  const std::string text(fields.optional_multiline("text", limits::note_bytes).value_or(""));
  if (text.empty()) fields.fail("text", "is required");
  TRY(fields.finish());
  return Reply(http::Write([&app, actor = actor_of(request), id, text,
                            now = request.now](store::Tx& tx) -> Result<Response> {
    const store::TaskNote note = TRY(fleet::add_note(tx, app.ids, actor, id, text, now));
    fleet::OperatorNames names(tx);
    JsonWriter json;
    write_note(json, note, names);
    return http::json_response(201, json.take());
  }));
}

Result<Reply> show_task(App& app, const Request& request) {
  const TaskId id = TRY(task_param(request));
  const fleet::TaskView view = TRY(fleet::show_task(app.store, id, request.now));
  fleet::OperatorNames names(app.store);
  JsonWriter json;
  json.begin_object();
  write_task(json, view.task, view.hostname);
  write_order(json, view.task.order);
  json.key("approval");
  if (view.batch && view.task.approve_by) {
    write_approval(json, *view.batch, names);
    write_work(json, app, view.task);
  } else {
    json.null();
  }
  json.key("result");
  if (view.result) {
    json.begin_object();
    write_result(json, *view.result);
    json.end_object();
  } else {
    json.null();
  }
  json.key("notes").begin_array();
  for (const store::TaskNote& note : view.notes) write_note(json, note, names);
  json.end_array().end_object();
  return Reply(http::json_response(200, json.take()));
}

Result<Reply> cancel_task(App& app, const Request& request) {
  const TaskId id = TRY(task_param(request));
  fleet::TaskView view = TRY(fleet::show_task(app.store, id, request.now));
  return Reply(http::Write([&app, actor = actor_of(request), id, hostname = view.hostname,
                            now = request.now](store::Tx& tx) -> Result<Response> {
    const model::Task task = TRY(fleet::cancel_task(tx, app.tasks, actor, id, now));
    JsonWriter json;
    json.begin_object();
    write_task(json, task, hostname);
    json.end_object();
    return http::json_response(200, json.take());
  }));
}

namespace {

Result<Reply> decide(App& app, const Request& request, bool approve) {
  const TaskId id = TRY(task_param(request));
  const Json body = TRY(decode_optional_body(request));
  Fields fields(body);
  fleet::Decision decision{approve, OperatorId{request.caller.key}, {}};
  decision.reason = fields.optional_text("reason", limits::detail_bytes).value_or("");
  TRY(fields.finish());
  return Reply(http::Write([&app, actor = actor_of(request), id, decision = std::move(decision),
                            now = request.now](store::Tx& tx) -> Result<Response> {
    const auto decided = TRY(fleet::decide_tasks(tx, app.tasks, actor, id, decision, now));
    JsonWriter json;
    json.begin_object()
        .member("batch_id", decided.front().batch)
        .member("decision", decision.approve ? "approved" : "rejected")
        .key("task_ids")
        .begin_array();
    for (const model::Task& task : decided) json.value(task.id);
    json.end_array().end_object();
    return http::json_response(200, json.take());
  }));
}

}  // namespace

Result<Reply> approve_tasks(App& app, const Request& request) {
  return decide(app, request, true);
}

Result<Reply> reject_tasks(App& app, const Request& request) {
  return decide(app, request, false);
}

}  // namespace muster::endpoints
