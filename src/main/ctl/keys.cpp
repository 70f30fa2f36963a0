// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/grammar.h"

namespace muster::ctl {

namespace {

const Columns listed = {
    {"id", "ID", &formats::id},
    {"org_id", "ORG", &formats::number},
    {"name", "NAME"},
    {"scopes", "SCOPES", &formats::words},
    {"created_at", "CREATED", &formats::time},
    {"revoked_at", "REVOKED", &formats::time},
};

const Columns created = {
    {"id", "id"},
    {"key", "key"},
    {"name", "name"},
    {"scopes", "scopes", &formats::words},
};

}  // namespace

void add_keys(Grammar& grammar) {
  grammar
      .noun("keys", "Inventory keys: what the reporters of a site share, or a program reads with")
      .call(
          {"create", "Create an inventory key", "muster keys create --name site-berlin"},
          http::Method::post, "/api/v1/keys",
          {{"--name", "name", "The site that will use it", Flag::Kind::text, true},
           {.name = "--scope",
            .member = "scopes",
            .what =
                "What it opens: the routes of reporters (the default), reading as read_only does, "
                "importing feeds",
            .kind = Flag::Kind::texts,
            .choices = {"agent", "read", "import"},
            .shown = "agent|read|import..."},
           org_flag("Organisation whose hosts it reports, by id or name")},
          facts_view(created, "The key is shown this once."))
      .list({"list", "List inventory keys, never their text", "muster keys list --json"},
            "/api/v1/keys", {org_flag("Only of that organisation")}, listed, {"key", "keys"})
      .call({"revoke", "Revoke an inventory key", "muster keys revoke 1234567890"},
            http::Method::del, "/api/v1/keys/{id}", {id_flag("Id of the key")}, row_view(listed));
}

}  // namespace muster::ctl
