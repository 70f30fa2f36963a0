// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <variant>

#include "base/unique_function.h"
#include "http/request.h"
#include "http/response.h"

namespace muster::http {

/// Where a handler runs. `here`: on the IO thread, memory only. `write`: there too, and what it
/// returns may join the group commit. `read`: on a worker, since it reads the store. `slow`: on one
/// that agents never need, since it takes minutes, waits for other servers or proves a password.
enum class RunOn : std::uint8_t { here, write, read, slow };

/// Who goes first where there is not enough for all: presence, work and results; then reports and
/// scans; then operators.
enum class Lane : std::uint8_t { agents, reports, operators };
inline constexpr std::size_t lane_count = 3;

/// What the session needs to know about a request whose head was accepted.
struct Admission {
  std::size_t row = 0;  // of the route table
  std::size_t body_max = 0;
  RunOn run_on = RunOn::here;
  /// A JSON body longer than body_max, but not than this, is shortened and not refused.
  std::size_t shortened_max = 0;
  std::uint8_t dialect = 0;  // whose envelope its failures wear; the application's own business
  Lane lane = Lane::agents;
};

/// The whole contract between the network and the product. `net` calls it from its IO threads and
/// workers; `endpoints` implements it; tests call it without a socket.
///
/// For each request: admit() once its head is there, handle() once its body is, and commit() if
/// that yields a Write. Failures come back as Responses in the route's dialect.
class Application {
 public:
  using Respond = UniqueFunction<void(Response)>;

  virtual ~Application() = default;

  /// Finds the route and proves the caller, before any byte of the body is read. Fills
  /// `request.caller` and `request.params`. A Response refuses the request.
  virtual std::variant<Admission, Response> admit(Request& request) = 0;

  /// Decodes and runs. Never throws: a broken environment is a 503.
  virtual Reply handle(const Admission& admission, const Request& request) = 0;

  /// Joins the next group commit. `respond` is called exactly once, on another thread, after the
  /// commit is durable or has failed. False, leaving both as they are, when too many writes wait.
  [[nodiscard]] virtual bool commit(const Admission& admission, Write& write, Respond& respond) = 0;

  /// The answer for a failure that the session itself found (a body too large, a bad head).
  virtual Response refuse(const Request& request, const Error& error) = 0;
};

}  // namespace muster::http
