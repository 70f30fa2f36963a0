// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "endpoints/app.h"

namespace muster {

/// The console as this was built with (tools/embed_console.py); none with MUSTER_CONSOLE=OFF.
std::span<const endpoints::ConsoleFile> console_files();

}  // namespace muster
