// SPDX-License-Identifier: Apache-2.0
#include "model/event_type.h"

#include <algorithm>

namespace muster::model {

Result<EventType> read_event_type(std::string_view text, const std::string& field) {
  const auto& names = event_type_names;
  const auto found = std::find(names.begin(), names.end(), text);
  if (found != names.end()) return static_cast<EventType>(found - names.begin());
  std::string all;
  for (const std::string_view name : names) {
    if (!all.empty()) all += ", ";
    all += name;
  }
  return invalid_field(field, "must be one of " + all);
}

}  // namespace muster::model
