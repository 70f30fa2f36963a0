// SPDX-License-Identifier: Apache-2.0
#include "endpoints/failure_log.h"

#include <utility>

namespace muster::endpoints {

void FailureLog::note(std::string_view where, std::string_view what) {
  const bool first = routes_.with([&](Routes& routes) {
    const auto [route, is_new] = routes.try_emplace(where);
    if (is_new) return true;
    ++route->second.count;
    route->second.what = what;
    return false;
  });
  if (!first) return;
  log_.write(LogLevel::error, "request_failed",
             [&](JsonWriter& fields) { fields.member("where", where).member("what", what); });
}

void FailureLog::tell(Instant now) {
  if (told_at_ && std::chrono::abs(now - *told_at_) < tell_every) return;
  told_at_ = now;
  const Routes to_tell = routes_.with([](Routes& routes) {
    std::erase_if(routes, [](const auto& route) { return route.second.count == 0; });
    Routes noted = routes;
    for (auto& [where, unlogged] : routes) unlogged = {};
    return noted;
  });
  for (const auto& [where, unlogged] : to_tell) {
    log_.write(
        LogLevel::error, "requests_failed", [&route = where, &more = unlogged](JsonWriter& fields) {
          fields.member("where", route).member("count", more.count).member("what", more.what);
        });
  }
}

}  // namespace muster::endpoints
