// SPDX-License-Identifier: Apache-2.0
#include "vuln/rpm_builds.h"

#include <algorithm>

#include "base/text.h"
#include "version/scheme.h"

namespace muster::vuln {

namespace {

constexpr std::string_view module_mark = ".module";

/// Where the epoch's colon is, or npos.
std::size_t epoch_end(std::string_view version) noexcept {
  const auto end = version.find_first_not_of("0123456789");
  const bool epoch = end != std::string_view::npos && end > 0 && version[end] == ':';
  return epoch ? end : std::string_view::npos;
}

std::string_view without_epoch(std::string_view version) noexcept {
  const auto end = epoch_end(version);
  return end == std::string_view::npos ? version : version.substr(end + 1);
}

/// Cuts the number or word at the front off, without leading zeros; empty at the end.
std::string_view take_part(std::string_view& text) noexcept {
  const auto begin = std::find_if(text.begin(), text.end(), is_alnum);
  text.remove_prefix(static_cast<std::size_t>(begin - text.begin()));
  if (text.empty()) return {};
  const bool number = is_digit(text.front());
  const auto end = std::find_if(text.begin(), text.end(),
                                [&](char c) { return !is_alnum(c) || is_digit(c) != number; });
  std::string_view part = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(part.size());
  while (number && part.size() > 1 && part.front() == '0') part.remove_prefix(1);
  return part;
}

/// Version and release up to what the module's build added: the same for all of its rebuilds.
std::string_view before_module(std::string_view version) noexcept {
  version = without_epoch(version);
  return version.substr(0, version.find(module_mark));
}

}  // namespace

std::string_view comparable_rpm_build(std::string_view version, std::string_view other) noexcept {
  return epoch_end(other) == std::string_view::npos ? without_epoch(version) : version;
}

std::weak_ordering compare_rpm_builds(std::string_view a, std::string_view b) noexcept {
  return version::compare_valid(version::Scheme::rpm, comparable_rpm_build(a, b),
                                comparable_rpm_build(b, a));
}

bool is_modular_build(std::string_view version) noexcept {
  return version.find(module_mark) != std::string_view::npos;
}

bool may_be_of_stream(std::string_view fixed, std::string_view installed) noexcept {
  if (!is_modular_build(fixed) && !is_modular_build(installed)) return true;
  return is_modular_build(fixed) && is_modular_build(installed) &&
         common_parts(fixed, installed) > 0;
}

std::size_t common_parts(std::string_view a, std::string_view b) noexcept {
  a = before_module(a);
  b = before_module(b);
  std::size_t count = 0;
  for (;;) {
    const std::string_view part = take_part(a);
    if (part.empty() || part != take_part(b)) return count;
    ++count;
  }
}

}  // namespace muster::vuln
