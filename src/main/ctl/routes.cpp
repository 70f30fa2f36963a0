// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <string_view>

#include "base/check.h"
#include "base/limits.h"
#include "http/request.h"
#include "main/ctl/grammar.h"

namespace muster::ctl {

namespace {

const Columns columns = {
    {"method", "METHOD"},
    {"path", "PATH", &formats::id},
    {"callers", "WHO MAY CALL"},
    {"body_bytes_max", "BODY UP TO", &formats::bytes},
};

/// Who may call a route, by its guard (endpoints/guards.h).
struct Callers {
  std::string_view guard;
  std::string_view who;
  std::string_view role = {};  // the least one, of operators
};
constexpr Callers all_callers[] = {
    {"anybody", "anybody"},
    {"stranger", "anybody who signs in"},
    {"device_key", "an enrolled agent"},
    {"inventory_key", "an enrolled agent, or a key with scope agent"},
    {"role_read_only", "role read_only", "read_only"},
    {"role_analyst", "role analyst", "analyst"},
    {"role_operator", "role operator", "operator"},
    {"role_admin", "role admin", "admin"},
    {"feed_importer", "role admin, or a key with scope import", "admin"},
    {"operator_or_loopback", "this machine, role read_only, or a key with scope read", "read_only"},
};

constexpr Callers callers_of(std::string_view guard) {
  for (const Callers& each : all_callers) {
    if (each.guard == guard) return each;
  }
  check_failed("a guard without words", __FILE__, __LINE__);
}

void write_route(JsonWriter& json, http::Method method, std::string_view path, const Callers& of,
                 std::size_t body_max) {
  json.begin_object()
      .member("method", http::method_name(method))
      .member("path", path)
      .member("callers", of.who)
      .member("role", of.role.empty() ? std::optional<std::string_view>() : std::optional(of.role))
      .member("body_bytes_max", body_max)
      .end_object();
}

/// The route list as rows, read from the same file as the server's own table.
std::string routes_json() {
  JsonWriter json;
  json.begin_array();
#define ROUTE(verb, path_text, guard_name, dialect_name, body_max, run_on, function, ...) \
  write_route(json, http::Method::verb, path_text, callers_of(#guard_name), limits::body_max);
#include "endpoints/routes.def"
#undef ROUTE
  json.end_array();
  return json.take();
}

}  // namespace

void add_routes(Grammar& grammar) {
  grammar.root().local({"routes",
                        "Show every route of the API: who may call it, and how much it may "
                        "send",
                        "muster routes --json"},
                       {}, [](const Shell& shell, const FlagValues&) -> Result<void> {
                         print_array(shell, routes_json(), columns, {"route", "routes"});
                         return {};
                       });
}

}  // namespace muster::ctl
