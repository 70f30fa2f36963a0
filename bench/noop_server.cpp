// SPDX-License-Identifier: Apache-2.0
// The session with a handler that does nothing: what bench/http_cpu.py compares with nginx to tell
// the cost of net/ from the cost of the product. Prints its port and serves until standard input
// ends.
#include <cstdio>

#include "net/server.h"

namespace {

using namespace muster;

class Nothing final : public http::Application {
 public:
  std::variant<http::Admission, http::Response> admit(http::Request&) override {
    return http::Admission{0, limits::heartbeat_body_bytes, http::RunOn::here};
  }
  http::Reply handle(const http::Admission&, const http::Request& request) override {
    return http::json_response(
        200, "{\"success\": true, \"data\": {\"acknowledged\": true, \"bytes\": " +
                 std::to_string(request.body.size()) + "}}");
  }
  bool commit(const http::Admission&, http::Write&, Respond& respond) override {
    respond({503});
    return true;
  }
  http::Response refuse(const http::Request&, const Error& error) override {
    return http::json_response(http::status_of(error.code), error.message);
  }
};

}  // namespace

int main() {
  const SystemClock clock;
  Log log(clock, Log::standard_error());
  Nothing nothing;
  net::Server server(nothing, clock, log, {.io_threads = 1});
  server.start();
  std::printf("%u\n", server.port());
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  server.drain();
  return 0;
}
