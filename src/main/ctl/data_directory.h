// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "store/store.h"

namespace muster::ctl {

/// Takes the lock of a server's data directory for a verb that works on it without a server. Fails
/// with unavailable when a server holds it, and with not_found for a directory that is none unless
/// `create` is set.
Result<std::unique_ptr<store::DirectoryLock>> lock_data_directory(const std::string& directory,
                                                                  bool create);

}  // namespace muster::ctl
