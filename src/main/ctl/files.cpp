// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/files.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include <fcntl.h>
#include <unistd.h>

#include "base/limits.h"

namespace muster::ctl {

Result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const auto size = file.tellg();
  if (!file || size < 0) return Error{Errc::not_found, path + ": cannot be read"};
  if (static_cast<std::size_t>(size) > bytes_max) {
    return Error{Errc::body_too_large, path + ": is larger than the " + std::to_string(bytes_max) +
                                           " bytes that a server takes"};
  }
  std::string bytes(static_cast<std::size_t>(size), '\0');
  file.seekg(0);
  file.read(bytes.data(), size);
  if (!file) return Error{Errc::not_found, path + ": cannot be read"};
  return bytes;
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
