// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/host_query.h"

/// The words of the query language, for its reader and its writer.
namespace muster::model::query_words {

struct AgeUnit {
  char letter;
  Duration length;
};
inline constexpr std::array<AgeUnit, 5> age_units = {{{'w', std::chrono::hours(7 * 24)},
                                                      {'d', std::chrono::hours(24)},
                                                      {'h', std::chrono::hours(1)},
                                                      {'m', std::chrono::minutes(1)},
                                                      {'s', std::chrono::seconds(1)}}};

struct Symbol {
  std::string_view text;
  Comparison comparison;
  bool negated = false;
};
// Longer ones before those that they begin with.
inline constexpr std::array<Symbol, 7> symbols = {{{"<=", Comparison::at_most},
                                                   {">=", Comparison::at_least},
                                                   {"!=", Comparison::equal, true},
                                                   {"<", Comparison::below},
                                                   {">", Comparison::above},
                                                   {":", Comparison::equal},
                                                   {"=", Comparison::equal}}};

// In the order of their enumerators.
inline constexpr std::array<std::string_view, 3> presences = {"online", "offline", "unknown"};
inline constexpr std::array<std::string_view, 3> agent_states = {"none", "active", "disabled"};
inline constexpr std::array<std::string_view, 2> flags = {"false", "true"};

/// Whether a term of the field is looked up in the store (limits::query_lookups).
inline bool is_lookup(HostFieldKind kind) {
  return kind == HostFieldKind::package || kind == HostFieldKind::flaw ||
         kind == HostFieldKind::severity || kind == HostFieldKind::flag;
}

inline bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

}  // namespace muster::model::query_words
