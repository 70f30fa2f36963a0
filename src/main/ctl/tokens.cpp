// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/grammar.h"

namespace muster::ctl {

namespace {

const Columns listed = {
    {"id", "ID", &formats::id},
    {"status", "STATUS", &formats::state},
    {"uses", "USES", &formats::number},
    {"max_uses", "OF", &formats::number},
    {"expires_at", "EXPIRES", &formats::time},
    {"revoked_at", "REVOKED", &formats::time},
    {"tags", "TAGS", &formats::words},
    {"networks", "NETWORKS", &formats::words},
    {"systems", "SYSTEMS", &formats::words},
    {"org_id", "ORG", &formats::number},
    {"created_at", "CREATED", &formats::time},
};

const Columns uses = {
    {"agent_id", "AGENT", &formats::id},
    {"hostname", "HOSTNAME"},
    {"os", "OS"},
    {"arch", "ARCH"},
    {"status", "STATUS", &formats::state},
    {"enrolled_at", "ENROLLED", &formats::time},
    {"enrolled_from", "FROM", &formats::text},
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
            {{"--ttl", "ttl_seconds", "How long it is valid (24h by default)", Flag::Kind::seconds},
             {"--max-uses", "max_uses", "How many agents may enrol with it (1 by default)",
              Flag::Kind::integer},
             {.name = "--tag",
              .member = "tags",
              .what = "Tag for the hosts that enrol with it; may be repeated",
              .kind = Flag::Kind::texts,
              .shown = "TAG"},
             {.name = "--network",
              .member = "networks",
              .what =
                  "Only for hosts that call from this network, such as 10.0.0.0/8; may be repeated",
              .kind = Flag::Kind::texts,
              .shown = "CIDR"},
             {.name = "--system",
              .member = "systems",
              .what = "Only for hosts of this kind, such as linux or linux/arm64; may be repeated",
              .kind = Flag::Kind::texts,
              .shown = "OS[/ARCH]"},
             org_flag("Organisation that its agents belong to, by id or name")},
            facts_view(created, "The token is shown this once."))
      .list({"list", "List enrolment tokens, never their text", "muster tokens list --org default"},
            "/api/v1/tokens",
            {org_flag("Only of that organisation"),
             {.name = "--status",
              .member = "status",
              .what = "Only tokens in this state",
              .choices = {"active", "expired", "exhausted", "revoked"}}},
            listed, {"token", "tokens"})
      .list({"uses", "List who enrolled with a token, when and from where",
             "muster tokens uses 1234567890"},
            "/api/v1/tokens/{id}/uses", {id_flag("Id of the token")}, uses, {"use", "uses"})
      .call({"revoke", "Revoke an enrolment token", "muster tokens revoke 1234567890"},
            http::Method::del, "/api/v1/tokens/{id}", {id_flag("Id of the token")},
            row_view(listed));
}

}  // namespace muster::ctl
