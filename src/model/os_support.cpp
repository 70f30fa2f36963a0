// SPDX-License-Identifier: Apache-2.0
#include "model/os_support.h"

#include <string>

#include "base/check.h"

namespace muster::model {

namespace {

struct Release {
  std::string_view name;
  std::string_view standard_end;
  std::string_view extended_end;
  bool extended_for_all;
};

constexpr Release releases[] = {
#define OS_SUPPORT(release, standard_end, extended_end, extended_for_all) \
  {release, standard_end, extended_end, extended_for_all},
#include "model/os_support.def"
#undef OS_SUPPORT
};

/// Whether the day `last` is over.
bool is_over(std::string_view last, Instant now) {
  const auto day = leading_day(last);
  CHECK(day.has_value());
  return now >= *day + std::chrono::hours(24);
}

}  // namespace

std::string_view os_support_name(OsSupport::State state) {
  static constexpr std::string_view names[] = {"unknown", "supported", "extended", "end_of_life"};
  return names[static_cast<std::size_t>(state)];
}

std::optional<Instant> leading_day(std::string_view text) {
  if (text.size() < 10) return std::nullopt;
  std::string rfc3339(text.substr(0, 10));
  for (const std::size_t at : {4U, 7U}) {
    if (rfc3339[at] != '-' && rfc3339[at] != '.') return std::nullopt;
    rfc3339[at] = '-';
  }
  const auto parsed = parse_rfc3339(rfc3339 + "T00:00:00Z");
  if (!parsed.ok()) return std::nullopt;
  return *parsed;
}

OsSupport os_support(std::string_view distro, Instant now) {
  for (const Release& release : releases) {
    if (release.name != distro) continue;
    if (!is_over(release.standard_end, now)) {
      return {OsSupport::State::supported, release.standard_end, true};
    }
    if (!release.extended_end.empty() && !is_over(release.extended_end, now)) {
      return {OsSupport::State::extended, release.extended_end, release.extended_for_all};
    }
    return {OsSupport::State::end_of_life,
            release.extended_end.empty() ? release.standard_end : release.extended_end, false};
  }
  return {};
}

}  // namespace muster::model
