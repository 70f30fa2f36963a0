// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "agent/files.h"
#include "base/random.h"
#include "crypto/keyed_hash.h"

namespace muster::agent {

/// A key that only this machine has: derived from its machine-id(5). It keeps a copy of the state
/// directory (a backup, a stolen disk image without /etc) from being a copy of the agent; it keeps
/// nothing from root on this machine. Without a machine-id it is the same on all machines.
crypto::SecretKey machine_key(const std::filesystem::path& root);

/// A state directory in which the keys of the identity are encrypted: what is written as
/// `key` and `pending_key` of Identity::file stands on disk as `sealed_keys` (crypto/seal.h, in
/// hexadecimal). Everything else is as it is. A file of an older agent, with its keys in plain
/// text, is read, and sealed when it is next written. One that another machine sealed is read as it
/// stands, for decode_identity() to refuse in words.
class SealedFiles final : public Files {
 public:
  SealedFiles(Files& inner, const crypto::SecretKey& key, Rng& rng)
      : inner_(inner), key_(key), rng_(rng) {}

  std::optional<std::string> read(const std::string& name) const override;
  void write(const std::string& name, std::string_view content) override;
  void remove(const std::string& name) override { inner_.remove(name); }
  std::vector<std::string> list(const std::string& folder) const override {
    return inner_.list(folder);
  }
  std::optional<FileFacts> inspect(const std::string& name) const override {
    return inner_.inspect(name);
  }
  bool append(const std::string& name, std::int64_t offset, std::string_view bytes) override {
    return inner_.append(name, offset, bytes);
  }
  void publish(const std::string& from, const std::string& to) override {
    inner_.publish(from, to);
  }

 private:
  Files& inner_;
  crypto::SecretKey key_;
  Rng& rng_;
};

}  // namespace muster::agent
