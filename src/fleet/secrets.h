// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/random.h"
#include "crypto/keyed_hash.h"
#include "crypto/signing.h"

namespace muster::store {
class Store;
}

namespace muster::fleet {

/// The secrets all nodes of one store share; at rest they are sealed with the secret file.
struct ServerSecrets {
  crypto::SecretKey hash_key;             // of every keyed hash
  crypto::SigningKey::Seed signing_seed;  // signs releases for fielded agents
  crypto::SecretKey task_key;             // seals the environment variables of tasks
};

/// Reads the 32 octets of a secret file, or makes the file (mode 0600) with new ones. Throws
/// std::runtime_error for a file of another size or one that others may read.
crypto::SecretKey load_or_create_secret_file(const std::string& path, Rng& rng);

/// Reads the shared secrets, or makes them on first start. Throws std::runtime_error when they
/// were sealed with another secret file.
ServerSecrets load_or_create_secrets(store::Store& store, const crypto::SecretKey& sealing_key,
                                     Rng& rng);

}  // namespace muster::fleet
