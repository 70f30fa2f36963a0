// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/test_directory.h"
#include "base/testing.h"
#include "base/text.h"
#include "endpoints/wiring.h"
#include "fleet/fleet.h"
#include "store/testing/sqlite_schema.h"

namespace muster::endpoints {

/// A request as it would be on the wire.
struct TestRequest {
  std::string method;
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

/// The whole server but its sockets, on a fresh directory: what `main` wires, with a fake clock and
/// a seeded Rng. The writer thread is not started, so a request is answered before ask() returns.
class TestServer {
 public:
  explicit TestServer(const Config& of = {}) : config(of) {
    std::ifstream(directory.path() + "/admin.token") >> admin_token;
    wiring.oidc.set(fleet::read_oidc_client(config).value(),
                    [](const http::FetchOrder&) -> Result<http::Fetched> {
                      return Error{Errc::unavailable, "There is no network."};
                    });
    wiring.open(std::string(server_url));
    log_lines.clear();  // what is left is about requests
  }

  /// What the session does with a request whose framing is in order; a stream is read to its end,
  /// and of a live body what it says first.
  http::Response ask(const TestRequest& sent) {
    http::Response response = answer(sent);
    if (sent.method == "HEAD") {
      response.body.clear();
      response.kept_body = {};
      response.stream.reset();
    }
    if (!response.kept_body.empty()) response.body = std::exchange(response.kept_body, {});
    if (response.live) {
      response.body = response.live->take().value_or("");
      response.live.reset();
    }
    if (response.stream) {
      const http::Stream stream = *std::exchange(response.stream, std::nullopt);
      while (response.body.size() < stream.bytes) {
        const std::string piece = stream.source->read(stream.offset + response.body.size());
        CHECK(!piece.empty());
        response.body += piece;
      }
      response.body.resize(stream.bytes);
    }
    return response;
  }

  static constexpr std::string_view server_url = "https://muster.example.org";

  /// The same, as the session gets it.
  http::Response answer(const TestRequest& sent) {
    http::Request request;
    request.method = parse_method(sent.method);
    const std::string_view target = sent.target;
    const auto mark = target.find('?');
    request.path = target.substr(0, mark);
    request.query = mark == std::string_view::npos ? "" : target.substr(mark + 1);
    bool host_given = false;
    for (const auto& [name, value] : sent.headers) {
      CHECK(request.headers.add(name, value));
      host_given = host_given || equal_folded(name, "Host");
    }
    if (!host_given) CHECK(request.headers.add("Host", "127.0.0.1:8480"));
    request.peer_address = "127.0.0.1";
    request.now = clock.now();
    request.strained = strained;
    auto verdict = dispatcher.admit(request);
    if (auto* refused = std::get_if<http::Response>(&verdict)) return std::move(*refused);
    const auto& admission = std::get<http::Admission>(verdict);
    if (sent.body.size() > admission.body_max) {
      return dispatcher.refuse(request, {Errc::body_too_large, "body too large"});
    }
    request.body = sent.body;
    http::Reply reply = dispatcher.handle(admission, request);
    if (auto* response = std::get_if<http::Response>(&reply)) return std::move(*response);
    std::optional<http::Response> answered;
    auto write = std::get<http::Write>(std::move(reply));
    Dispatcher::Respond respond = [&](http::Response response) { answered = std::move(response); };
    CHECK(dispatcher.commit(admission, write, respond) && answered.has_value());
    return std::move(*answered);
  }

  const Config config;
  TestDirectory directory{memory_backed_path()};
  FakeClock clock;
  SeededRng rng;
  std::vector<std::string> log_lines;
  Log log{clock, [this](std::string_view line) { log_lines.emplace_back(line); }};
  fleet::Changes changes;
  fleet::Fleet fleet{store::testing::open_with_schema(directory.path()),
                     directory.path() + "/secret", rng, clock.now()};
  Wiring wiring{fleet, changes, config, rng, log, directory.path() + "/admin.token", clock.now()};
  ServerFace& face = wiring.face;
  App& app = wiring.app;
  Dispatcher& dispatcher = wiring.dispatcher;
  std::string admin_token;
  bool strained = false;  // as requests are told

 private:
  static http::Method parse_method(std::string_view name) {
    for (const http::Method method : {http::Method::get, http::Method::head, http::Method::post,
                                      http::Method::put, http::Method::patch, http::Method::del}) {
      if (http::method_name(method) == name) return method;
    }
    return http::Method::other;
  }
};

/// The route's path with something in the place of each parameter.
inline std::string filled_path(const Route& route, std::string_view something = "1") {
  std::string path;
  std::string_view pattern = route.path;
  while (!pattern.empty()) {
    const auto colon = pattern.find(':');
    path += pattern.substr(0, colon);
    if (colon == std::string_view::npos) break;
    path += something;
    const auto slash = pattern.find('/', colon);
    pattern = slash == std::string_view::npos ? std::string_view() : pattern.substr(slash);
  }
  return path;
}

/// What the dispatcher says to the head of a request from another machine: 0 when it admits it.
inline int status_of_head(TestServer& server, const Route& route,
                          const std::vector<std::pair<std::string, std::string>>& headers) {
  const std::string path = filled_path(route);
  http::Request request;
  request.method = route.method;
  request.path = path;
  request.peer_address = "192.0.2.1";
  request.now = server.clock.now();
  CHECK(request.headers.add("Host", "127.0.0.1:8480"));
  for (const auto& [name, value] : headers) CHECK(request.headers.add(name, value));
  const auto verdict = server.dispatcher.admit(request);
  const auto* refused = std::get_if<http::Response>(&verdict);
  return refused == nullptr ? 0 : refused->status;
}

}  // namespace muster::endpoints
