// SPDX-License-Identifier: Apache-2.0
// Agents.
#include "base/text.h"
#include "endpoints/decode.h"
#include "endpoints/operator/agent_condition.h"
#include "endpoints/operator/operator.h"
#include "fleet/agent_keys.h"
#include "fleet/hosts.h"
#include "fleet/refusals.h"
#include "fleet/splits.h"

namespace muster::endpoints {

using http::Reply;
using http::Request;
using http::Response;

namespace {

/// Fails with invalid_field for words that mean nothing.
Result<fleet::AgentQuery> decode_agent_query(App& app, const Request& request) {
  const auto param = [&](std::string_view name) { return http::query_param(request.query, name); };
  fleet::AgentQuery query;
  query.filter.org = TRY(org_param(app, request));
  query.filter.os = param("os").value_or("");
  query.filter.hostname = param("hostname").value_or("");
  query.filter.tag = param("tag").value_or("");
  if (const auto status = param("status")) {
    query.filter.status = model::parse_agent_status(*status);
    if (!query.filter.status) {
      return invalid_field("status",
                           "must be active, disabled, superseded, decommissioned or uninstalled");
    }
  }
  if (const auto presence = param("presence")) {
    for (const auto known :
         {model::Presence::online, model::Presence::offline, model::Presence::unknown}) {
      if (model::presence_name(known) == *presence) query.presence = known;
    }
    if (!query.presence) return invalid_field("presence", "must be online, offline or unknown");
  }
  if (const auto flapping = param("flapping")) {
    if (*flapping != "true" && *flapping != "false") {
      return invalid_field("flapping", "must be true or false");
    }
    query.flapping = *flapping == "true";
  }
  if (const auto silent = param("silent_seconds")) {
    const auto seconds = parse_int(*silent);
    if (!seconds || *seconds < 0 || *seconds > limits::silent_seconds_max) {
      return invalid_field("silent_seconds",
                           "must be between 0 and " + std::to_string(limits::silent_seconds_max));
    }
    query.silent_for = std::chrono::seconds(*seconds);
  }
  return query;
}

void write_key(JsonWriter& json, const fleet::AgentView& view) {
  const model::Agent& agent = view.agent;
  json.key("key")
      .begin_object()
      .member("generation", agent.keys.current)
      .member("state", model::key_state_name(view.key_state))
      .member("since", agent.key_since)
      .key("age_seconds");
  if (view.key_age) {
    json.value(view.key_age->count() / 1000);
  } else {
    json.null();
  }
  json.member("rotation_pending", agent.keys.offered.has_value())
      .member("offered_at", agent.key_offered_at)
      .end_object();
}

/// The last call that proved a key of the agent and was refused; null if none was.
void write_refusal(JsonWriter& json, const std::optional<fleet::Refusal>& refusal) {
  json.key("last_refusal");
  if (!refusal) {
    json.null();
    return;
  }
  json.begin_object()
      .member("reason", fleet::refusal_reason_name(refusal->reason))
      .member("at", refusal->at)
      .key("skew_seconds");
  if (refusal->skew) {
    json.value(refusal->skew->count() / 1000);
  } else {
    json.null();
  }
  json.member("address", refusal->address).end_object();
}

void write_agent(JsonWriter& json, const App& app, const fleet::AgentView& view) {
  const model::Agent& agent = view.agent;
  json.member("id", agent.id)
      .member("org_id", agent.org)
      .member("asset_id", agent.host)
      .member("hostname", view.hostname)
      .member("os", agent.os)
      .member("arch", agent.arch)
      .member("agent_version", view.state.agent_version)
      .member("update_state", model::update_state_name(view.update))
      .member("offered_version", view.offered_version)
      .member("status", model::agent_status_name(agent.status))
      .member("presence", model::presence_name(view.presence))
      .member("flapping", view.state.flapping)
      .key("last_seen");
  if (view.state.called) {
    json.value(view.state.last_seen);
  } else {
    json.null();
  }
  json.member("enrolled_at", agent.enrolled_at)
      .member("tags", view.tags)
      .member("operator_tags", view.operator_tags);
  write_key(json, view);
  write_refusal(json, app.refusals.find(agent.id));
}

std::string encode_agent(const App& app, const fleet::AgentView& view) {
  JsonWriter json;
  json.begin_object();
  write_agent(json, app, view);
  json.end_object();
  return json.take();
}

/// Null unless two machines use the agent's key.
void write_clone(JsonWriter& json, const std::optional<store::CloneRow>& clone) {
  json.key("clone");
  if (!clone) {
    json.null();
    return;
  }
  const auto machine = [&](std::string_view name, const std::string& hostname,
                           const std::string& address) {
    json.key(name)
        .begin_object()
        .member("hostname", hostname)
        .member("address", address)
        .end_object();
  };
  json.begin_object()
      .member("detected_at", clone->detected_at)
      .member("confirmed_at", clone->confirmed_at);
  machine("older", clone->older_hostname, clone->older_address);
  machine("newer", clone->newer_hostname, clone->newer_address);
  json.member("split_agent_id", clone->split_agent).end_object();
}

/// Of the last seven days; null before the first call.
void write_health(JsonWriter& json, const std::optional<model::Record>& record) {
  json.key("health");
  if (!record) {
    json.null();
    return;
  }
  json.begin_object()
      .member("score", model::agent_health(*record))
      .member("uptime_percent", model::percent(model::uptime_share(*record)))
      .member("task_success_percent", model::percent(model::task_success_share(*record)))
      .member("stability_percent", model::percent(model::stability_share(*record)))
      .member("outages", record->outages)
      .member("tasks_completed", record->tasks_completed)
      .member("tasks_failed", record->tasks_failed)
      .member("observed_seconds", record->observed.count() / 1000)
      .end_object();
}

std::string encode_agent_whole(const App& app, const fleet::AgentView& view) {
  JsonWriter json;
  json.begin_object();
  write_agent(json, app, view);
  write_clone(json, view.clone);
  json.member("split_from",
              view.agent.origin ? std::optional(view.agent.origin->agent) : std::nullopt);
  write_condition(json, app, view);
  write_health(json, view.week);
  json.key("heartbeat");
  if (view.state.called && !view.state.status.empty()) {
    json.begin_object()
        .member("status", view.state.status)
        .member("current_task", view.state.current_task)
        .member("last_task_completed", view.state.last_task_completed)
        .key("system")
        .raw(fleet::encode_vitals(view.state.vitals))
        .end_object();
  } else {
    json.null();
  }
  json.end_object();
  return json.take();
}

Result<Reply> set_disabled(App& app, const Request& request, bool disabled) {
  const AgentId id{TRY(uuid_param(request.params[0], "agent"))};
  const fleet::AgentView found =
      TRY(fleet::show_agent(app.store, app.presence, app.config, id, request.now));
  return reply_when_followed(
      app,
      [&app, actor = actor_of(request), found, disabled,
       now = request.now](store::Tx& tx) -> Result<Response> {
        TRY(fleet::set_agent_disabled(tx, app.ids, app.credentials, actor, found.agent.org,
                                      found.agent.id, disabled, now));
        fleet::AgentView changed = found;
        changed.agent.status = disabled ? model::AgentStatus::disabled : model::AgentStatus::active;
        return http::json_response(200, encode_agent_whole(app, changed));
      });
}

using OfferKey = decltype(fleet::rotate_agent_key);

Result<Reply> offer_key(App& app, const Request& request, OfferKey* offer) {
  const AgentId id{TRY(uuid_param(request.params[0], "agent"))};
  const fleet::AgentView found =
      TRY(fleet::show_agent(app.store, app.presence, app.config, id, request.now));
  return Reply(http::Write([&app, actor = actor_of(request), org = found.agent.org, id, offer,
                            now = request.now](store::Tx& tx) -> Result<Response> {
    const fleet::OfferedKey offered = TRY(offer(tx, app.ids, app.credentials, actor, org, id, now));
    JsonWriter json;
    json.begin_object()
        .member("agent_id", id)
        .member("key_generation", offered.generation)
        .member("key", offered.key)
        .end_object();
    return http::json_response(200, json.take());
  }));
}

}  // namespace

Result<Reply> rotate_agent_key(App& app, const Request& request) {
  return offer_key(app, request, &fleet::rotate_agent_key);
}

Result<Reply> reissue_agent_key(App& app, const Request& request) {
  return offer_key(app, request, &fleet::reissue_agent_key);
}

Result<Reply> split_agent(App& app, const Request& request) {
  const AgentId id{TRY(uuid_param(request.params[0], "agent"))};
  const fleet::AgentView found =
      TRY(fleet::show_agent(app.store, app.presence, app.config, id, request.now));
  return Reply(http::Write([&app, actor = actor_of(request), org = found.agent.org, id,
                            now = request.now](store::Tx& tx) -> Result<Response> {
    const fleet::SplitAgent split = TRY(fleet::split_agent(
        tx, app.ids, app.rng, app.credentials, app.presence, app.directory, actor, org, id, now));
    JsonWriter json;
    json.begin_object()
        .member("agent_id", id)
        .member("split_agent_id", split.agent)
        .member("asset_id", split.host)
        .member("key", split.key)
        .end_object();
    return http::json_response(200, json.take());
  }));
}

Result<Reply> list_agents(App& app, const Request& request) {
  const fleet::AgentQuery query = TRY(decode_agent_query(app, request));
  const int limit = TRY(page_limit(request));
  const fleet::AgentPage page = TRY(fleet::list_agent_page(
      app.store, app.presence, app.config, query, page_cursor(request), limit, request.now));
  std::vector<std::string> items;
  items.reserve(page.agents.size());
  for (const fleet::AgentView& view : page.agents) items.push_back(encode_agent(app, view));
  return Reply(page_response(items, page.next_cursor, page.total));
}

Result<Reply> tag_agent(App& app, const Request& request) {
  const AgentId id{TRY(uuid_param(request.params[0], "agent"))};
  Fields fields(TRY(decode_body(request)));
  auto add = fields.optional_texts("add", limits::tags, limits::tag_bytes);
  auto remove = fields.optional_texts("remove", limits::tags, limits::tag_bytes);
  for (const std::string& tag : add) {
    if (tag.empty()) fields.fail("add", "must not be empty");
  }
  TRY(fields.finish());
  const fleet::AgentView found =
      TRY(fleet::show_agent(app.store, app.presence, app.config, id, request.now));
  return Reply(http::Write([&app, actor = actor_of(request), org = found.agent.org, id,
                            add = std::move(add), remove = std::move(remove),
                            now = request.now](store::Tx& tx) -> Result<Response> {
    const auto tags = TRY(
        fleet::change_operator_tags(tx, app.ids, app.directory, actor, org, id, add, remove, now));
    JsonWriter json;
    json.begin_object().member("agent_id", id);
    json.member("operator_tags", tags);
    json.end_object();
    return http::json_response(200, json.take());
  }));
}

Result<Reply> decommission_agent(App& app, const Request& request) {
  const AgentId id{TRY(uuid_param(request.params[0], "agent"))};
  const fleet::AgentView found =
      TRY(fleet::show_agent(app.store, app.presence, app.config, id, request.now));
  return reply_when_followed(
      app,
      [&app, actor = actor_of(request), found,
       now = request.now](store::Tx& tx) -> Result<Response> {
        TRY(fleet::decommission_agent(tx, app.ids, app.credentials, app.presence, actor,
                                      found.agent.org, found.agent.id, now));
        fleet::AgentView changed = found;
        changed.agent.status = model::AgentStatus::decommissioned;
        changed.presence = model::Presence::offline;
        return http::json_response(200, encode_agent_whole(app, changed));
      });
}

Result<Reply> show_agent(App& app, const Request& request) {
  const AgentId id{TRY(uuid_param(request.params[0], "agent"))};
  return Reply(http::json_response(
      200, encode_agent_whole(
               app, TRY(fleet::show_agent(app.store, app.presence, app.config, id, request.now)))));
}

Result<Reply> disable_agent(App& app, const Request& request) {
  return set_disabled(app, request, true);
}

Result<Reply> enable_agent(App& app, const Request& request) {
  return set_disabled(app, request, false);
}

}  // namespace muster::endpoints
