// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/grammar.h"

namespace muster::ctl {

namespace {

const Columns listed = {
    {"id", "ID", &formats::id},
    {"name", "NAME"},
    {"role", "ROLE"},
    {"created_at", "CREATED", &formats::time},
    {"expires_at", "EXPIRES", &formats::time},
    {"revoked_at", "REVOKED", &formats::time},
};

const Columns created = {
    {"id", "id"},
    {"token", "token"},
    {"name", "name"},
    {"role", "role"},
    {"expires_at", "expires", &formats::time},
};

}  // namespace

void add_operators(Grammar& grammar) {
  grammar.noun("operators", "Operators: who may see and do what on this server")
      .call({"create", "Appoint an operator, of no role above your own",
             "muster operators create --name ada --role analyst"},
            http::Method::post, "/api/v1/operators",
            {{"--name", "name", "Who it is", Flag::Kind::text, true},
             {.name = "--role",
              .member = "role",
              .what = "What the operator may do",
              .kind = Flag::Kind::text,
              .required = true,
              .choices = {"read_only", "analyst", "operator", "admin", "owner"},
              .shown = "read_only|analyst|operator|admin|owner"},
             {.name = "--ttl",
              .member = "ttl_seconds",
              .what = "How long the token is good (90d by default)",
              .kind = Flag::Kind::seconds}},
            facts_view(created, "The token is shown this once."))
      .list({"list", "List operators, also former ones", "muster operators list"},
            "/api/v1/operators", {}, listed, {"operator", "operators"})
      .call(
          {"revoke", "End an operator's token and sessions", "muster operators revoke 1234567890"},
          http::Method::del, "/api/v1/operators/{id}", {id_flag("Id of the operator")},
          row_view(listed));
}

}  // namespace muster::ctl
