// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "endpoints/app.h"
#include "endpoints/dialect.h"
#include "endpoints/guards.h"
#include "fleet/changes.h"
#include "http/application.h"
#include "http/router.h"

namespace muster::endpoints {

/// Every endpoint: decode, one call into fleet, encode. Fails with what the input caused; a broken
/// store throws.
using Endpoint = Result<http::Reply> (*)(App&, const http::Request&);

/// What only some routes have; routes.def names it behind the handler.
struct RouteFacts {
  /// Calls of an inventory key, which are counted before their body is read, and how many a minute
  /// there may be. Agents have a bound of their own over all routes (guards.cpp).
  http::RateLimit App::*limit = nullptr;
  std::int64_t Config::*per_minute = nullptr;
  /// A longer body is shortened up to here (http::Admission); 0: it is refused.
  std::size_t shortened_max = 0;
  /// HEAD is answered as GET (RFC 9110 9.3.2): of a route whose GET changes nothing.
  bool answers_head = false;
  /// Its handler takes an agent's sign of life itself, with all else that the call says.
  bool tells_presence = false;
  /// What its caller is given is presented to any server next, which must know it by then.
  bool makes_credential = false;
  /// What a call of an agent or a site changes of which neither an event nor an audit row tells.
  fleet::Topics changes = {};
};

/// A row of routes.def.
struct Route {
  http::Method method;
  std::string_view path;
  Guard guard;
  Dialect dialect;
  std::size_t body_max;
  std::string_view body_max_name;  // of the limit in base/limits.h
  http::RunOn run_on;
  Endpoint endpoint;
  std::string_view name;
  RouteFacts facts;
};
std::span<const Route> routes();

/// The product as the network sees it.
class Dispatcher final : public http::Application {
 public:
  explicit Dispatcher(App& app);

  std::variant<http::Admission, http::Response> admit(http::Request& request) override;
  http::Reply handle(const http::Admission& admission, const http::Request& request) override;
  bool commit(const http::Admission& admission, http::Write& write, Respond& respond) override;
  http::Response refuse(const http::Request& request, const Error& error) override;

 private:
  http::Reply run(const http::Admission& admission, const http::Request& request);
  http::Response serve_console(const http::Request& request);
  http::Response failed(Dialect dialect, const Error& error);
  http::Response broken(Dialect dialect, std::string_view where, std::string_view what);

  App& app_;
  http::Router router_;
};

}  // namespace muster::endpoints
