// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>

#include <stdlib.h>
#include <unistd.h>

namespace muster {

/// Where a sync costs nothing, for tests that commit thousands of times: a file system in memory if
/// there is one and TMPDIR does not say otherwise. Programs may not run from it.
inline std::filesystem::path memory_backed_path() {
  constexpr const char* shared_memory = "/dev/shm";
  const bool usable = ::getenv("TMPDIR") == nullptr && ::access(shared_memory, W_OK | X_OK) == 0;
  return usable ? std::filesystem::path(shared_memory) : std::filesystem::temp_directory_path();
}

/// A fresh directory, by default under the system's temporary one; removed with all it holds. For
/// tests.
class TestDirectory {
 public:
  explicit TestDirectory(
      const std::filesystem::path& under = std::filesystem::temp_directory_path()) {
    std::string pattern = (under / "muster-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    path_ = pattern;
  }
  ~TestDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace muster
