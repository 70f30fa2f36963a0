// SPDX-License-Identifier: Apache-2.0
// Tokens and keys that operators issue: declared in fleet/enrolment.h.
#include <algorithm>

#include "crypto/random.h"
#include "fleet/announcements.h"
#include "fleet/enrolment.h"
#include "store/sql/keys.h"
#include "store/store.h"

namespace muster::fleet {

CreatedToken create_enrolment_token(store::Tx& tx, NumberIds& ids, Rng& rng,
                                    Credentials& credentials, const Actor& actor, OrgId org,
                                    Duration ttl, std::int64_t max_uses, Instant now) {
  CreatedToken created{ids.next<TokenId>(now), crypto::make_key_text("et_", rng), now + ttl};
  const store::EnrolmentToken row{org,
                                  created.id,
                                  credentials.hash(created.token),
                                  max_uses,
                                  0,
                                  now,
                                  created.expires_at,
                                  std::nullopt};
  store::insert_enrolment_token(tx, row);
  record_audit(
      tx, ids, org, actor, "tokens.create", std::to_string(row.id.value),
      [&](JsonWriter& details) {
        details.member("max_uses", max_uses).member("expires_at", row.expires_at);
      },
      now);
  announce_enrolment_token(tx, row.org, row.id);
  tx.on_commit([&credentials, row] {
    credentials.enrolment_tokens.set(row.hash, {row.org, row.id, row.expires_at});
  });
  return created;
}

Result<store::EnrolmentToken> revoke_enrolment_token(store::Tx& tx, NumberIds& ids,
                                                     Credentials& credentials, const Actor& actor,
                                                     TokenId id, Instant now) {
  auto tokens = store::list_enrolment_tokens(tx);
  const auto found =
      std::find_if(tokens.begin(), tokens.end(), [&](const auto& token) { return token.id == id; });
  if (found == tokens.end()) return Error{Errc::not_found, "There is no such token."};
  if (found->revoked_at) return std::move(*found);
  found->revoked_at = now;
  store::revoke_enrolment_token(tx, found->org, id, now);
  record_audit(tx, ids, found->org, actor, "tokens.revoke", std::to_string(id.value), {}, now);
  announce_enrolment_token(tx, found->org, id);
  tx.on_commit([&credentials, hash = found->hash] { credentials.enrolment_tokens.erase(hash); });
  return std::move(*found);
}

CreatedKey create_inventory_key(store::Tx& tx, NumberIds& ids, Rng& rng, Credentials& credentials,
                                const Actor& actor, OrgId org, const std::string& name,
                                std::uint8_t scopes, Instant now) {
  CreatedKey created{ids.next<KeyId>(now), crypto::make_key_text("sk_agent_", rng)};
  const store::InventoryKey row{org,    created.id, name,        credentials.hash(created.key),
                                scopes, now,        std::nullopt};
  store::insert_inventory_key(tx, row);
  record_audit(
      tx, ids, org, actor, "keys.create", std::to_string(row.id.value),
      [&](JsonWriter& details) { details.member("name", name); }, now);
  announce_inventory_key(tx, row.org, row.id);
  tx.on_commit([&credentials, row, scopes] {
    credentials.inventory_keys.set(row.hash, {row.org, row.id, scopes});
  });
  return created;
}

Result<store::InventoryKey> revoke_inventory_key(store::Tx& tx, NumberIds& ids,
                                                 Credentials& credentials, const Actor& actor,
                                                 KeyId id, Instant now) {
  auto keys = store::list_inventory_keys(tx);
  const auto found =
      std::find_if(keys.begin(), keys.end(), [&](const auto& key) { return key.id == id; });
  if (found == keys.end()) return Error{Errc::not_found, "There is no such key."};
  if (found->revoked_at) return std::move(*found);
  found->revoked_at = now;
  store::revoke_inventory_key(tx, found->org, id, now);
  record_audit(tx, ids, found->org, actor, "keys.revoke", std::to_string(id.value), {}, now);
  announce_inventory_key(tx, found->org, id);
  tx.on_commit([&credentials, hash = found->hash] { credentials.inventory_keys.erase(hash); });
  return std::move(*found);
}

std::string create_operator_token(store::Tx& tx, NumberIds& ids, Rng& rng, Credentials& credentials,
                                  const Actor& actor, const std::string& name, std::uint8_t scopes,
                                  Duration ttl, Instant now) {
  std::string token = crypto::make_key_text("ot_", rng);
  store::OperatorToken row;
  row.id = ids.next<OperatorId>(now);
  row.name = name;
  row.hash = credentials.hash(token);
  row.scopes = scopes;
  row.created_at = now;
  if (ttl.count() != 0) row.expires_at = now + ttl;
  store::insert_operator_token(tx, row);
  record_audit(
      tx, ids, OrgId{0}, actor, "operators.create_token", std::to_string(row.id.value),
      [&](JsonWriter& details) { details.member("name", name); }, now);
  announce_operator_token(tx, row.id);
  tx.on_commit([&credentials, row, scopes] {
    credentials.operators.set(row.hash, {row.id, scopes, row.expires_at});
  });
  return token;
}

}  // namespace muster::fleet
