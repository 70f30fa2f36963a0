// SPDX-License-Identifier: Apache-2.0
#include "agent/collectors/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <set>
#include <system_error>
#include <utility>

#include "agent/bounds.h"

namespace muster::agent {

namespace {

/// Says nothing of the file, but of this process and its kernel.
bool is_short(int error) {
  return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOSYS;
}

[[noreturn]] void fail(int error, const std::string& path) {
  throw std::system_error(error, std::generic_category(), "cannot look for /" + path);
}

/// Throws std::system_error when it is_short(): an absent file would be a removed one.
OwnedFd open_below(const OwnedFd& root, const std::string& path, Links links, int flags) {
  open_how how{};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  constexpr unsigned within = RESOLVE_NO_MAGICLINKS | RESOLVE_IN_ROOT;
  constexpr unsigned none = RESOLVE_NO_MAGICLINKS | RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  how.resolve = links == Links::within ? within : none;
  const char* name = path.empty() ? "." : path.c_str();
  const auto fd = ::syscall(SYS_openat2, root.get(), name, &how, sizeof how);
  if (fd < 0 && is_short(errno)) fail(errno, path);
  return OwnedFd(static_cast<int>(fd));
}

bool is_whiteout(const struct stat& facts) {
  return S_ISCHR(facts.st_mode) && facts.st_rdev == 0;
}

bool is_opaque(const OwnedFd& folder) {
  const std::string path = "/proc/self/fd/" + std::to_string(folder.get());
  for (const char* name : {"trusted.overlay.opaque", "user.overlay.opaque"}) {
    char value = 0;
    if (::getxattr(path.c_str(), name, &value, 1) == 1 && value == 'y') return true;
  }
  return false;
}

/// Whether this layer hides what lower ones have of `path`: it removed or replaced that, or a
/// folder around it.
bool hides(const OwnedFd& layer, const std::string& path) {
  for (std::size_t end = 0; end != std::string::npos && !path.empty();) {
    end = path.find('/', end + 1);
    const std::string part = path.substr(0, end);
    const OwnedFd fd = open_below(layer, part, Links::none, O_PATH | O_NOFOLLOW);
    struct stat facts {};
    if (!fd || ::fstat(fd.get(), &facts) != 0) return false;  // nor is anything below it here
    if (!S_ISDIR(facts.st_mode) || is_opaque(fd)) return true;
  }
  return false;
}

}  // namespace

Tree::Tree(const std::filesystem::path& root, const std::atomic<bool>& stop)
    : Tree(std::vector{root}, stop) {
  layered_ = false;
}

Tree::Tree(const std::vector<std::filesystem::path>& layers, const std::atomic<bool>& stop)
    : stop_(stop) {
  for (const std::filesystem::path& layer : layers) {
    OwnedFd root(::open(layer.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!root) {
      throw std::system_error(errno, std::generic_category(), "cannot open " + layer.string());
    }
    layers_.push_back({layer, std::move(root)});
  }
}

OwnedFd Tree::open_any(const std::string& path, Links links, int flags, const Layer** where,
                       bool must_know) const {
  for (const Layer& layer : layers_) {
    OwnedFd fd = open_below(layer.root, path, links, flags);
    if (!fd && must_know && errno != ENOENT && errno != ENOTDIR) fail(errno, path);
    struct stat facts {};
    if (fd && ::fstat(fd.get(), &facts) == 0 && !is_whiteout(facts)) {
      if (where != nullptr) *where = &layer;
      return fd;
    }
    if (&layer != &layers_.back() && hides(layer.root, path)) break;
  }
  return {};
}

OwnedFd Tree::open(const std::string& path, Links links) const {
  // Opening a pipe must not wait for its other end, nor a terminal become ours.
  OwnedFd fd = open_any(path, links, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  struct stat facts {};
  if (!fd || ::fstat(fd.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) return {};
  return fd;
}

std::optional<std::string> Tree::read(const std::string& path, std::size_t bytes_max, Links links) {
  const OwnedFd fd = open(path, links);
  if (!fd) return std::nullopt;
  struct stat facts {};
  if (::fstat(fd.get(), &facts) != 0) return std::nullopt;
  const auto said = static_cast<std::size_t>(std::max<off_t>(facts.st_size, 0));
  if (said > bytes_max) return std::nullopt;
  if (bytes_ + said > bounds::survey_bytes) {
    exhausted_ = true;
    return std::nullopt;
  }
  // One more than it says, so that a file that grows meanwhile is seen to.
  std::string content(said + 1, '\0');
  std::size_t size = 0;
  while (size < content.size()) {
    const ssize_t got = ::read(fd.get(), content.data() + size, content.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > said) return std::nullopt;
  bytes_ += size;
  content.resize(size);
  return content;
}

bool Tree::exists(const std::string& path) const {
  return static_cast<bool>(open_any(path, Links::within, O_PATH, nullptr, true));
}

std::optional<std::filesystem::path> Tree::place_of(const std::string& path) const {
  const Layer* where = nullptr;
  const OwnedFd fd = open_any(path, Links::none, O_PATH, &where);
  struct stat facts {};
  if (!fd || ::fstat(fd.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) return std::nullopt;
  return where->path / path;
}

std::vector<std::string> Tree::list(const std::string& folder, std::string_view pattern,
                                    Links links) {
  std::set<std::string> names;
  std::set<std::string> hidden;
  for (const Layer& layer : layers_) {
    OwnedFd fd = open_below(layer.root, folder, links, O_RDONLY | O_DIRECTORY);
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(fd ? ::fdopendir(fd.get()) : nullptr,
                                                        &::closedir);
    if (directory) fd.release();
    while (const dirent* entry = directory ? ::readdir(directory.get()) : nullptr) {
      if (++names_ > bounds::survey_names) {
        exhausted_ = true;
        break;
      }
      const std::string_view name = entry->d_name;
      if (name == "." || name == ".." || (name.front() == '.' && pattern.front() != '.')) continue;
      if (!fits(name, pattern) || hidden.contains(std::string(name))) continue;
      struct stat facts {};
      const bool maybe_whiteout = entry->d_type == DT_CHR || entry->d_type == DT_UNKNOWN;
      if (maybe_whiteout &&
          ::fstatat(::dirfd(directory.get()), entry->d_name, &facts, AT_SYMLINK_NOFOLLOW) == 0 &&
          is_whiteout(facts)) {
        if (!names.contains(std::string(name))) hidden.emplace(name);
      } else {
        names.emplace(name);
      }
    }
    if (&layer != &layers_.back() && hides(layer.root, folder)) break;
  }
  return {names.begin(), names.end()};
}

void Tree::match_from(const std::string& done, std::string_view pattern, Links links,
                      const std::function<void(const std::string& path)>& take) {
  if (stop_ || exhausted_) return;
  const std::size_t slash = pattern.find('/');
  const std::string_view part = pattern.substr(0, slash);
  const bool last = slash == std::string_view::npos;
  const std::string_view rest = last ? std::string_view() : pattern.substr(slash + 1);
  const auto go_on = [&](std::string_view name) {
    const std::string path = done.empty() ? std::string(name) : done + "/" + std::string(name);
    last ? take(path) : match_from(path, rest, links, take);
  };
  if (part.find('*') == std::string_view::npos) return go_on(part);
  for (const std::string& name : list(done, part, links)) go_on(name);
}

void Tree::match(std::string_view pattern, Links links,
                 const std::function<void(const std::string& path)>& take) {
  match_from("", pattern, links, take);
}

bool fits(std::string_view name, std::string_view pattern) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return name == pattern;
  if (!name.starts_with(pattern.substr(0, star))) return false;
  name.remove_prefix(star);
  pattern.remove_prefix(star + 1);
  // Each further piece where it is first found: leaves most for those after it.
  for (;;) {
    const std::size_t next = pattern.find('*');
    if (next == std::string_view::npos) return name.ends_with(pattern);
    const std::size_t at = name.find(pattern.substr(0, next));
    if (at == std::string_view::npos) return false;
    name.remove_prefix(at + next);
    pattern.remove_prefix(next + 1);
  }
}

}  // namespace muster::agent
