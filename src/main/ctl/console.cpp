// SPDX-License-Identifier: Apache-2.0
// The web console: signing in to it, and who is.
#include "main/ctl/grammar.h"

namespace muster::ctl {

namespace {

const Columns link = {
    {"url", "url"},
    {"expires_at", "expires", &formats::time},
};

const Columns sessions = {
    {"id", "ID", &formats::id},
    {"operator_name", "OPERATOR"},
    {"role", "ROLE"},
    {"address", "ADDRESS"},
    {"created_at", "SIGNED IN", &formats::time},
    {"used_at", "USED", &formats::time},
    {"expires_at", "EXPIRES", &formats::time},
    {"ended_at", "ENDED", &formats::time},
};

}  // namespace

void add_console(Grammar& grammar) {
  grammar.noun("console", "The web console: signing in, and its sessions")
      .call({"link", "Make an address that signs you in to the console, once, within five minutes",
             "muster console link"},
            http::Method::post, "/api/v1/console/links", {},
            facts_view(link, "Whoever opens it first is signed in as you."))
      .list({"sessions", "List live sessions; of all operators for admins and owners",
             "muster console sessions"},
            "/api/v1/sessions", {}, sessions, {"session", "sessions"})
      .call({"sign-out", "End a session", "muster console sign-out 1234567890"}, http::Method::del,
            "/api/v1/sessions/{id}", {id_flag("Id of the session")}, row_view(sessions));
}

}  // namespace muster::ctl
