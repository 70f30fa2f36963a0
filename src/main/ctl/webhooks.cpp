// SPDX-License-Identifier: Apache-2.0
// Whom to tell of events.
#include "main/ctl/grammar.h"

namespace muster::ctl {

namespace {

const Columns listed = {
    {"id", "ID", &formats::id},
    {"name", "NAME"},
    {"url", "URL"},
    {"events", "EVENTS", &formats::words},
    {"waiting", "WAITING", &formats::number},
    {"failures", "FAILURES", &formats::number},
    {"failure", "LAST FAILURE"},
    {"delivered_at", "DELIVERED", &formats::time},
    {"given_up", "GIVEN UP", &formats::number},
};

const Columns created = {
    {"id", "id"},         {"name", "name"}, {"url", "URL"}, {"events", "events", &formats::words},
    {"secret", "secret"},
};

}  // namespace

void add_webhooks(Grammar& grammar) {
  grammar.noun("webhooks", "Addresses that are told of events by HTTPS")
      .list({"list", "List webhooks and whether their deliveries arrive", "muster webhooks list"},
            "/api/v1/webhooks", {org_flag("Only of that organisation")}, listed,
            {"webhook", "webhooks"})
      .call({"create", "Have events sent to an address",
             "muster webhooks create pager https://pager.example/hook"},
            http::Method::post, "/api/v1/webhooks",
            {{.name = "NAME", .member = "name", .what = "What to call it", .required = true},
             {.name = "URL", .member = "url", .what = "Where to, by https", .required = true},
             {.name = "--event",
              .member = "events",
              .what = "Types of events instead of those of alerts; may be repeated",
              .kind = Flag::Kind::texts,
              .choices = event_types(),
              .shown = "TYPE"},
             org_flag("Whose events, by id or name")},
            facts_view(created, "The secret is shown this once."))
      .call({"test", "Send an event webhook_test there, now", "muster webhooks test 1234567890"},
            http::Method::post, "/api/v1/webhooks/{id}/test", {id_flag("Id of the webhook")},
            row_view(listed))
      .call({"delete", "Delete a webhook, with the events that wait for it",
             "muster webhooks delete 1234567890"},
            http::Method::del, "/api/v1/webhooks/{id}", {id_flag("Id of the webhook")},
            row_view(listed));
}

}  // namespace muster::ctl
