// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace muster::model {

/// What may happen to an agent, host or organisation; event_types.def is the list.
enum class EventType : std::uint8_t {
#define EVENT_TYPE(name, what) name,
#include "model/event_types.def"
#undef EVENT_TYPE
};
inline constexpr std::size_t event_type_count = 0
#define EVENT_TYPE(name, what) +1
#include "model/event_types.def"
#undef EVENT_TYPE
    ;

inline constexpr std::array<std::string_view, event_type_count> event_type_names = {
#define EVENT_TYPE(name, what) #name,
#include "model/event_types.def"
#undef EVENT_TYPE
};
/// "came_online", as it is stored and on the wire.
constexpr std::string_view event_type_name(EventType type) {
  return event_type_names[static_cast<std::size_t>(type)];
}
/// Fails with invalid_field of `field`, which names all types.
Result<EventType> read_event_type(std::string_view text, const std::string& field);

}  // namespace muster::model
