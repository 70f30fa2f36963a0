// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/grammar.h"
#include "model/event_type.h"

namespace muster::ctl {

namespace {

const Columns events = {
    {"at", "AT", &formats::time},
    {"type", "TYPE"},
    {"hostname", "HOST"},
    {"details", "DETAILS", &formats::members},
    // Where one of these has no room, the details have it.
    {"agent_id", "AGENT", &formats::id},
    {"asset_id", "HOST ID", &formats::id},
};

}  // namespace

std::vector<std::string> event_types() {
  return {model::event_type_names.begin(), model::event_type_names.end()};
}

void add_events(Grammar& grammar) {
  grammar.noun("events", "What happened")
      .list({"list", "List events, newest first", "muster events list --host web-1"},
            "/api/v1/events",
            {{.name = "--host",
              .member = "host",
              .what = "Only of that host, by id or hostname",
              .shown = "HOST"},
             {.name = "--agent",
              .member = "agent",
              .what = "Only of that agent, by id",
              .shown = "AGENT"},
             {.name = "--type",
              .member = "type",
              .what = "Only of that type (docs/reference/events.md)",
              .choices = event_types(),
              .shown = "TYPE"},
             since_flag("Only from that time on"),
             until_flag("Only before that time"),
             org_flag("Only of that organisation")},
            events, {"event", "events"});
}

}  // namespace muster::ctl
