// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/ids.h"

namespace muster::store {

/// Says that other servers on the same database have to read something anew.
struct Announcement {
  std::string_view kind;  // a literal
  OrgId org;
  std::string subject;  // id within the kind
};

}  // namespace muster::store
