// SPDX-License-Identifier: Apache-2.0
#include "model/vitals.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "base/varint.h"

namespace muster::model {

namespace {

struct Packed {
  double Vitals::*member;
  double scale;
};
constexpr std::array<Packed, 7> members = {{{&Vitals::uptime_seconds, 1},
                                            {&Vitals::cpu_percent, 100},
                                            {&Vitals::memory_mb, 100},
                                            {&Vitals::total_memory_mb, 100},
                                            {&Vitals::disk_free_mb, 100},
                                            {&Vitals::process_cpu_percent, 100},
                                            {&Vitals::process_memory_mb, 100}}};
constexpr std::uint64_t value_max = std::uint64_t{1} << 47;

}  // namespace

std::string pack_vitals(const Vitals& vitals) {
  std::string bytes(1, '\0');
  for (std::size_t i = 0; i < members.size(); ++i) {
    const double value = vitals.*members[i].member;
    if (!(value >= 0)) continue;
    bytes[0] = static_cast<char>(bytes[0] | 1 << i);
    put_varint(bytes, static_cast<std::uint64_t>(std::min(std::round(value * members[i].scale),
                                                          static_cast<double>(value_max))));
  }
  return bytes;
}

std::optional<Vitals> unpack_vitals(std::string_view bytes) {
  if (bytes.empty()) return std::nullopt;
  const auto mask = static_cast<unsigned char>(bytes[0]);
  if (mask >> members.size() != 0) return std::nullopt;
  bytes.remove_prefix(1);
  Vitals vitals;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if ((mask >> i & 1) == 0) continue;
    const auto value = take_varint(bytes);
    if (!value || *value > value_max) return std::nullopt;
    vitals.*members[i].member = static_cast<double>(*value) / members[i].scale;
  }
  if (!bytes.empty()) return std::nullopt;
  return vitals;
}

}  // namespace muster::model
