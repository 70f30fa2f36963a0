// SPDX-License-Identifier: Apache-2.0
#include "agent/collectors/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>

#include "agent/bounds.h"

namespace muster::agent {

Tree::Tree(const std::filesystem::path& root, const std::atomic<bool>& stop)
    : root_(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)), stop_(stop) {
  if (!root_) {
    throw std::system_error(errno, std::generic_category(), "cannot open " + root.string());
  }
}

OwnedFd Tree::open_any(const std::string& path, Links links, int flags) const {
  open_how how{};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  constexpr unsigned within = RESOLVE_NO_MAGICLINKS | RESOLVE_IN_ROOT;
  constexpr unsigned none = RESOLVE_NO_MAGICLINKS | RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  how.resolve = links == Links::within ? within : none;
  const char* name = path.empty() ? "." : path.c_str();
  return OwnedFd(static_cast<int>(::syscall(SYS_openat2, root_.get(), name, &how, sizeof how)));
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
  return static_cast<bool>(open_any(path, Links::within, O_PATH));
}

std::vector<std::string> Tree::list(const std::string& folder, std::string_view pattern,
                                    Links links) {
  std::vector<std::string> names;
  OwnedFd fd = open_any(folder, links, O_RDONLY | O_DIRECTORY);
  if (!fd) return names;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::fdopendir(fd.get()), &::closedir);
  if (!directory) return names;
  fd.release();
  while (const dirent* entry = ::readdir(directory.get())) {
    if (++names_ > bounds::survey_names) {
      exhausted_ = true;
      break;
    }
    const std::string_view name = entry->d_name;
    if (name == "." || name == ".." || (name.front() == '.' && pattern.front() != '.')) continue;
    if (fits(name, pattern)) names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
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
