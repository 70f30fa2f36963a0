// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/owned_fd.h"

namespace muster::agent {

/// Whose files are read: those of the system may be symbolic links to others of the same tree;
/// users' may not, since a user could point one at what others must not see.
enum class Links { within, none };

/// The files below a root, and nothing else: no symbolic link leads out of it (openat2(2) with
/// RESOLVE_IN_ROOT), devices, pipes and sockets are not opened. Counts what is read, up to
/// bounds::survey_*; paths are relative.
class Tree {
 public:
  /// Ends early once `stop` is true. Throws std::system_error if there is no such folder.
  Tree(const std::filesystem::path& root, const std::atomic<bool>& stop);

  /// A regular file for reading; no descriptor if it is none or may not be read.
  OwnedFd open(const std::string& path, Links links) const;
  /// All of a regular file of at most `bytes_max`; nothing for any other.
  std::optional<std::string> read(const std::string& path, std::size_t bytes_max, Links links);
  bool exists(const std::string& path) const;
  /// Calls `take` with every path that fits the pattern, in order: parts divided by slashes, in
  /// which `*` is any text (and no name that begins with a dot, unless the pattern does).
  void match(std::string_view pattern, Links links,
             const std::function<void(const std::string& path)>& take);

  bool stopped() const { return stop_; }
  /// Whether a bound was reached, so that something was left out.
  bool exhausted() const { return exhausted_; }

 private:
  std::vector<std::string> list(const std::string& folder, std::string_view pattern, Links links);
  void match_from(const std::string& done, std::string_view pattern, Links links,
                  const std::function<void(const std::string& path)>& take);
  OwnedFd open_any(const std::string& path, Links links, int flags) const;

  OwnedFd root_;
  const std::atomic<bool>& stop_;
  std::size_t names_ = 0;
  std::uint64_t bytes_ = 0;
  bool exhausted_ = false;
};

/// Whether `name` fits `pattern`, in which `*` is any text.
bool fits(std::string_view name, std::string_view pattern);

}  // namespace muster::agent
