// SPDX-License-Identifier: Apache-2.0
#include "fleet/secrets.h"

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/seal.h"
#include "store/sql/orgs.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw std::runtime_error("secret file " + path + ": " + why);
}

struct Descriptor {
  int value;
  ~Descriptor() {
    if (value >= 0) ::close(value);
  }
};

crypto::SecretKey read_secret(int descriptor, const std::string& path) {
  struct stat about {};
  if (::fstat(descriptor, &about) != 0) refuse(path, std::strerror(errno));
  if ((about.st_mode & 077) != 0) refuse(path, "other users may read it; set its mode to 0600");
  crypto::SecretKey key{};
  if (about.st_size != static_cast<off_t>(key.size()) ||
      ::read(descriptor, key.data(), key.size()) != static_cast<ssize_t>(key.size())) {
    refuse(path, "must hold exactly 32 octets");
  }
  return key;
}

/// The sealed secret of that name, made with `rng` if there is none.
std::array<std::uint8_t, 32> shared_secret(store::Tx& tx, std::string_view name,
                                           const crypto::SecretKey& sealing_key, Rng& rng) {
  std::array<std::uint8_t, 32> secret{};
  if (const auto sealed = store::find_secret(tx, name)) {
    const auto opened = crypto::unseal(*sealed, sealing_key);
    if (!opened || opened->size() != secret.size()) {
      throw std::runtime_error("the store's secrets were sealed with another secret file");
    }
    std::memcpy(secret.data(), opened->data(), secret.size());
    return secret;
  }
  rng.fill(std::as_writable_bytes(std::span(secret)));
  const std::string_view octets(reinterpret_cast<const char*>(secret.data()), secret.size());
  store::insert_secret(tx, name, crypto::seal(octets, sealing_key, rng));
  return secret;
}

}  // namespace

crypto::SecretKey load_or_create_secret_file(const std::string& path, Rng& rng) {
  const Descriptor existing{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (existing.value >= 0) return read_secret(existing.value, path);
  if (errno != ENOENT) refuse(path, std::strerror(errno));
  crypto::SecretKey key{};
  rng.fill(std::as_writable_bytes(std::span(key)));
  const Descriptor made{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  if (made.value < 0) refuse(path, std::strerror(errno));
  if (::write(made.value, key.data(), key.size()) != static_cast<ssize_t>(key.size()) ||
      ::fsync(made.value) != 0) {
    refuse(path, std::strerror(errno));
  }
  return key;
}

ServerSecrets load_or_create_secrets(store::Store& store, const crypto::SecretKey& sealing_key,
                                     Rng& rng) {
  return store.write([&](store::Tx& tx) {
    return ServerSecrets{shared_secret(tx, "hash_key", sealing_key, rng),
                         shared_secret(tx, "signing_seed", sealing_key, rng),
                         shared_secret(tx, "task_key", sealing_key, rng)};
  });
}

}  // namespace muster::fleet
