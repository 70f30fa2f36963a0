// SPDX-License-Identifier: Apache-2.0
// What came of tasks.
#include "main/ctl/grammar.h"
#include "main/ctl/output.h"

namespace muster::ctl {

namespace {

const Columns history = {
    {"id", "ID", &formats::id},
    {"hostname", "HOSTNAME"},
    {"outcome", "OUTCOME", &formats::state},
    {"exit_code", "EXIT", &formats::number},
    {"label", "WHAT"},
    {"flags", "FLAGS", &formats::words},
    {"execution_duration_ms", "MS", &formats::number},
    {"received_at", "RECEIVED", &formats::time},
};

const Columns controls = {
    {"position", "#", &formats::number},
    {"control_id", "CONTROL", &formats::id},
    {"control_name", "NAME"},
    {"outcome", "OUTCOME", &formats::state},
    {"exit_code", "EXIT", &formats::number},
    {"compliant", "COMPLIANT", &formats::yes_no},
    {"skipped", "SKIPPED", &formats::yes_no},
    {"severity", "SEVERITY", &formats::severity},
    {"flag", "FLAG"},
    {"error_message", "ERROR"},
};

const Columns shown = {
    {"id", "task"},
    {"org_id", "org"},
    {"asset_id", "host id"},
    {"hostname", "hostname"},
    {"test_uuid", "test"},
    {"outcome", "outcome", &formats::state},
    {"exit_code", "exit code"},
    {"flags", "flags", &formats::words},
    {"error", "error"},
    {"os", "OS"},
    {"arch", "arch"},
    {"binary_sha256", "SHA-256 of the program"},
    {"started_at", "started", &formats::time},
    {"completed_at", "completed", &formats::time},
    {"execution_duration_ms", "duration (ms)"},
    {"received_at", "received", &formats::time},
    {"bundle.bundle_name", "bundle"},
    {"bundle.total_controls", "controls it says it has"},
    {"bundle.passed_controls", "of them passed"},
    {"bundle.failed_controls", "of them failed"},
};

const Columns summarised = {
    {"test_uuid", "test"},  {"hosts", "hosts"},         {"unprotected", "unprotected"},
    {"error", "error"},     {"protected", "protected"}, {"inconclusive", "inconclusive"},
    {"not_run", "not run"},
};

constexpr Counted counted{"result", "results"};

void print_result(const Shell& shell, const Json& result) {
  shell.print_facts(facts_of(shown, result));
  if (const auto rows = result.find("controls"); rows && rows->is_array() && rows->size() > 0) {
    Table table = table_of(controls);
    rows->for_each([&](const Json& row) { table.add(cells_of(controls, row)); });
    shell.print("\n" + table.render(shell.look()));
  }
  print_output(shell, result);
}

/// A task's rows, or the history.
Result<void> list(const Shell& shell, Session& session, const FlagValues& values) {
  if (!values.has("task")) {
    return print_list(shell, session, "/api/v1/results", values, history, counted);
  }
  for (const std::string_view other : {"host", "test_uuid", "outcome", "since", "org"}) {
    if (values.has(other)) return Error{Errc::invalid_field, "--task stands alone"};
  }
  return print_list(shell, session, "/api/v1/tasks/{task}/results", values, controls, counted);
}

std::vector<Flag> list_flags() {
  return {
      {.name = "--task",
       .member = "task",
       .what = "The rows of that task's result, one for each control",
       .shown = "ID"},
      {.name = "--host",
       .member = "host",
       .what = "Only of that host, by id or hostname",
       .shown = "HOST"},
      {.name = "--test-uuid", .member = "test_uuid", .what = "Only of that test", .shown = "UUID"},
      {.name = "--outcome",
       .member = "outcome",
       .what = "Only of tests with this outcome",
       .choices = {"protected", "unprotected", "error", "inconclusive", "not_run"}},
      since_flag("Only received from that time on"),
      org_flag("Only of that organisation"),
      limit_flag(),
  };
}

}  // namespace

void print_output(const Shell& shell, const Json& result) {
  for (const std::string name : {"stdout", "stderr"}) {
    const std::string_view text = text_at(result, name);
    if (text.empty()) continue;
    const auto cut = find_path(result, name + "_truncated");
    const bool more = cut && cut->boolean().value_or(false);
    shell.print("\n" + name + (more ? ", cut" : "") + ":\n" + escaped_lines(text));
  }
}

void add_results(Grammar& grammar) {
  const std::string id = "0190f1c2-0000-7000-8000-000000000001";
  grammar.noun("results", "Results of tasks")
      .remote({"list", "List results, latest first, or the rows of one task's",
               "muster results list --host web-1 --test-uuid " + id},
              list_flags(), list)
      .call({"show", "Show one result: its outcome, controls and what the program wrote",
             "muster results show " + id},
            http::Method::get, "/api/v1/results/{id}", {id_flag("Id of the task")}, print_result)
      .call({"summary", "Count hosts by the outcome of their latest run of a test",
             "muster results summary --test-uuid " + id},
            http::Method::get, "/api/v1/tests/{test_uuid}/summary",
            {{.name = "--test-uuid",
              .member = "test_uuid",
              .what = "The test",
              .required = true,
              .shown = "UUID"},
             org_flag("Only of that organisation")},
            facts_view(summarised));
}

}  // namespace muster::ctl
