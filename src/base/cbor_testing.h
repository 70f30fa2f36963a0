// SPDX-License-Identifier: Apache-2.0
// For tests only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/cbor.h"

/// The other direction of base/cbor.h: what an authenticator would write.
namespace muster::cbor {

inline std::string head(unsigned major, std::uint64_t argument) {
  std::string out;
  const auto put = [&](unsigned info, unsigned bytes) {
    out += static_cast<char>(major << 5U | info);
    while (bytes-- > 0) out += static_cast<char>(argument >> (bytes * 8U));
  };
  if (argument < 24) {
    put(static_cast<unsigned>(argument), 0);
  } else if (argument <= 0xFF) {
    put(24, 1);
  } else if (argument <= 0xFFFF) {
    put(25, 2);
  } else if (argument <= 0xFFFFFFFF) {
    put(26, 4);
  } else {
    put(27, 8);
  }
  return out;
}

inline std::string integer(std::int64_t number) {
  return number < 0 ? head(1, static_cast<std::uint64_t>(-1 - number))
                    : head(0, static_cast<std::uint64_t>(number));
}
inline std::string octets(std::string_view bytes) {
  return head(2, bytes.size()).append(bytes);
}
inline std::string text(std::string_view text) {
  return head(3, text.size()).append(text);
}
inline std::string array(const std::vector<std::string>& elements) {
  std::string out = head(4, elements.size());
  for (const std::string& each : elements) out += each;
  return out;
}
/// In the order that they are given.
inline std::string map(const std::vector<std::pair<std::string, std::string>>& members) {
  std::string out = head(5, members.size());
  for (const auto& [key, value] : members) out += key + value;
  return out;
}

/// What decodes to `value`.
inline std::string encode(const Cbor& value) {
  std::string out;
  switch (value.kind) {
    case Cbor::Kind::integer:
      return integer(value.number);
    case Cbor::Kind::octets:
      return octets(value.bytes);
    case Cbor::Kind::text:
      return text(value.bytes);
    case Cbor::Kind::array:
      out = head(4, value.items.size());
      break;
    case Cbor::Kind::map:
      out = head(5, value.items.size() / 2);
      break;
    case Cbor::Kind::boolean:
      return value.flag ? "\xF5" : "\xF4";
    case Cbor::Kind::null:
      return "\xF6";
  }
  for (const Cbor& item : value.items) out += encode(item);
  return out;
}

}  // namespace muster::cbor
