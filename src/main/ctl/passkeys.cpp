// SPDX-License-Identifier: Apache-2.0
// Passkeys, which are added in the console alone: a browser makes them.
#include "main/ctl/grammar.h"

namespace muster::ctl {

namespace {

const Columns listed = {
    {"id", "ID", &formats::id},
    {"name", "NAME"},
    {"backed_up", "BACKED UP", &formats::yes_no},
    {"created_at", "ADDED", &formats::time},
    {"used_at", "LAST USED", &formats::time},
};

}  // namespace

void add_passkeys(Grammar& grammar) {
  grammar.noun("passkeys", "Passkeys that sign operators in to the console")
      .list({"list", "List your passkeys, or another operator's", "muster passkeys list"},
            "/api/v1/passkeys",
            {{.name = "--operator",
              .member = "operator",
              .what = "Id of the operator (you by default)"}},
            listed, {"passkey", "passkeys"})
      .call({"rename", "Rename a passkey of yours",
             "muster passkeys rename 1234567890 --name telephone"},
            http::Method::put, "/api/v1/passkeys/{id}",
            {id_flag("Id of the passkey"),
             {.name = "--name",
              .member = "name",
              .what = "Which of your devices or keys it is on",
              .required = true}},
            row_view(listed))
      .call({"remove",
             "Remove a passkey, yours or as an admin another's, and end its operator's sessions",
             "muster passkeys remove 1234567890"},
            http::Method::del, "/api/v1/passkeys/{id}", {id_flag("Id of the passkey")},
            row_view(listed));
}

}  // namespace muster::ctl
