// SPDX-License-Identifier: Apache-2.0
// Identities with a provider, which are linked in the console alone: a browser goes there.
#include "main/ctl/grammar.h"

namespace muster::ctl {

namespace {

const Columns listed = {
    {"id", "ID", &formats::id},
    {"name", "NAME"},
    {"issuer", "ISSUER"},
    {"subject", "SUBJECT"},
    {"created_at", "LINKED", &formats::time},
    {"used_at", "LAST USED", &formats::time},
};

}  // namespace

void add_identities(Grammar& grammar) {
  grammar.noun("identities", "Accounts with a provider that sign operators in to the console")
      .list({"list", "List your identities, or another operator's", "muster identities list"},
            "/api/v1/identities",
            {{.name = "--operator",
              .member = "operator",
              .what = "Id of the operator (you by default)"}},
            listed, {"identity", "identities"})
      .call({"unlink",
             "Unlink an identity, yours or as an admin another's, and end its operator's sessions",
             "muster identities unlink 1234567890"},
            http::Method::del, "/api/v1/identities/{id}", {id_flag("Id of the identity")},
            row_view(listed));
}

}  // namespace muster::ctl
