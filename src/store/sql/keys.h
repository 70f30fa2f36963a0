// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "crypto/keyed_hash.h"
#include "model/enrolment_token.h"
#include "store/total.h"

namespace muster::store {

class Reader;
class Tx;

/// Secrets that were issued; only their keyed hashes are known here.
struct OperatorToken {
  OperatorId id;
  std::string name;
  crypto::KeyHash hash;
  std::string role;  // name of an http::Role
  Instant created_at;
  std::optional<Instant> expires_at;
  std::optional<Instant> revoked_at;
};
struct EnrolmentToken {
  OrgId org;
  TokenId id;
  crypto::KeyHash hash;
  std::int64_t max_uses = 1;
  std::int64_t uses = 0;
  Instant created_at;
  Instant expires_at;
  std::optional<Instant> revoked_at;
  model::TokenTerms terms = {};
};
/// Which enrolment tokens a list has; what is not given is any.
struct EnrolmentTokenFilter {
  std::optional<OrgId> org;
  std::optional<model::TokenState> state;
  Instant now;  // what has expired
};
struct InventoryKey {
  OrgId org;
  KeyId id;
  std::string name;
  crypto::KeyHash hash;
  std::int64_t scopes = 0;
  Instant created_at;
  std::optional<Instant> revoked_at;
};

void insert_operator_token(Tx& tx, const OperatorToken& token);
std::vector<OperatorToken> list_operator_tokens(Reader& reader);
std::optional<OperatorToken> find_operator_token(Reader& reader, OperatorId id);
/// False when there is no such live token. Nothing: it never ends.
bool set_operator_token_end(Tx& tx, OperatorId id, std::optional<Instant> expires_at);
/// False when there is no such live token.
bool revoke_operator_token(Tx& tx, OperatorId id, Instant now);

void insert_enrolment_token(Tx& tx, const EnrolmentToken& token);
std::optional<EnrolmentToken> find_enrolment_token(Reader& reader, OrgId org, TokenId id);
std::optional<EnrolmentToken> find_enrolment_token_anywhere(Reader& reader, TokenId id);
/// Newest first, `before` excluded.
std::vector<EnrolmentToken> list_enrolment_tokens(Reader& reader,
                                                  const EnrolmentTokenFilter& filter,
                                                  TokenId before, int count);
Total count_enrolment_tokens(Reader& reader, const EnrolmentTokenFilter& filter);
/// Whether the token may still be presented: it is not revoked, and has a use left or an agent that
/// has not called yet, whose enrolment may have to be repeated.
bool is_usable(Reader& reader, const EnrolmentToken& token);
/// Those that are.
std::vector<EnrolmentToken> list_usable_enrolment_tokens(Reader& reader);
/// Counts one use. False when the token is revoked, expired at `now` or used up.
bool use_enrolment_token(Tx& tx, OrgId org, TokenId id, Instant now);
/// False when there is no such live token.
bool revoke_enrolment_token(Tx& tx, OrgId org, TokenId id, Instant now);

void insert_inventory_key(Tx& tx, const InventoryKey& key);
std::vector<InventoryKey> list_inventory_keys(Reader& reader);
std::optional<InventoryKey> find_inventory_key(Reader& reader, OrgId org, KeyId id);
bool revoke_inventory_key(Tx& tx, OrgId org, KeyId id, Instant now);

/// That a host called with a site's key, written down now and then.
struct KeyUse {
  OrgId org;
  KeyId key;
  HostId host;
  Instant used_at;
};
/// Never moves used_at back.
void set_key_use(Tx& tx, const KeyUse& use);
/// All of them: for loading memory.
void for_each_key_use(Reader& reader, const std::function<void(const KeyUse&)>& each);
/// A host that may use a key still.
struct KeyUser {
  HostId host;
  std::string ip_address;  // as it was reported
};
/// Hosts that used `key` since `since` and did not use `instead` at least `apart` after it; at most
/// `count`.
std::vector<KeyUser> list_key_users(Reader& reader, OrgId org, KeyId key, KeyId instead,
                                    Instant since, Duration apart, int count);

}  // namespace muster::store
