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
  const auto written = ::write(file, content.data(), content.size());
  const bool whole = written == static_cast<ssize_t>(content.size()) && ::fsync(file) == 0;
  ::close(file);
  if (!whole) return invalid_field(path, "cannot be written");
  return {};
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
