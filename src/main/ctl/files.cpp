// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/files.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include "base/limits.h"

namespace muster::ctl {

namespace {

/// Writes all of it to the disk; 0, or the system's error.
int write_whole(int file, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(file, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(file) == 0 ? 0 : errno;
}

}  // namespace

Result<void> with_input(const Shell& shell, const std::string& path,
                        const std::function<Result<void>(std::istream&)>& use) {
  if (path == "-") return use(shell.in());
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{Errc::not_found, path + ": " + std::strerror(errno)};
  // One opens as a file does, and throws when it is read.
  std::error_code none;
  if (std::filesystem::is_directory(path, none)) {
    return Error{Errc::not_found, path + ": " + std::strerror(EISDIR)};
  }
  return use(file);
}

Result<void> write_new_file(const std::string& path, std::string_view content, int mode) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (file < 0) return invalid_field(path, std::strerror(errno));
  const int failure = write_whole(file, content);
  ::close(file);
  if (failure == 0) return {};
  // Half a key would stand in the way of the next attempt.
  ::unlink(path.c_str());
  return invalid_field(path, std::strerror(failure));
}

Result<crypto::Sha256> upload_file(Session& session, const std::string& path,
                                   std::string_view org) {
  std::string bytes = TRY(read_file(path, limits::blob_bytes));
  const crypto::Sha256 digest = crypto::sha256(bytes);
  std::string target = "/api/v1/blobs?sha256=" + digest.text();
  if (!org.empty()) target.append("&org=").append(encode_component(org));
  TRY(session.call(http::Method::post, std::move(target), std::move(bytes),
                   "application/octet-stream"));
  return digest;
}

}  // namespace muster::ctl
