// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"

namespace muster {

/// All that a file holds; also of a pipe or a device, to its end. For files that somebody named:
/// the message begins with `path` and ends with the system's reason, "PATH: Permission denied".
/// Fails with not_found, also for a directory, and with body_too_large beyond `bytes_max` octets,
/// of which no more are read. From any thread.
Result<std::string> read_file(const std::string& path, std::size_t bytes_max);

}  // namespace muster
