// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace muster::vuln {

/// Names the sources that an index follows from. Made by the build (vuln/CMakeLists.txt).
extern const char* const index_form;

}  // namespace muster::vuln
