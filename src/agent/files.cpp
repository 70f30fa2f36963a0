// SPDX-License-Identifier: Apache-2.0
#include "agent/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "agent/bounds.h"
#include "agent/owned_fd.h"

namespace muster::agent {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void fail(const char* what, const fs::path& path) {
  throw std::system_error(errno, std::generic_category(), std::string(what) + " " + path.string());
}

void make_private_folder(const fs::path& path) {
  fs::create_directories(path);
  struct stat facts {};
  const bool known = ::stat(path.c_str(), &facts) == 0;
  if (known && (facts.st_mode & 07777U) == 0700U) return;  // on a read-only disk, too
  if (::chmod(path.c_str(), 0700) != 0) fail("cannot protect", path);
}

void write_all(int fd, std::string_view content, const fs::path& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("cannot write", path);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
}

void sync_folder(const fs::path& folder) {
  const OwnedFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) fail("cannot sync", folder);
}

/// Nothing at the end of the file or beyond `bytes_max`; the caller tells them apart by size.
std::optional<std::string> read_descriptor(int fd, std::size_t bytes_max) {
  std::string content;
  std::array<char, 16384> block;
  for (;;) {
    const ssize_t got = ::read(fd, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) return content;
    content.append(block.data(), static_cast<std::size_t>(got));
    if (content.size() > bytes_max) return std::nullopt;
  }
}

}  // namespace

DiskFiles::DiskFiles(fs::path root) : root_(std::move(root)) {
  make_private_folder(root_);
}

DiskFiles::~DiskFiles() {
  if (lock_fd_ >= 0) ::close(lock_fd_);
}

std::optional<std::string> DiskFiles::read(const std::string& name) const {
  const fs::path path = root_ / name;
  const OwnedFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd && errno == ENOENT) return std::nullopt;
  if (!fd) fail("cannot open", path);
  auto content = read_descriptor(fd.get(), bounds::state_file_bytes);
  if (!content) {
    errno = EFBIG;
    fail("cannot read", path);
  }
  return content;
}

void DiskFiles::write(const std::string& name, std::string_view content) {
  const fs::path path = root_ / name;
  make_folder_of(path);
  const fs::path temporary = path.string() + ".new";
  {
    const OwnedFd fd(
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd) fail("cannot create", temporary);
    // An earlier crash may have left the file with other rights.
    if (::fchmod(fd.get(), 0600) != 0) fail("cannot protect", temporary);
    write_all(fd.get(), content, temporary);
    if (::fsync(fd.get()) != 0) fail("cannot sync", temporary);
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) fail("cannot rename", temporary);
  sync_folder(path.parent_path());
}

void DiskFiles::make_folder_of(const fs::path& path) const {
  const fs::path folder = path.parent_path();
  if (folder == root_ || fs::exists(folder)) return;
  make_private_folder(folder);
  sync_folder(root_);
}

void DiskFiles::remove(const std::string& name) {
  const fs::path path = root_ / name;
  if (::unlink(path.c_str()) != 0) {
    if (errno == ENOENT) return;
    fail("cannot remove", path);
  }
  sync_folder(path.parent_path());
}

std::vector<std::string> DiskFiles::list(const std::string& folder) const {
  std::vector<std::string> names;
  const fs::path path = root_ / folder;
  if (!fs::exists(path)) return names;
  for (const auto& entry : fs::directory_iterator(path)) {
    // ".new" is a write that a crash cut off: it never was.
    if (entry.is_regular_file() && entry.path().extension() != ".new") {
      names.push_back(folder + "/" + entry.path().filename().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<FileFacts> DiskFiles::inspect(const std::string& name) const {
  const fs::path path = root_ / name;
  const OwnedFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd && errno == ENOENT) return std::nullopt;
  if (!fd) fail("cannot open", path);
  FileFacts facts;
  crypto::Sha256Stream digest;
  std::array<char, 16384> block;
  for (;;) {
    const ssize_t got = ::read(fd.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("cannot read", path);
    if (got == 0) break;
    facts.size += got;
    digest.add({block.data(), static_cast<std::size_t>(got)});
  }
  facts.sha256 = digest.finish();
  return facts;
}

bool DiskFiles::append(const std::string& name, std::int64_t offset, std::string_view bytes) {
  const fs::path path = root_ / name;
  try {
    make_folder_of(path);
    const OwnedFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd) fail("cannot create", path);
    if (::ftruncate(fd.get(), offset) != 0 || ::lseek(fd.get(), offset, SEEK_SET) < 0) {
      fail("cannot cut", path);
    }
    write_all(fd.get(), bytes, path);
    if (::fsync(fd.get()) != 0) fail("cannot sync", path);
  } catch (const std::system_error&) {
    return false;
  }
  return true;
}

void DiskFiles::publish(const std::string& from, const std::string& to) {
  const fs::path path = root_ / from;
  {
    const OwnedFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd || ::fchmod(fd.get(), 0700) != 0 || ::fsync(fd.get()) != 0) fail("cannot keep", path);
  }
  if (::rename(path.c_str(), (root_ / to).c_str()) != 0) fail("cannot rename", path);
  sync_folder((root_ / to).parent_path());
}

bool DiskFiles::lock() {
  const fs::path path = root_ / "lock";
  if (lock_fd_ < 0) {
    lock_fd_ = ::open(path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  }
  if (lock_fd_ < 0) fail("cannot open", path);
  return ::flock(lock_fd_, LOCK_EX | LOCK_NB) == 0;
}

std::optional<std::string> read_unless_damaged(const Files& files, const std::string& name) {
  try {
    return files.read(name);
  } catch (const std::system_error& failure) {
    // What this process is short of, or may not do, says nothing of the file.
    for (const int damage : {EIO, EFBIG, EBADMSG, EUCLEAN}) {
      if (failure.code().value() == damage) return std::nullopt;
    }
    throw;
  }
}

std::optional<std::string> read_small_file(const fs::path& path, std::size_t bytes_max) {
  const OwnedFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return std::nullopt;
  return read_descriptor(fd.get(), bytes_max);
}

}  // namespace muster::agent
