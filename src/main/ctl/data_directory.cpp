// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/data_directory.h"

#include <filesystem>

namespace muster::ctl {

Result<std::unique_ptr<store::DirectoryLock>> lock_data_directory(const std::string& directory,
                                                                  bool create) {
  std::error_code ignored;
  if (!create && !std::filesystem::is_directory(directory, ignored)) {
    return Error{Errc::not_found,
                 directory + ": is no data directory; import a feed into it first"};
  }
  auto lock = store::DirectoryLock::acquire(directory);
  if (lock == nullptr) {
    return Error{Errc::unavailable,
                 directory + ": a server holds it; stop it first, or use --server"};
  }
  return lock;
}

}  // namespace muster::ctl
