// SPDX-License-Identifier: Apache-2.0
// Tasks.
#include "base/text.h"
#include "crypto/random.h"
#include "main/ctl/grammar.h"
#include "main/ctl/output.h"
#include "main/ctl/signed_tasks.h"
#include "model/task.h"

namespace muster::ctl {

namespace {

const Columns listed = {
    {"id", "ID", &formats::id},
    {"hostname", "HOSTNAME"},
    {"status", "STATUS", &formats::state},
    {"label", "WHAT"},
    {"type", "TYPE"},
    {"attempt", "ATTEMPT", &formats::number},
    {"created_at", "CREATED", &formats::time},
    {"completed_at", "COMPLETED", &formats::time},
};

const Columns shown = {
    {"id", "id"},
    {"org_id", "org"},
    {"agent_id", "agent"},
    {"hostname", "hostname"},
    {"batch_id", "batch"},
    {"type", "type"},
    {"status", "status", &formats::state},
    {"error", "error"},
    {"order.public_key", "signed by", &formats::id},
    {"order.expires_at", "signed until", &formats::time},
    {"priority", "priority"},
    {"command", "command"},
    {"execution_timeout", "timeout", &formats::age},
    {"redeliver", "redeliver", &formats::yes_no},
    {"attempt", "attempt"},
    {"retry_count", "retry"},
    {"max_retries", "retries at most"},
    {"original_task_id", "retry of"},
    {"created_at", "created", &formats::time},
    {"deliver_by", "deliver by", &formats::time},
    {"valid_until", "valid until", &formats::time},
    {"approval.approve_by", "approve by", &formats::time},
    {"approval.created_by", "asked for by", &formats::person},
    {"approval.decision", "decision"},
    {"approval.decided_by", "decided by", &formats::person},
    {"approval.decided_at", "decided", &formats::time},
    {"approval.reason", "reason"},
    {"env_names", "environment", &formats::words},
    {"assigned_at", "assigned", &formats::time},
    {"started_at", "started", &formats::time},
    {"completed_at", "completed", &formats::time},
    {"result.exit_code", "exit code"},
    {"result.outcome", "outcome", &formats::state},
    {"result.flags", "flags", &formats::words},
    {"result.execution_duration_ms", "duration (ms)"},
    {"result.error", "result error"},
    {"result.received_at", "received", &formats::time},
};

const Columns batches = {
    {"id", "ID", &formats::id},
    {"type", "TYPE"},
    {"label", "WHAT"},
    {"tasks", "TASKS", &formats::number},
    {"by_status.pending_approval", "UNAPPROVED", &formats::number},
    {"by_status.pending", "PENDING", &formats::number},
    {"by_status.assigned", "ASSIGNED", &formats::number},
    {"by_status.executing", "EXECUTING", &formats::number},
    {"by_status.completed", "COMPLETED", &formats::number},
    {"by_status.failed", "FAILED", &formats::number},
    {"created_at", "CREATED", &formats::time},
    {"created_by", "BY", &formats::person},
};

const Columns noted = {
    {"version", "version"},
    {"at", "at", &formats::time},
    {"author", "author", &formats::person},
    {"text", "note"},
};

void print_notes(const Shell& shell, const Json& task) {
  const auto notes = task.find("notes");
  if (!notes || !notes->is_array()) return;
  notes->for_each([&](const Json& note) {
    const std::string_view name = text_at(note, "author_name");
    const std::string author(name.empty() ? text_at(note, "author") : name);
    shell.print("\nnote of " + std::string(text_at(note, "at")) + ", " +
                escape_for_terminal(author) + ":\n" + escaped_lines(text_at(note, "text")));
  });
}

void print_task(const Shell& shell, const Json& task) {
  shell.print_facts(facts_of(shown, task));
  const auto order = task.find("order");
  if (order && order->is_null()) {
    shell.remark("this task is unsigned: the server alone vouches for it");
  }
  if (const auto result = task.find("result")) print_output(shell, *result);
  print_notes(shell, task);
}

const Columns targets = {
    {"asset_id", "HOST", &formats::id},
    {"hostname", "HOSTNAME"},
    {"agent_id", "AGENT", &formats::id},
};

void print_targets(const Shell& shell, const Json& answer) {
  ListPrinter printer(shell, targets, {"agent would be given it", "agents would be given it"});
  answer.find("agents")->for_each([&](const Json& agent) { printer.add(agent); });
  printer.finish(false);
  const auto without = answer.find("without_agent")->integer().value_or(0);
  if (without > 0) {
    shell.remark("hosts that match and have no agent: " + std::to_string(without));
  }
}

/// One id a line, for a script as for a person.
void print_created(const Shell& shell, const Json& answer) {
  if (answer.find("agents")) return print_targets(shell, answer);
  const auto ids = answer.find("task_ids");
  if (!ids || !ids->is_array()) return;
  ids->for_each([&](const Json& id) { shell.print(escaped_lines(id.string().value_or(""))); });
  const auto waiting = answer.find("pending_approval");
  if (waiting && waiting->integer()) {
    shell.remark("of these wait for a second person (muster tasks approve): " +
                 std::to_string(*waiting->integer()));
  }
}

Flag reason_flag() {
  return {.name = "--reason", .member = "reason", .what = "Why, for those who read it later"};
}

std::vector<std::string> task_types() {
  return {
#define TASK_TYPE(name, ...) #name,
#include "model/task_types.def"
#undef TASK_TYPE
  };
}

std::vector<std::string> task_statuses() {
  std::vector<std::string> names;
  for (int i = 0; i <= static_cast<int>(model::TaskStatus::cancelled); ++i) {
    names.emplace_back(model::task_status_name(static_cast<model::TaskStatus>(i)));
  }
  return names;
}

std::vector<Flag> list_flags() {
  return {
      {.name = "--agent", .member = "agent", .what = "Only of that agent", .shown = "ID"},
      {.name = "--batch", .member = "batch", .what = "Only of that batch", .shown = "ID"},
      {.name = "--status",
       .member = "status",
       .what = "Only in that status",
       .choices = task_statuses(),
       .shown = "STATUS"},
      {.name = "--type",
       .member = "type",
       .what = "Only of that type",
       .choices = task_types(),
       .shown = "TYPE"},
      {"--text", "text", "Only with that text in the command or the name of the test"},
      org_flag("Only of that organisation"),
  };
}

std::vector<Flag> create_flags() {
  std::vector<Flag> flags = {
      {.name = "--type",
       .member = "type",
       .what = "What kind of work",
       .required = true,
       .choices = task_types(),
       .shown = "TYPE"},
      {.name = "--agent",
       .member = "agent_ids",
       .what = "Ids of the agents, a task for each",
       .kind = Flag::Kind::texts,
       .shown = "ID..."},
      {"--query", "query", "Instead: all hosts that match this query (docs/reference/query.md)"},
      {"--dry-run", "dry_run", "Only show which agents would get a task", Flag::Kind::on},
      {"--command", "command", "The shell command of execute_command; cleanup for uninstall"},
      {"--test-uuid", "test_uuid", "The test of execute_test, whose program was uploaded"},
      {"--test-name", "test_name", "Name of the test; by default the name of the program"},
      {"--binary-name", "binary_name", "Which program of the test; by default the latest"},
      {.name = "--argument",
       .member = "arguments",
       .what = "Arguments of the test's program",
       .kind = Flag::Kind::texts,
       .shown = "TEXT..."},
      {.name = "--env",
       .member = "env_vars",
       .what = "Environment variables; NAME alone takes the value from muster's own environment",
       .kind = Flag::Kind::pairs,
       .shown = "NAME[=VALUE]..."},
      {"--timeout", "execution_timeout", "How long it may run", Flag::Kind::seconds},
      {"--priority", "priority", "0 to 10, higher is given out first", Flag::Kind::integer},
      {"--ttl", "ttl_seconds", "How long it may wait to be given out", Flag::Kind::seconds},
      {"--max-retries", "max_retries",
       "How often a test is tried again when its agent does not finish it", Flag::Kind::integer},
      org_flag("Organisation of the agents; with --query, of the hosts (default)"),
      {"--redeliver", "redeliver", "May be given out again when the agent seems to have lost it",
       Flag::Kind::on},
  };
  for (Flag& flag : signing_flags()) flags.push_back(std::move(flag));
  return flags;
}

Result<void> create_tasks(const Shell& shell, Session& session, const FlagValues& values) {
  std::string body;
  if (values.has("agent_ids") == values.has("query")) {
    return invalid_field("--agent", "give either agents or --query");
  }
  // Nothing is created of a dry run, so nothing is signed.
  if (values.has("sign_key") && !values.has("dry_run")) {
    crypto::SystemRng rng;
    body = TRY(signed_request(session, values, rng, SystemClock().now()));
  } else {
    for (const char* flag : {"program", "expires"}) {
      if (values.has(flag) && !values.has("sign_key")) {
        return invalid_field(std::string("--") + flag, "is for --sign-key");
      }
    }
    JsonWriter json;
    json.begin_object();
    values.write_members(json, "{sign_key}{program}{expires}");
    body = json.end_object().take();
  }
  return call_and_print(shell, session, http::Method::post, "/api/v1/tasks", body, print_created);
}

}  // namespace

void add_tasks(Grammar& grammar) {
  const std::string id = "0190f1c2-0000-7000-8000-000000000001";
  grammar.noun("tasks", "Work for agents")
      .remote(
          {"create", "Create a task for each of some agents",
           "muster tasks create --type execute_command --agent " + id + " --command 'uname -a'"},
          create_flags(), create_tasks)
      .list({"list", "List tasks, newest first", "muster tasks list --limit 10"}, "/api/v1/tasks",
            list_flags(), listed, {"task", "tasks"})
      .list({"batches", "List batches, the tasks that were created together, with counts by status",
             "muster tasks batches"},
            "/api/v1/batches", {org_flag("Only of that organisation")}, batches,
            {"batch", "batches"})
      .call({"cancel-batch", "Cancel the tasks of a batch that have not finished",
             "muster tasks cancel-batch " + id},
            http::Method::post, "/api/v1/batches/{id}/cancel", {id_flag("Id of the batch")},
            print_created)
      .call({"approve", "Approve a task that somebody else asked for, and all created with it",
             "muster tasks approve " + id},
            http::Method::post, "/api/v1/tasks/{id}/approve",
            {id_flag("Id of one of the tasks"), reason_flag()}, print_created)
      .call({"reject", "Reject a task that somebody else asked for, and all created with it",
             "muster tasks reject " + id + " --reason 'not on a Friday'"},
            http::Method::post, "/api/v1/tasks/{id}/reject",
            {id_flag("Id of one of the tasks"), reason_flag()}, print_created)
      .call({"note", "Note something about a task; former versions are kept",
             "muster tasks note " + id + " 'asked the owner'"},
            http::Method::put, "/api/v1/tasks/{id}/note",
            {id_flag("Id of the task"),
             {.name = "TEXT", .member = "text", .what = "The note", .required = true}},
            facts_view(noted))
      .call({"show", "Show one task and its result", "muster tasks show " + id}, http::Method::get,
            "/api/v1/tasks/{id}", {id_flag("Id of the task")}, print_task)
      .call({"cancel", "Cancel a task", "muster tasks cancel " + id}, http::Method::post,
            "/api/v1/tasks/{id}/cancel", {id_flag("Id of the task")}, row_view(listed));
}

}  // namespace muster::ctl
