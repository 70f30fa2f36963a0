// SPDX-License-Identifier: Apache-2.0
#include "agent/executor/private_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <vector>

namespace muster::agent {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view name_pattern = "muster-agent-XXXXXX";
constexpr std::string_view name_prefix = name_pattern.substr(0, name_pattern.size() - 6);
/// Between mkdtemp() and the lock another agent must not take it for a left one.
constexpr std::time_t age_min_seconds = 60;

std::string base_folder() {
  const char* base = std::getenv("TMPDIR");
  return base != nullptr && *base == '/' ? base : "/tmp";
}

OwnedFd open_folder(const std::string& path) {
  return OwnedFd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
}

bool take_lock(const OwnedFd& folder) {
  return ::flock(folder.get(), LOCK_EX | LOCK_NB) == 0;
}

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

PrivateDirectory::PrivateDirectory() {
  parent_ = base_folder() + "/" + std::string(name_pattern);
  if (::mkdtemp(parent_.data()) == nullptr) fail("cannot make a directory for the command");
  path_ = parent_ + "/own";
  constexpr mode_t passable = 0711;
  lock_ = open_folder(parent_);
  const bool made = lock_ && take_lock(lock_) && ::chmod(parent_.c_str(), passable) == 0 &&
                    ::mkdir(path_.c_str(), 0700) == 0;
  if (made) fd_ = open_folder(path_);
  if (!fd_) {
    const int why = errno;
    remove();
    errno = why;
    fail("cannot make a directory for the command");
  }
}

PrivateDirectory::~PrivateDirectory() {
  remove();
}

void PrivateDirectory::give_away(const Account& owner) const {
  if (::fchown(fd_.get(), owner.uid, owner.gid) != 0) {
    fail("cannot give away the command's directory");
  }
}

void PrivateDirectory::remove() {
  std::error_code ignored;  // the next start of an agent tries again
  fs::remove_all(parent_, ignored);
}

void remove_left_directories() {
  std::error_code none;
  std::vector<std::string> left;
  for (fs::directory_iterator at(base_folder(), none), end; !none && at != end;
       at.increment(none)) {
    const std::string name = at->path().filename().string();
    if (name.size() == name_pattern.size() && name.starts_with(name_prefix)) {
      left.push_back(at->path().string());
    }
  }
  for (const std::string& path : left) {
    const OwnedFd folder = open_folder(path);
    struct stat facts {};
    if (!folder || ::fstat(folder.get(), &facts) != 0 || facts.st_uid != ::geteuid()) continue;
    if (facts.st_mtime > std::time(nullptr) - age_min_seconds || !take_lock(folder)) continue;
    fs::remove_all(path, none);
  }
}

}  // namespace muster::agent
