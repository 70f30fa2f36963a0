// SPDX-License-Identifier: Apache-2.0
#include "endpoints/operator/agent_condition.h"

#include "fleet/settings.h"

namespace muster::endpoints {

namespace {

/// What is set for the agent and what it says of that; null for one that never spoke of itself.
void write_config(JsonWriter& json, const App& app, const fleet::AgentView& view) {
  json.key("config");
  if (!view.condition) {
    json.null();
    return;
  }
  const model::AgentCondition& said = view.condition->condition;
  const std::string wanted =
      app.settings.brief_of(view.agent.org, view.agent.host, app.directory).config_hash;
  json.begin_object()
      .member("state", !said.config_error.empty()   ? "refused"
                       : said.config_hash == wanted ? "in_force"
                                                    : "pending")
      .member("hash", said.config_hash)
      .member("wanted_hash", wanted)
      .member("error", said.config_error)
      .member("reported_at", view.condition->reported_at)
      .end_object();
}

/// A newer build that failed on the agent's host; null if it speaks of none.
void write_failed_update(JsonWriter& json, const fleet::AgentView& view) {
  json.key("failed_update");
  if (!view.condition || view.condition->condition.update_error.empty()) {
    json.null();
    return;
  }
  json.begin_object()
      .member("version", view.condition->condition.update_version)
      .member("error", view.condition->condition.update_error)
      .end_object();
}

}  // namespace

void write_condition(JsonWriter& json, const App& app, const fleet::AgentView& view) {
  write_config(json, app, view);
  write_failed_update(json, view);
}

}  // namespace muster::endpoints
