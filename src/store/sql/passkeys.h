// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "crypto/keyed_hash.h"

namespace muster::store {

class Reader;
class Tx;

/// A key pair of an operator's authenticator, of which the public half is here.
struct Passkey {
  PasskeyId id;
  OperatorId operator_id;
  std::string name;           // that its operator gave it
  std::string credential_id;  // octets; no two passkeys have the same
  std::string public_key;     // COSE_Key (crypto/cose_key.h)
  std::int64_t sign_count = 0;
  bool backup_eligible = false;
  bool backed_up = false;
  Instant created_at;
  std::optional<Instant> used_at;
};
void insert_passkey(Tx& tx, const Passkey& passkey);
std::optional<Passkey> find_passkey(Reader& reader, PasskeyId id);
std::optional<Passkey> find_passkey(Reader& reader, std::string_view credential_id);
/// In the order of their creation.
std::vector<Passkey> list_passkeys(Reader& reader, OperatorId id);
void set_passkey_name(Tx& tx, PasskeyId id, std::string_view name);
/// False, and nothing is changed, when `sign_count` is not above the last one: zero beside zero is
/// of an authenticator that does not count.
bool use_passkey(Tx& tx, PasskeyId id, std::int64_t sign_count, bool backed_up, Instant now);
void delete_passkey(Tx& tx, PasskeyId id);
void delete_passkeys(Tx& tx, OperatorId id);

/// False when it was used before. Forgets those that had expired at `forgotten`.
bool use_challenge(Tx& tx, const crypto::KeyHash& hash, Instant expires_at, Instant forgotten);

}  // namespace muster::store
