// SPDX-License-Identifier: Apache-2.0
#include "endpoints/failure_log.h"

namespace muster::endpoints {

void FailureLog::note(const Kind& kind, std::string_view what) {
  const bool first = kinds_.with([&](Kinds& kinds) {
    const auto [found, is_new] = kinds.try_emplace(kind);
    if (is_new) return true;
    ++found->second.count;
    found->second.what = what;
    return false;
  });
  if (first) write(kind, what, {});
}

void FailureLog::tell(Instant now) {
  if (told_at_ && std::chrono::abs(now - *told_at_) < tell_every) return;
  told_at_ = now;
  const Kinds to_tell = kinds_.with([](Kinds& kinds) {
    std::erase_if(kinds, [](const auto& each) { return each.second.count == 0; });
    Kinds noted = kinds;
    for (auto& [kind, unlogged] : kinds) unlogged = {};
    return noted;
  });
  for (const auto& [kind, unlogged] : to_tell) write(kind, unlogged.what, unlogged.count);
}

void FailureLog::write(const Kind& kind, std::string_view what, std::optional<std::int64_t> count) {
  log_.write(kind.level, kind.event, [&](JsonWriter& fields) {
    if (!kind.where.empty()) fields.member("where", kind.where);
    fields.member("what", what);
    if (count) fields.member("count", *count);
  });
}

}  // namespace muster::endpoints
