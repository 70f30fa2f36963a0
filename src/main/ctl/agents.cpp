// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/grammar.h"

namespace muster::ctl {

namespace {

const Columns listed = {
    {"id", "ID", &formats::id},
    {"hostname", "HOSTNAME"},
    {"os", "OS"},
    {"arch", "ARCH"},
    {"agent_version", "VERSION"},
    {"status", "STATUS", &formats::state},
    {"presence", "PRESENCE", &formats::state},
    {"flapping", "FLAPPING", &formats::yes_no},
    {"last_seen", "LAST SEEN", &formats::time},
    {"operator_tags", "OPERATOR TAGS", &formats::words},
    {"tags", "TAGS", &formats::words},
};

const Columns tagged = {
    {"agent_id", "agent"},
    {"operator_tags", "operator tags", &formats::words},
};

const Columns shown = {
    {"id", "id"},
    {"hostname", "hostname"},
    {"asset_id", "host id"},
    {"org_id", "org"},
    {"os", "OS"},
    {"arch", "arch"},
    {"agent_version", "version"},
    {"status", "status", &formats::state},
    {"presence", "presence", &formats::state},
    {"flapping", "flapping", &formats::yes_no},
    {"last_seen", "last seen", &formats::time},
    {"enrolled_at", "enrolled", &formats::time},
    {"operator_tags", "operator tags", &formats::words},
    {"tags", "tags it reports", &formats::words},
    {"key.generation", "key generation"},
    {"key.since", "key in use since", &formats::time},
    {"key.rotation_pending", "rotation pending"},
    {"heartbeat.status", "does"},
    {"heartbeat.current_task", "current task"},
    {"heartbeat.last_task_completed", "last task"},
    {"heartbeat.system.uptime_seconds", "uptime", &formats::age},
    {"heartbeat.system.cpu_percent", "CPU", &formats::percent},
    {"heartbeat.system.memory_mb", "memory in use (MiB)"},
    {"heartbeat.system.total_memory_mb", "memory (MiB)"},
    {"heartbeat.system.disk_free_mb", "disk free (MiB)"},
    {"heartbeat.system.process_cpu_percent", "agent CPU", &formats::percent},
    {"heartbeat.system.process_memory_mb", "agent memory (MiB)"},
};

const Columns offered = {
    {"agent_id", "agent"},
    {"key_generation", "generation"},
    {"key", "key (only if it must be carried by hand)"},
};

}  // namespace

void add_agents(Grammar& grammar) {
  const std::string one = "/api/v1/agents/{id}";
  grammar.noun("agents", "Enrolled agents")
      .list({"list", "List agents", "muster agents list --org default"}, "/api/v1/agents",
            {org_flag("Only of that organisation"),
             {.name = "--status",
              .member = "status",
              .what = "Only agents that are so",
              .choices = {"active", "disabled", "superseded", "decommissioned", "uninstalled"}},
             {.name = "--presence",
              .member = "presence",
              .what = "Only agents that are so",
              .choices = {"online", "offline", "unknown"}},
             {.name = "--flapping",
              .member = "flapping",
              .what = "Only agents that go and come too often",
              .kind = Flag::Kind::on},
             {.name = "--os", .member = "os", .what = "Only of windows, linux or darwin"},
             {.name = "--hostname", .member = "hostname", .what = "Only with that in the hostname"},
             {.name = "--tag", .member = "tag", .what = "Only with that tag"},
             {.name = "--silent",
              .member = "silent_seconds",
              .what = "Only agents that were not heard of for as long",
              .kind = Flag::Kind::seconds}},
            listed, {"agent", "agents"})
      .call({"show", "Show one agent and its last heartbeat",
             "muster agents show 0190f1c2-0000-7000-8000-000000000001"},
            http::Method::get, one, {id_flag("Id of the agent")}, facts_view(shown))
      .call({"disable", "Refuse the calls of an agent until it is enabled",
             "muster agents disable 0190f1c2-0000-7000-8000-000000000001"},
            http::Method::post, one + "/disable", {id_flag("Id of the agent")}, row_view(listed))
      .call({"enable", "Accept the calls of an agent again",
             "muster agents enable 0190f1c2-0000-7000-8000-000000000001"},
            http::Method::post, one + "/enable", {id_flag("Id of the agent")}, row_view(listed))
      .call({"decommission", "End an agent for good; its host and history stay",
             "muster agents decommission 0190f1c2-0000-7000-8000-000000000001"},
            http::Method::post, one + "/decommission", {id_flag("Id of the agent")},
            row_view(listed))
      .call({"tag", "Put tags on an agent's host, or take them off",
             "muster agents tag 0190f1c2-0000-7000-8000-000000000001 --add lab --remove ring:1"},
            http::Method::post, one + "/tags",
            {id_flag("Id of the agent"),
             {.name = "--add",
              .member = "add",
              .what = "A tag to put on; may be repeated",
              .kind = Flag::Kind::texts,
              .shown = "TAG"},
             {.name = "--remove",
              .member = "remove",
              .what = "A tag to take off; may be repeated",
              .kind = Flag::Kind::texts,
              .shown = "TAG"}},
            facts_view(tagged))
      .call({"rotate-key",
             "Offer an agent a new key; the old one lives until the new one is first used",
             "muster agents rotate-key 0190f1c2-0000-7000-8000-000000000001"},
            http::Method::post, one + "/rotate-key", {id_flag("Id of the agent")},
            facts_view(offered))
      .call(
          {"reissue",
           "Offer a new key to an agent that lost its own: the one before is accepted again until "
           "the new one is used",
           "muster agents reissue 0190f1c2-0000-7000-8000-000000000001"},
          http::Method::post, one + "/reissue", {id_flag("Id of the agent")}, facts_view(offered));
}

}  // namespace muster::ctl
