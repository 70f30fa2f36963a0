// SPDX-License-Identifier: Apache-2.0
#include "model/cvss.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace muster::model {

namespace {

enum Metric : std::size_t { av, ac, pr, ui, scope, c, i, a, metric_count };

struct Value {
  Metric metric;
  std::string_view text;
  double weight;
};

constexpr Value values[] = {
    {av, "AV:N", 0.85},  {av, "AV:A", 0.62}, {av, "AV:L", 0.55}, {av, "AV:P", 0.2},
    {ac, "AC:L", 0.77},  {ac, "AC:H", 0.44}, {pr, "PR:N", 0.85}, {pr, "PR:L", 0.62},
    {pr, "PR:H", 0.27},  {ui, "UI:N", 0.85}, {ui, "UI:R", 0.62}, {scope, "S:U", 0.0},
    {scope, "S:C", 1.0}, {c, "C:H", 0.56},   {c, "C:L", 0.22},   {c, "C:N", 0.0},
    {i, "I:H", 0.56},    {i, "I:L", 0.22},   {i, "I:N", 0.0},    {a, "A:H", 0.56},
    {a, "A:L", 0.22},    {a, "A:N", 0.0},
};

/// A privilege on one authority counts for more when the flaw reaches into another.
double privileges(double weight, bool changed) {
  if (!changed) return weight;
  if (weight == 0.62) return 0.68;
  return weight == 0.27 ? 0.5 : weight;
}

/// The smallest number of tenths that is not below `score`, as the specification's appendix A
/// computes it, free of the error of binary fractions.
std::uint8_t round_up_tenths(double score) {
  const auto scaled = static_cast<std::int64_t>(std::llround(score * 100'000));
  return static_cast<std::uint8_t>((scaled + 9'999) / 10'000);
}

}  // namespace

std::optional<std::uint8_t> cvss3_base_tenths(std::string_view vector) {
  if (!vector.starts_with("CVSS:3.0/") && !vector.starts_with("CVSS:3.1/")) return std::nullopt;
  vector.remove_prefix(9);
  std::array<double, metric_count> weight{};
  std::array<bool, metric_count> present{};
  while (!vector.empty()) {
    const std::size_t end = std::min(vector.find('/'), vector.size());
    const std::string_view text = vector.substr(0, end);
    vector.remove_prefix(std::min(end + 1, vector.size()));
    for (const Value& value : values) {
      if (value.text != text) continue;
      if (present[value.metric]) return std::nullopt;
      present[value.metric] = true;
      weight[value.metric] = value.weight;
    }
  }
  if (!std::all_of(present.begin(), present.end(), [](bool each) { return each; })) {
    return std::nullopt;
  }
  const bool changed = weight[scope] == 1.0;
  const double base = 1.0 - (1.0 - weight[c]) * (1.0 - weight[i]) * (1.0 - weight[a]);
  const double impact =
      changed ? 7.52 * (base - 0.029) - 3.25 * std::pow(base - 0.02, 15) : 6.42 * base;
  if (impact <= 0.0) return 0;
  const double exploitability =
      8.22 * weight[av] * weight[ac] * privileges(weight[pr], changed) * weight[ui];
  const double sum = impact + exploitability;
  return round_up_tenths(std::min(changed ? 1.08 * sum : sum, 10.0));
}

Severity severity_of_cvss(std::uint8_t tenths) {
  if (tenths == 0) return Severity::negligible;
  if (tenths < 40) return Severity::low;
  if (tenths < 70) return Severity::medium;
  return tenths < 90 ? Severity::high : Severity::critical;
}

}  // namespace muster::model
