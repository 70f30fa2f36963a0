// SPDX-License-Identifier: Apache-2.0
#include "base/limits.h"
#include "http/request.h"
#include "main/ctl/grammar.h"

namespace muster::ctl {

namespace {

const Columns columns = {
    {"method", "METHOD"},
    {"path", "PATH", &formats::id},
    {"guard", "GUARD"},
    {"dialect", "DIALECT"},
    {"body_bytes_max", "BODY", &formats::bytes},
    {"runs_on", "RUNS ON"},
};

/// The route list as rows, read from the same file as the server's own table.
std::string routes_json() {
  JsonWriter json;
  json.begin_array();
#define ROUTE(verb, path_text, guard_name, dialect_name, body_max, run_on, function, ...) \
  json.begin_object()                                                                     \
      .member("method", http::method_name(http::Method::verb))                            \
      .member("path", path_text)                                                          \
      .member("guard", #guard_name)                                                       \
      .member("dialect", #dialect_name)                                                   \
      .member("body_bytes_max", limits::body_max)                                         \
      .member("runs_on", #run_on)                                                         \
      .member("function", #function)                                                      \
      .end_object();
#include "endpoints/routes.def"
#undef ROUTE
  json.end_array();
  return json.take();
}

}  // namespace

void add_routes(Grammar& grammar) {
  grammar.root().local({"routes",
                        "Show every route of the server: who may call it, how much it "
                        "may send, where it runs",
                        "muster routes --json"},
                       {}, [](const Shell& shell, const FlagValues&) -> Result<void> {
                         print_array(shell, routes_json(), columns, {"route", "routes"});
                         return {};
                       });
}

}  // namespace muster::ctl
