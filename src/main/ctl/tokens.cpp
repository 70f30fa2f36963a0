// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/grammar.h"

namespace muster::ctl {

namespace {

const Columns listed = {
    {"id", "ID", &formats::id},
    {"org_id", "ORG", &formats::number},
    {"uses", "USES", &formats::number},
    {"max_uses", "OF", &formats::number},
    {"created_at", "CREATED", &formats::time},
    {"expires_at", "EXPIRES", &formats::time},
    {"revoked_at", "REVOKED", &formats::time},
};

const Columns created = {
    {"id", "id"},
    {"token", "token"},
    {"expires_at", "expires", &formats::time},
    {"max_uses", "max uses"},
};

}  // namespace

void add_tokens(Grammar& grammar) {
  grammar.noun("tokens", "Enrolment tokens: what agents enrol with")
      .call({"create", "Create an enrolment token", "muster tokens create --ttl 24h --max-uses 10"},
            http::Method::post, "/api/v1/tokens",
            {{"--ttl", "ttl_seconds", "How long it holds", Flag::Kind::seconds},
             {"--max-uses", "max_uses", "Enrolments that it is good for", Flag::Kind::integer},
             org_flag("Where its agents enrol to, by id or name")},
            facts_view(created, "The token is shown this once."))
      .list({"list", "List enrolment tokens, never their text", "muster tokens list --org default"},
            "/api/v1/tokens", {org_flag("Only of that organisation")}, listed, {"token", "tokens"})
      .call({"revoke", "Revoke an enrolment token", "muster tokens revoke 1234567890"},
            http::Method::del, "/api/v1/tokens/{id}", {id_flag("Id of the token")},
            row_view(listed));
}

}  // namespace muster::ctl
