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
/// bounds::survey_*; paths are relative. Where this process is short of descriptors or memory, and
/// on a kernel before Linux 5.6, every call throws std::system_error: nothing is absent for that.
///
/// Of several folders, the layers of an image, it is the one view that overlayfs gives
/// (Documentation/filesystems/overlayfs.rst): an upper file hides the lower one, a whiteout hides
/// it without being there, an opaque folder all that is below it. A symbolic link leads within its
/// own layer only. Whether a folder is opaque stands in an attribute that the kernel shows to none
/// but CAP_SYS_ADMIN; to others no folder is.
class Tree {
 public:
  /// Ends early once `stop` is true. Throws std::system_error if there is no such folder.
  Tree(const std::filesystem::path& root, const std::atomic<bool>& stop);
  /// The uppermost layer first; one at least.
  Tree(const std::vector<std::filesystem::path>& layers, const std::atomic<bool>& stop);

  /// A regular file for reading; no descriptor if it is none or may not be read.
  OwnedFd open(const std::string& path, Links links) const;
  /// All of a regular file of at most `bytes_max`; nothing for any other.
  std::optional<std::string> read(const std::string& path, std::size_t bytes_max, Links links);
  /// Throws std::system_error when that cannot be told.
  bool exists(const std::string& path) const;
  /// Where a regular file is that no symbolic link leads to, for those who must open it by name.
  std::optional<std::filesystem::path> place_of(const std::string& path) const;
  /// Calls `take` with every path that fits the pattern, in order: parts divided by slashes, in
  /// which `*` is any text (and no name that begins with a dot, unless the pattern does).
  void match(std::string_view pattern, Links links,
             const std::function<void(const std::string& path)>& take);

  /// Whether these are layers, which nobody writes any more.
  bool layered() const { return layered_; }
  bool stopped() const { return stop_; }
  const std::atomic<bool>& stop() const { return stop_; }
  /// Whether a bound was reached, so that something was left out.
  bool exhausted() const { return exhausted_; }

 private:
  struct Layer {
    std::filesystem::path path;
    OwnedFd root;
  };

  /// The uppermost file or folder of that name, by open(2)'s flags. With `must_know` it throws
  /// std::system_error unless it is there, or certainly is not.
  OwnedFd open_any(const std::string& path, Links links, int flags, const Layer** where = nullptr,
                   bool must_know = false) const;
  std::vector<std::string> list(const std::string& folder, std::string_view pattern, Links links);
  void match_from(const std::string& done, std::string_view pattern, Links links,
                  const std::function<void(const std::string& path)>& take);

  std::vector<Layer> layers_;
  bool layered_ = true;
  const std::atomic<bool>& stop_;
  std::size_t names_ = 0;
  std::uint64_t bytes_ = 0;
  bool exhausted_ = false;
};

/// Whether `name` fits `pattern`, in which `*` is any text.
bool fits(std::string_view name, std::string_view pattern);

}  // namespace muster::agent
