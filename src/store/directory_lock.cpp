// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store.h"

namespace muster::store {

std::unique_ptr<DirectoryLock> DirectoryLock::acquire(const std::string& directory) {
  std::error_code failure;
  const bool created = std::filesystem::create_directories(directory, failure);
  if (failure) throw StoreError("cannot make " + directory + ": " + failure.message());
  if (created) ::chmod(directory.c_str(), 0700);
  const std::string path = directory + "/lock";
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) throw StoreError("cannot open " + path + ": " + std::strerror(errno));
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    ::close(descriptor);
    return nullptr;
  }
  return std::unique_ptr<DirectoryLock>(new DirectoryLock(descriptor));
}

DirectoryLock::~DirectoryLock() {
  ::close(descriptor_);
}

}  // namespace muster::store
