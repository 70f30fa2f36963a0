// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/sha256.h"

namespace muster::agent {

/// What a large file holds, without holding it.
struct FileFacts {
  std::int64_t size = 0;
  crypto::Sha256 sha256;
};

/// The agent's state directory: small whole files by relative name ("identity.json",
/// "journal/<id>.json"). Failures of the disk are exceptions.
class Files {
 public:
  virtual ~Files() = default;
  /// Nothing if there is no such file.
  virtual std::optional<std::string> read(const std::string& name) const = 0;
  /// Replaces the file as one step: after a crash it holds the old or the new content, whole. On
  /// return the new content is on disk.
  virtual void write(const std::string& name, std::string_view content) = 0;
  /// No such file is no failure.
  virtual void remove(const std::string& name) = 0;
  /// Names in a folder, as read() takes them, sorted.
  virtual std::vector<std::string> list(const std::string& folder) const = 0;

  // Programs, which are too large for that.

  /// Nothing if there is no such file.
  virtual std::optional<FileFacts> inspect(const std::string& name) const = 0;
  /// Makes the file `offset` octets of what it was and `bytes` after them. On return all of it is
  /// on disk; after a crash the tail may hold anything. False when the disk does not take it.
  virtual bool append(const std::string& name, std::int64_t offset, std::string_view bytes) = 0;
  /// Makes `from` a program under the name `to`, as one step that is on disk on return.
  virtual void publish(const std::string& from, const std::string& to) = 0;
};

/// Files below a directory of mode 0700, each of mode 0600.
class DiskFiles final : public Files {
 public:
  /// Creates the directory if needed and takes its mode back to 0700. Throws std::system_error.
  explicit DiskFiles(std::filesystem::path root);
  ~DiskFiles() override;
  DiskFiles(const DiskFiles&) = delete;
  DiskFiles& operator=(const DiskFiles&) = delete;

  std::optional<std::string> read(const std::string& name) const override;
  void write(const std::string& name, std::string_view content) override;
  void remove(const std::string& name) override;
  std::vector<std::string> list(const std::string& folder) const override;
  std::optional<FileFacts> inspect(const std::string& name) const override;
  bool append(const std::string& name, std::int64_t offset, std::string_view bytes) override;
  void publish(const std::string& from, const std::string& to) override;

  std::filesystem::path path_of(const std::string& name) const { return root_ / name; }
  /// Takes the directory for this process until it ends; false if another one has it.
  bool lock();

 private:
  void make_folder_of(const std::filesystem::path& path) const;

  std::filesystem::path root_;
  int lock_fd_ = -1;
};

/// As read(), of a file that may be lost: nothing also for one that is there and that a damaged
/// disk does not give back.
std::optional<std::string> read_unless_damaged(const Files& files, const std::string& name);

/// At most `bytes_max` bytes of a file; nothing if it cannot be opened, read, or is larger.
std::optional<std::string> read_small_file(const std::filesystem::path& path,
                                           std::size_t bytes_max);

}  // namespace muster::agent
