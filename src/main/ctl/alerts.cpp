// SPDX-License-Identifier: Apache-2.0
// Alerts by query.
#include "main/ctl/grammar.h"

namespace muster::ctl {

namespace {

const Columns listed = {
    {"id", "ID", &formats::id},
    {"name", "NAME"},
    {"state", "STATE", &formats::state},
    {"since", "SINCE", &formats::time},
    {"hosts.value", "HOSTS", &formats::number},
    {"comparison", "WHILE"},
    {"threshold", "THAN", &formats::number},
    {"for_seconds", "FOR", &formats::age},
    {"muted_until", "MUTED UNTIL", &formats::time},
    {"query", "QUERY"},
};

const Columns shown = {
    {"id", "id"},
    {"org_id", "org"},
    {"name", "name"},
    {"query", "query"},
    {"comparison", "while hosts are"},
    {"threshold", "threshold"},
    {"for_seconds", "for", &formats::age},
    {"state", "state", &formats::state},
    {"since", "since", &formats::time},
    {"hosts.value", "hosts"},
    {"evaluated_at", "evaluated", &formats::time},
    {"failure", "failure"},
    {"acknowledged_at", "acknowledged", &formats::time},
    {"acknowledged_by", "acknowledged by", &formats::person},
    {"muted_until", "muted until", &formats::time},
    {"muted_by", "muted by", &formats::person},
    {"failing_webhooks", "failing webhooks", &formats::words},
    {"created_at", "created", &formats::time},
    {"created_by", "created by", &formats::person},
};

}  // namespace

void add_alerts(Grammar& grammar) {
  grammar.noun("alerts", "Alerts: queries that are watched")
      .list({"list", "List alerts", "muster alerts list --state firing"}, "/api/v1/alerts",
            {org_flag("Only of that organisation"),
             {.name = "--state",
              .member = "state",
              .what = "Only alerts in this state",
              .choices = {"ok", "pending", "firing"}}},
            listed, {"alert", "alerts"})
      .call({"show", "Show one alert", "muster alerts show 1234567890"}, http::Method::get,
            "/api/v1/alerts/{id}", {id_flag("Id of the alert")}, facts_view(shown))
      .call({"create", "Watch how many hosts match a query",
             "muster alerts create 'silent servers' 'tag:prod status:offline' --above 0 --for 10m"},
            http::Method::post, "/api/v1/alerts",
            {{.name = "NAME", .member = "name", .what = "What to call it", .required = true},
             {.name = "QUERY",
              .member = "query",
              .what = "The query (docs/reference/query.md)",
              .required = true},
             {.name = "--above",
              .member = "above",
              .what = "Holds while more hosts than this match",
              .kind = Flag::Kind::integer},
             {.name = "--below",
              .member = "below",
              .what = "Instead: holds while fewer match",
              .kind = Flag::Kind::integer},
             {"--for", "for_seconds", "How long it must hold before it fires (0s by default)",
              Flag::Kind::seconds},
             org_flag("Whose it is, by id or name")},
            facts_view(shown))
      .call({"mute", "Do not tell webhooks of an alert for some time",
             "muster alerts mute 1234567890 --for 2h"},
            http::Method::post, "/api/v1/alerts/{id}/mute",
            {id_flag("Id of the alert"),
             {.name = "--for",
              .member = "for_seconds",
              .what = "How long; 0s ends it",
              .kind = Flag::Kind::seconds,
              .required = true}},
            facts_view(shown))
      .call({"acknowledge", "Say that somebody is looking into an alert, until it is ok",
             "muster alerts acknowledge 1234567890"},
            http::Method::post, "/api/v1/alerts/{id}/acknowledge", {id_flag("Id of the alert")},
            facts_view(shown))
      .call({"delete", "Delete an alert; its events stay", "muster alerts delete 1234567890"},
            http::Method::del, "/api/v1/alerts/{id}", {id_flag("Id of the alert")},
            row_view(listed));
}

}  // namespace muster::ctl
