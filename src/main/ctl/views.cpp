// SPDX-License-Identifier: Apache-2.0
// Saved views.
#include "main/ctl/grammar.h"

namespace muster::ctl {

namespace {

const Columns listed = {
    {"name", "NAME"},
    {"query", "QUERY"},
    {"set_by", "SET BY", &formats::person},
    {"set_at", "SET", &formats::time},
};

const Columns shown = {
    {"name", "name"},
    {"org_id", "org"},
    {"query", "query"},
    {"set_by", "set by", &formats::person},
    {"set_at", "set", &formats::time},
};

const Columns counted = {
    {"name", "name"},
    {"org_id", "org"},
    {"query", "query"},
    {"hosts.value", "hosts in it"},
    {"used_by.views", "views that name it", &formats::words},
    {"used_by.alerts", "alerts that name it", &formats::words},
    {"set_by", "set by", &formats::person},
    {"set_at", "set", &formats::time},
};

Flag name_flag() {
  return {.name = "NAME", .member = "name", .what = "Name of the view", .required = true};
}

}  // namespace

void add_views(Grammar& grammar) {
  grammar.noun("views", "Queries with a name: groups of hosts")
      .list({"list", "List saved views", "muster views list"}, "/api/v1/views",
            {org_flag("Only of that organisation")}, listed, {"view", "views"})
      .call({"show", "Show one view and how many hosts are in it", "muster views show canaries"},
            http::Method::get, "/api/v1/views/{name}",
            {name_flag(), org_flag("Whose it is, by id or name")}, facts_view(counted))
      .call({"set", "Save a query under a name; other queries use it as group:NAME",
             "muster views set canaries 'tag:canary os:linux'"},
            http::Method::put, "/api/v1/views/{name}",
            {name_flag(),
             {.name = "QUERY",
              .member = "query",
              .what = "The query (docs/reference/query.md)",
              .required = true},
             org_flag("Whose it is, by id or name")},
            facts_view(shown))
      .call({"delete", "Delete a view that no other view or alert uses",
             "muster views delete canaries"},
            http::Method::del, "/api/v1/views/{name}",
            {name_flag(), org_flag("Whose it is, by id or name")}, facts_view(shown));
}

}  // namespace muster::ctl
