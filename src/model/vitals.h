// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/agent.h"

namespace muster::model {

/// Vitals as they are stored: a mask byte that names the members that were sent, the lowest bit for
/// the first, and the varint of each: whole seconds of uptime, hundredths of all others. What no
/// machine has (a hundred petabytes, and more) is stored as that.
std::string pack_vitals(const Vitals& vitals);
/// Nothing for bytes that pack_vitals() does not write.
std::optional<Vitals> unpack_vitals(std::string_view bytes);

}  // namespace muster::model
