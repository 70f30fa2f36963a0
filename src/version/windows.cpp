// SPDX-License-Identifier: Apache-2.0
#include "version/windows.h"

#include "version/generic.h"
#include "version/parts.h"

namespace muster::version {

Result<void> validate_windows(std::string_view text) {
  if (const char* fault = generic_fault(text)) return bad_version("windows", text, fault);
  return {};
}

std::weak_ordering compare_windows(std::string_view a, std::string_view b) noexcept {
  return compare_generic(a, b);
}

}  // namespace muster::version
