// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/grammar.h"

namespace muster::ctl {

namespace {

const Columns columns = {
    {"id", "ID", &formats::id},
    {"name", "NAME"},
    {"created_at", "CREATED", &formats::time},
};

}  // namespace

void add_orgs(Grammar& grammar) {
  grammar.noun("orgs", "Organisations: whose hosts are whose")
      .call({"create", "Create an organisation", "muster orgs create --name acme"},
            http::Method::post, "/api/v1/orgs",
            {{"--name", "name", "Its name, which must not be a number", Flag::Kind::text, true}},
            row_view(columns))
      .list({"list", "List organisations", "muster orgs list"}, "/api/v1/orgs", {}, columns,
            {"organisation", "organisations"});
}

}  // namespace muster::ctl
