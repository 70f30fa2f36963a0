// SPDX-License-Identifier: Apache-2.0
#include "endpoints/dispatcher.h"

#include <exception>
#include <memory>

#include "endpoints/console.h"
#include "endpoints/inputs.h"
#include "endpoints/reach.h"
#include "fleet/agent_keys.h"
#include "fleet/changes.h"
#include "fleet/nodes.h"
#include "fleet/presence.h"
#include "fleet/supersession.h"
#include "fleet/writes.h"

namespace muster::endpoints {

#define ROUTE(method, path, guard, dialect, body_max, run_on, handler, ...) \
  Result<http::Reply> handler(App&, const http::Request&);
#include "endpoints/routes.def"
#undef ROUTE

namespace {

using fleet::Topic;

constexpr Route route_table[] = {
#define ROUTE(method, path, guard, dialect, body_max, run_on, handler, ...)                \
  {http::Method::method, path,    guard,    Dialect::dialect, limits::body_max, #body_max, \
   http::RunOn::run_on,  handler, #handler, {__VA_ARGS__}},
#include "endpoints/routes.def"
#undef ROUTE
};

/// Calls to paths that do not exist are answered in the dialect of whoever seems to call.
Dialect dialect_of_unknown(const http::Request& request) {
  if (!request.path.starts_with("/api/agent")) return Dialect::operators;
  return dialect_of(Dialect::shared, request);
}

/// Whoever has proved an agent's key is alive, whatever it asks for. What a heartbeat says is more,
/// and depends on how long the agent was silent: fleet/heartbeats takes it whole.
void note_sign_of_life(App& app, const Route& route, const http::Request& request) {
  if (request.caller.kind != http::Caller::Kind::agent || route.facts.tells_presence) return;
  app.presence.touch_agent(request.caller.agent, request.now);
}

/// A site's key is counted before the body is read: what is refused costs no memory.
Result<void> check_rate(App& app, const Route& route, const http::Request& request) {
  const RouteFacts& facts = route.facts;
  if (facts.limit == nullptr || request.caller.kind != http::Caller::Kind::inventory_key) return {};
  return (app.*facts.limit)
      .take(static_cast<std::uint64_t>(request.caller.key),
            app.nodes.share_of(app.config.*facts.per_minute), request.now);
}

/// Operators are told of what their route does not know; agents are not (endpoints/inputs.h).
Result<void> check_known(const Route& route, const http::Request& request) {
  if (route.dialect != Dialect::operators) return {};
  const Inputs* inputs = inputs_of(route.method, route.path);
  return inputs == nullptr ? Result<void>() : check_inputs(*inputs, request);
}

http::Lane lane_of(const Route& route) {
  if (route.dialect == Dialect::operators) return http::Lane::operators;
  return route.dialect == Dialect::inventory ? http::Lane::reports : http::Lane::agents;
}

std::string what_of(std::exception_ptr failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& exception) {
    return exception.what();
  } catch (...) {
    return "unknown exception";
  }
}

/// The same reply, once it is durable that the agent uses this key.
http::Reply after_first_use(App& app, const http::Caller& caller, Instant now, http::Reply reply) {
  return http::Write([&app, caller, now,
                      reply = std::move(reply)](store::Tx& tx) mutable -> Result<http::Response> {
    TRY(fleet::record_first_use(tx, app.ids, app.credentials, app.presence, caller.org,
                                caller.agent, caller.key, now));
    if (auto* response = std::get_if<http::Response>(&reply)) return std::move(*response);
    return std::get<http::Write>(reply)(tx);
  });
}

/// The same work, with word of it to those who watch once it is durable.
http::Write telling_of(App& app, OrgId org, fleet::Topics topics, http::Write write) {
  store::JointWork* joint = write.joint();
  return {[&changes = app.changes, org, topics,
           write = std::move(write)](store::Tx& tx) mutable -> Result<http::Response> {
            Result<http::Response> answer = write(tx);
            if (answer.ok() && answer->status < 300 && answer->status != 204) {
              fleet::mark_on_commit(tx, changes, org, topics);
            }
            return answer;
          },
          joint};
}

/// Brings the agent back on a host of its own. The call was proved as one of its former host, so it
/// is not done: agents repeat what is answered like this.
http::Reply after_return(App& app, const http::Caller& caller, Dialect dialect, Instant now) {
  return http::Write([&app, caller, dialect, now](store::Tx& tx) -> Result<http::Response> {
    TRY(fleet::bring_back_agent(tx, app.ids, app.credentials, app.presence, app.directory,
                                caller.org, caller.agent, caller.key, now));
    return error_response(dialect, {Errc::unavailable, "The agent got a host of its own.", {}, 1});
  });
}

}  // namespace

std::span<const Route> routes() {
  return route_table;
}

Dispatcher::Dispatcher(App& app) : app_(app) {
  for (std::size_t row = 0; row < std::size(route_table); ++row) {
    const Route& route = route_table[row];
    router_.add(route.method, route.path, row);
    if (route.facts.answers_head) router_.add(http::Method::head, route.path, row);
  }
}

http::Response Dispatcher::failed(Dialect dialect, const Error& error) {
  auto& counter =
      http::status_of(error.code) == 503 ? app_.counters.unavailable : app_.counters.refused;
  counter.fetch_add(1, std::memory_order_relaxed);
  return error_response(dialect, error);
}

http::Response Dispatcher::broken(Dialect dialect, std::string_view where, std::string_view what) {
  app_.counters.unavailable.fetch_add(1, std::memory_order_relaxed);
  app_.failures.note({LogLevel::error, "request_failed", where}, what);
  return error_response(dialect, {Errc::unavailable, "The server cannot do this now.", {}, 10});
}

http::Response Dispatcher::serve_console(const http::Request& request) {
  Result<http::Response> answer = console_response(app_, request);
  return answer.ok() ? std::move(*answer) : failed(Dialect::operators, answer.error());
}

std::variant<http::Admission, http::Response> Dispatcher::admit(http::Request& request) {
  app_.counters.requests.fetch_add(1, std::memory_order_relaxed);
  if (!app_.ready.load(std::memory_order_acquire)) {
    return failed(dialect_of_unknown(request),
                  {Errc::unavailable, "The server is starting.", {}, 1});
  }
  const http::Router::Match match = router_.match(request.method, request.path, request.params);
  if (match.outcome == http::Router::Outcome::no_such_path) {
    if (is_of_console(request)) return serve_console(request);
    return failed(dialect_of_unknown(request), {Errc::not_found, "Not found"});
  }
  if (match.outcome == http::Router::Outcome::no_such_method) {
    http::Response response =
        failed(dialect_of_unknown(request), {Errc::method_not_allowed, "Method not allowed"});
    response.headers.emplace_back("Allow", router_.allowed(request.path));
    return response;
  }
  const Route& route = route_table[match.row];
  const Dialect dialect = dialect_of(route.dialect, request);
  const Result<void> proved = route.guard(app_, request);
  if (!proved.ok()) return failed(dialect, proved.error());
  if (request.caller.is_limited()) {
    const Reach reach = reach_of(route.name);
    if (reach == Reach::server) return failed(dialect, only_on_server(request.caller.least));
    if (reach == Reach::own && request.caller.kind == http::Caller::Kind::inventory_key) {
      return failed(dialect, {Errc::insufficient_scope, "A key is no operator."});
    }
  }
  const Result<void> in_rate = check_rate(app_, route, request);
  if (!in_rate.ok()) return failed(dialect, in_rate.error());
  return http::Admission{match.row,
                         route.body_max,
                         route.run_on,
                         route.facts.shortened_max,
                         static_cast<std::uint8_t>(dialect),
                         lane_of(route)};
}

http::Reply Dispatcher::handle(const http::Admission& admission, const http::Request& request) {
  if (request.caller.returning) {
    return after_return(app_, request.caller, static_cast<Dialect>(admission.dialect), request.now);
  }
  note_sign_of_life(app_, route_table[admission.row], request);
  http::Reply reply = run(admission, request);
  if (!request.caller.first_use) return reply;
  return after_first_use(app_, request.caller, request.now, std::move(reply));
}

http::Reply Dispatcher::run(const http::Admission& admission, const http::Request& request) {
  const Route& route = route_table[admission.row];
  const auto dialect = static_cast<Dialect>(admission.dialect);
  try {
    if (request.caller.is_limited()) {
      const Result<void> reached = check_reach(app_, reach_of(route.name), request);
      if (!reached.ok()) return failed(dialect, reached.error());
    }
    const Result<void> known = check_known(route, request);
    if (!known.ok()) return failed(dialect, known.error());
    Result<http::Reply> reply = route.endpoint(app_, request);
    if (!reply.ok()) return failed(dialect, reply.error());
    auto* write = std::get_if<http::Write>(&*reply);
    const fleet::Topics topics = write == nullptr ? fleet::Topics() : route.facts.changes;
    if (topics.empty()) return std::move(*reply);
    return telling_of(app_, request.caller.org, topics, std::move(*write));
  } catch (const std::exception& exception) {
    return broken(dialect, route.name, exception.what());
  }
}

bool Dispatcher::commit(const http::Admission& admission, http::Write& write, Respond& respond) {
  struct Pending {
    http::Write write;
    Respond respond;
    std::optional<http::Response> response;
  };
  const auto dialect = static_cast<Dialect>(admission.dialect);
  const Route& route = route_table[admission.row];
  const std::string_view where = route.name;
  auto pending = std::make_shared<Pending>(Pending{std::move(write), std::move(respond), {}});
  const bool taken = fleet::submit_write(
      app_.store,
      [this, pending, dialect](store::Tx& tx) {
        Result<http::Response> outcome = pending->write(tx);
        const bool keep = outcome.ok();
        pending->response = keep ? std::move(*outcome) : failed(dialect, outcome.error());
        return keep;
      },
      [this, pending, dialect, where, &route](std::exception_ptr failure) {
        if (!failure && pending->response->status < 300 && route.facts.makes_credential) {
          app_.nodes.when_followed([pending] { pending->respond(std::move(*pending->response)); });
          return;
        }
        pending->respond(failure ? broken(dialect, where, what_of(failure))
                                 : std::move(*pending->response));
      },
      admission.lane == http::Lane::reports, pending->write.joint());
  if (!taken) {
    write = std::move(pending->write);
    respond = std::move(pending->respond);
  }
  return taken;
}

http::Response Dispatcher::refuse(const http::Request& request, const Error& error) {
  http::Params params;
  const http::Router::Match match = router_.match(request.method, request.path, params);
  if (match.outcome != http::Router::Outcome::found) {
    return failed(dialect_of_unknown(request), error);
  }
  const Route& route = route_table[match.row];
  Error worded = error;
  if (error.code == Errc::body_too_large) {
    worded.message = "The body is larger than " + std::to_string(route.body_max) +
                     " bytes (limit " + std::string(route.body_max_name) + ").";
  }
  return failed(dialect_of(route.dialect, request), worded);
}

}  // namespace muster::endpoints
