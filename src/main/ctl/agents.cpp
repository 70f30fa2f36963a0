// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "main/ctl/grammar.h"
#include "main/ctl/sparkline.h"

namespace muster::ctl {

namespace {

const Columns listed = {
    {"id", "ID", &formats::id},
    {"hostname", "HOSTNAME"},
    {"presence", "PRESENCE", &formats::state},
    {"status", "STATUS", &formats::state},
    {"last_seen", "LAST SEEN", &formats::time},
    {"agent_version", "VERSION"},
    {"update_state", "UPDATE", &formats::state},
    {"last_refusal.reason", "REFUSED", &formats::state},
    {"key.state", "KEY", &formats::state},
    {"operator_tags", "OPERATOR TAGS", &formats::words},
    {"os", "OS"},
    {"arch", "ARCH"},
    {"flapping", "FLAPPING", &formats::yes_no},
    {"key.age_seconds", "KEY AGE", &formats::age},
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
    {"update_state", "update", &formats::state},
    {"offered_version", "version offered"},
    {"status", "status", &formats::state},
    {"presence", "presence", &formats::state},
    {"flapping", "flapping", &formats::yes_no},
    {"last_seen", "last seen", &formats::time},
    {"enrolled_at", "enrolled", &formats::time},
    {"operator_tags", "operator tags", &formats::words},
    {"tags", "tags it reports", &formats::words},
    {"key.generation", "key generation"},
    {"key.state", "key", &formats::state},
    {"key.since", "key in use since", &formats::time},
    {"key.age_seconds", "key age", &formats::age},
    {"key.offered_at", "new key offered since", &formats::time},
    {"clone.detected_at", "key used by two machines", &formats::time},
    {"clone.older.hostname", "the one that booted first"},
    {"clone.older.address", "its address"},
    {"clone.newer.hostname", "the other"},
    {"clone.newer.address", "its address"},
    {"clone.split_agent_id", "becomes the agent"},
    {"split_from", "was split from the agent"},
    {"last_refusal.reason", "last refused for", &formats::state},
    {"last_refusal.at", "refused", &formats::time},
    {"last_refusal.skew_seconds", "its clock was ahead by (s)"},
    {"last_refusal.address", "refused call from"},
    {"config.state", "configuration", &formats::state},
    {"config.error", "it was refused for"},
    {"config.hash", "configuration in force", &formats::id},
    {"config.wanted_hash", "configuration set", &formats::id},
    {"config.reported_at", "configuration told", &formats::time},
    {"failed_update.version", "update that failed"},
    {"failed_update.error", "it failed for"},
    {"health.score", "health (of 100)"},
    {"health.uptime_percent", "uptime (7 days)", &formats::percent},
    {"health.task_success_percent", "task success (7 days)", &formats::percent},
    {"health.outages", "outages (7 days)"},
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

const Columns sampled = {
    {"at", "AT", &formats::time},
    {"status", "DOES"},
    {"uptime_seconds", "UPTIME", &formats::age},
    {"cpu_percent", "CPU", &formats::percent},
    {"memory_mb", "MEMORY (MiB)", &formats::number},
    {"disk_free_mb", "DISK FREE (MiB)", &formats::number},
    {"process_cpu_percent", "AGENT CPU", &formats::percent},
    {"process_memory_mb", "AGENT MEMORY (MiB)", &formats::number},
};

/// One line for each of what is drawn, from the oldest to the newest.
void print_curves(const Shell& shell, const Json& points) {
  constexpr std::size_t label_width = 12;
  constexpr std::size_t narrowest = 8;
  const std::size_t width = std::max(*shell.look().width, label_width + narrowest) - label_width;
  for (const auto& [member, label] :
       {std::pair("cpu_percent", "CPU"), std::pair("memory_mb", "memory"),
        std::pair("disk_free_mb", "disk free")}) {
    std::vector<std::optional<double>> values;
    points.for_each([&, name = member](const Json& point) {
      const auto value = point.find(name);
      values.push_back(value ? value->number() : std::nullopt);
    });
    shell.print(fmt::format("{:<{}}{}\n", label, label_width, sparkline(values, width)));
  }
  shell.print("\n");
}

void print_history(const Shell& shell, const Json& answer) {
  const auto points = answer.find("points");
  if (!points || !points->is_array()) return;
  ListPrinter printer(shell, sampled, {"sample", "samples"});
  std::size_t count = 0;
  points->for_each([&](const Json& point) {
    ++count;
    printer.add(point);
  });
  if (count > 1 && shell.look().width) print_curves(shell, *points);
  printer.finish(false);
}

const Columns offered = {
    {"agent_id", "agent"},
    {"key_generation", "generation"},
    {"key", "key (only if it must be carried by hand)"},
};

const Columns split = {
    {"agent_id", "agent"},
    {"split_agent_id", "new agent"},
    {"asset_id", "its host id"},
    {"key", "its key (only if it must be carried by hand)"},
};

const std::string one = "/api/v1/agents/{id}";

void add_views(Noun agents) {
  agents
      .list({"list", "List agents", "muster agents list --org default"}, "/api/v1/agents",
            {org_flag("Only of that organisation"),
             {.name = "--status",
              .member = "status",
              .what = "Only agents with this status",
              .choices = {"active", "disabled", "superseded", "decommissioned", "uninstalled"}},
             {.name = "--presence",
              .member = "presence",
              .what = "Only agents with this presence",
              .choices = {"online", "offline", "unknown"}},
             {.name = "--flapping",
              .member = "flapping",
              .what = "Only agents that go offline and come back too often",
              .kind = Flag::Kind::on},
             {.name = "--os",
              .member = "os",
              .what = "Only of that system",
              .choices = {"linux", "windows", "darwin"},
              .shown = "OS"},
             {.name = "--hostname", .member = "hostname", .what = "Only with this in the hostname"},
             {.name = "--tag", .member = "tag", .what = "Only with that tag"},
             {.name = "--silent",
              .member = "silent_seconds",
              .what = "Only agents not heard from for at least this long",
              .kind = Flag::Kind::seconds}},
            listed, {"agent", "agents"})
      .call({"show", "Show one agent and its last heartbeat",
             "muster agents show 0190f1c2-0000-7000-8000-000000000001"},
            http::Method::get, one, {id_flag("Id of the agent")}, facts_view(shown))
      .call({"history", "Show an agent's machine over time: CPU, memory, disk",
             "muster agents history 0190f1c2-0000-7000-8000-000000000001 --days 1"},
            http::Method::get, one + "/history",
            {id_flag("Id of the agent"),
             {.name = "--days",
              .member = "days",
              .what = "How many days back (7 by default)",
              .kind = Flag::Kind::integer}},
            print_history);
}

void add_changes(Noun agents) {
  agents
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
      .call({"tag", "Add tags to an agent's host, or remove them",
             "muster agents tag 0190f1c2-0000-7000-8000-000000000001 --add lab --remove ring:1"},
            http::Method::post, one + "/tags",
            {id_flag("Id of the agent"),
             {.name = "--add",
              .member = "add",
              .what = "A tag to add; may be repeated",
              .kind = Flag::Kind::texts,
              .shown = "TAG"},
             {.name = "--remove",
              .member = "remove",
              .what = "A tag to remove; may be repeated",
              .kind = Flag::Kind::texts,
              .shown = "TAG"}},
            facts_view(tagged))
      .call({"rotate-key",
             "Offer an agent a new key; the old one lives until the new one is first used",
             "muster agents rotate-key 0190f1c2-0000-7000-8000-000000000001"},
            http::Method::post, one + "/rotate-key", {id_flag("Id of the agent")},
            facts_view(offered))
      .call({"split",
             "Make two agents of one whose key two machines use: the machine that booted later is "
             "offered a key of its own",
             "muster agents split 0190f1c2-0000-7000-8000-000000000001"},
            http::Method::post, one + "/split", {id_flag("Id of the agent")}, facts_view(split))
      .call(
          {"reissue",
           "Offer a new key to an agent that lost its own: the one before is accepted again until "
           "the new one is used",
           "muster agents reissue 0190f1c2-0000-7000-8000-000000000001"},
          http::Method::post, one + "/reissue", {id_flag("Id of the agent")}, facts_view(offered));
}

}  // namespace

void add_agents(Grammar& grammar) {
  const Noun agents = grammar.noun("agents", "Enrolled agents");
  add_views(agents);
  add_changes(agents);
}

}  // namespace muster::ctl
