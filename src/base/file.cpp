// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace muster {

namespace {

/// Of a file whose size is not known before it was read.
constexpr std::size_t first_piece_bytes = 4096;

class Descriptor {
 public:
  explicit Descriptor(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }

 private:
  int fd_;
};

Error unreadable(const std::string& path, int reason) {
  return {Errc::not_found, path + ": " + std::generic_category().message(reason)};
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
  const Descriptor file(path);
  if (file.get() < 0) return unreadable(path, errno);
  struct stat state {};
  if (::fstat(file.get(), &state) != 0) return unreadable(path, errno);
  // One octet more than it should hold shows its end, or that it is too large.
  const std::size_t most = bytes_max + 1;
  const auto size = static_cast<std::size_t>(std::max<off_t>(state.st_size, 0));
  std::string bytes(std::min(most, size > 0 ? size + 1 : first_piece_bytes), '\0');
  std::size_t held = 0;
  for (;;) {
    const ssize_t got = ::read(file.get(), bytes.data() + held, bytes.size() - held);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return unreadable(path, errno);
    if (got == 0) break;
    held += static_cast<std::size_t>(got);
    if (held == most) {
      return Error{Errc::body_too_large,
                   path + ": is larger than " + std::to_string(bytes_max) + " bytes"};
    }
    if (held == bytes.size()) bytes.resize(std::min(most, 2 * held));
  }
  bytes.resize(held);
  return bytes;
}

}  // namespace muster
