// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/grammar.h"

namespace muster::ctl {

namespace {

const Columns listed = {
    {"id", "ID", &formats::id},
    {"hostname", "HOSTNAME"},
    {"presence", "PRESENCE", &formats::state},
    {"findings", "FINDINGS", &formats::number},
    {"coverage.state", "STATE", &formats::state},
    {"coverage.share", "ASSESSED", &formats::share},
    {"packages", "PACKAGES", &formats::number},
    {"last_report_at", "LAST REPORT", &formats::time},
    {"os", "OS"},
    {"distro", "DISTRO"},
    {"tags", "TAGS", &formats::words},
};

const Columns shown = {
    {"id", "id"},
    {"org_id", "org"},
    {"hostname", "hostname"},
    {"os", "OS"},
    {"os_version", "OS version"},
    {"os_kernel", "kernel"},
    {"arch", "arch"},
    {"distro", "distro"},
    {"ip_address", "IP address"},
    {"tags", "tags", &formats::words},
    {"agent_id", "agent"},
    {"presence", "presence", &formats::state},
    {"first_seen", "first seen", &formats::time},
    {"last_seen", "last seen", &formats::time},
    {"last_report_at", "last report", &formats::time},
    {"packages", "packages"},
    {"held_removals", "removals held for review"},
    {"findings", "open findings"},
    {"findings_accepted", "accepted findings"},
    {"os_support.state", "OS support", &formats::state},
    {"os_support.until", "until"},
    {"coverage.state", "state", &formats::state},
    {"coverage.vulnerable", "vulnerable packages"},
    {"coverage.not_assessed", "not assessed"},
    {"coverage.share", "assessed", &formats::share},
    {"coverage.reasons", "reasons", &formats::members},
};

const Columns software = {
    {"name", "NAME"},
    {"version", "VERSION"},
    {"vendor", "VENDOR"},
    {"ecosystem", "ECOSYSTEM"},
    {"origin", "ORIGIN"},
    {"assessment.state", "ASSESSMENT", &formats::state},
    {"assessment.reason", "REASON"},
    {"cpe", "CPE"},
};

const Columns sources = {
    {"key_name", "SITE KEY"},
    {"hostname", "HOSTNAME"},
    {"packages", "PACKAGES", &formats::number},
    {"matched", "MATCHED", &formats::number},
    {"vulnerabilities", "VULNERABILITIES", &formats::number},
    {"reported_at", "REPORTED", &formats::time},
};

const Columns lockfiles = {
    {"path", "LOCK FILE"},
    {"packages", "PACKAGES", &formats::number},
    {"direct", "DIRECT", &formats::number},
    {"vulnerable", "VULNERABLE", &formats::number},
    {"vulnerabilities", "VULNERABILITIES", &formats::number},
    {"reported_at", "SCANNED", &formats::time},
};

const Columns listening = {
    {"protocol", "LISTENS"},
    {"address", "ADDRESS"},
    {"port", "PORT", &formats::number},
    {"process", "PROCESS"},
};

const Columns services = {
    {"name", "SERVICE"},
    {"state", "STATE", &formats::state},
};

const Columns held = {
    {"asset_id", "HOST", &formats::id},
    {"hostname", "HOSTNAME"},
    {"packages", "PACKAGES", &formats::number},
    {"removals", "WOULD GO", &formats::number},
    {"reports", "REPORTS", &formats::number},
    {"held_at", "HELD SINCE", &formats::time},
    {"reported_at", "LAST REPORT", &formats::time},
};

const Columns deleted = {
    {"id", "host", &formats::id},
    {"status", "status", &formats::state},
};

const Columns reviewed = {
    {"asset_id", "host", &formats::id},
    {"status", "status", &formats::state},
    {"packages", "packages"},
    {"findings_resolved", "findings resolved"},
};

/// A list of the host's, if there is anything in it.
void print_list(const Shell& shell, const Json& host, std::string_view member,
                const Columns& columns, Counted counted) {
  const auto rows = host.find(member);
  if (!rows || !rows->is_array() || rows->size() == 0) return;
  shell.print("\n");
  ListPrinter printer(shell, columns, counted);
  rows->for_each([&](const Json& row) { printer.add(row); });
  printer.finish(false);
}

void print_host(const Shell& shell, const Json& host) {
  shell.print_facts(facts_of(shown, host));
  const auto packages = host.find("software");
  if (!packages || !packages->is_array()) return;
  shell.print("\n");
  ListPrinter printer(shell, software, {"package", "packages"});
  packages->for_each([&](const Json& package) { printer.add(package); });
  printer.finish(false);
  // What sites report of a host beside its agent, and projects on it.
  print_list(shell, host, "sources", sources, {"second source", "second sources"});
  print_list(shell, host, "lockfiles", lockfiles, {"lock file", "lock files"});
  const auto runtime = host.find("runtime");
  if (!runtime || !runtime->is_object()) return;
  print_list(shell, *runtime, "listening", listening, {"listening port", "listening ports"});
  print_list(shell, *runtime, "services", services, {"service", "services"});
}

}  // namespace

void add_hosts(Grammar& grammar) {
  grammar.noun("hosts", "Hosts and their software")
      .list({"list", "List hosts",
             "muster hosts list --query 'os:linux package:openssl<3.0.11 -tag:canary'"},
            "/api/v1/hosts",
            {org_flag("Only of that organisation"),
             {"--query", "query", "Only hosts that match this query (docs/reference/query.md)"},
             {"--view", "view", "Only hosts in this saved view"},
             {"--hostname", "hostname", "Only hosts with this in their name"},
             {"--tag", "tag", "Only hosts with that tag"}},
            listed, {"host", "hosts"})
      .call({"show", "Show one host and its software", "muster hosts show web-1"},
            http::Method::get, "/api/v1/hosts/{id}", {id_flag("Id or hostname")}, print_host)
      .call({"delete",
             "Delete a host that no longer exists; its events and results stay. Live agents are "
             "decommissioned first",
             "muster hosts delete web-1"},
            http::Method::del, "/api/v1/hosts/{id}", {id_flag("Id or hostname")},
            facts_view(deleted))
      .list({"held", "List reports that would remove most of a host's software, held for review",
             "muster hosts held"},
            "/api/v1/held-reports", {org_flag("Only of that organisation")}, held,
            {"held report", "held reports"})
      .call({"release", "Remove what a host's held report no longer names",
             "muster hosts release web-1"},
            http::Method::post, "/api/v1/hosts/{id}/release", {id_flag("Id or hostname")},
            facts_view(reviewed))
      .call({"discard", "Drop a host's held report and ask the host for a full one",
             "muster hosts discard web-1"},
            http::Method::post, "/api/v1/hosts/{id}/discard", {id_flag("Id or hostname")},
            facts_view(reviewed));
}

}  // namespace muster::ctl
