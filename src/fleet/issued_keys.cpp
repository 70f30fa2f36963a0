// SPDX-License-Identifier: Apache-2.0
// Tokens and keys that operators issue: declared in fleet/enrolment.h.
#include <algorithm>

#include "crypto/random.h"
#include "fleet/announcements.h"
#include "fleet/cursor.h"
#include "fleet/enrolment.h"
#include "store/sql/keys.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

Error no_such_token() {
  return {Errc::not_found, "There is no such token."};
}

}  // namespace

CreatedToken create_enrolment_token(store::Tx& tx, NumberIds& ids, Rng& rng,
                                    Credentials& credentials, const Actor& actor,
                                    const TokenOrder& order, Instant now) {
  CreatedToken created{ids.next<TokenId>(now), crypto::make_key_text("et_", rng), now + order.ttl};
  store::EnrolmentToken row;
  row.org = order.org;
  row.id = created.id;
  row.hash = credentials.hash(created.token);
  row.max_uses = order.max_uses;
  row.created_at = now;
  row.expires_at = created.expires_at;
  row.terms = order.terms;
  store::insert_enrolment_token(tx, row);
  record_audit(
      tx, ids, row.org, actor, "tokens.create", std::to_string(row.id.value),
      [&](JsonWriter& details) {
        details.member("max_uses", row.max_uses).member("expires_at", row.expires_at);
      },
      now);
  announce_enrolment_token(tx, row.org, row.id);
  tx.on_commit([&credentials, row] {
    credentials.enrolment_tokens.set(row.hash, {row.org, row.id, row.expires_at, row.terms});
  });
  return created;
}

Result<store::EnrolmentToken> revoke_enrolment_token(store::Tx& tx, NumberIds& ids,
                                                     Credentials& credentials, const Actor& actor,
                                                     TokenId id, Instant now) {
  auto token = store::find_enrolment_token_anywhere(tx, id);
  if (!token) return no_such_token();
  if (token->revoked_at) return std::move(*token);
  token->revoked_at = now;
  store::revoke_enrolment_token(tx, token->org, id, now);
  record_audit(tx, ids, token->org, actor, "tokens.revoke", std::to_string(id.value), {}, now);
  announce_enrolment_token(tx, token->org, id);
  tx.on_commit([&credentials, hash = token->hash] { credentials.enrolment_tokens.erase(hash); });
  return std::move(*token);
}

Result<TokenPage> list_token_page(store::Store& store, const store::EnrolmentTokenFilter& filter,
                                  std::string_view cursor, int count) {
  const TokenId before{TRY(parse_id_cursor(cursor, number_id_max))};
  TokenPage page;
  store.read([&](store::Reader& reader) {
    page.tokens = store::list_enrolment_tokens(reader, filter, before, count + 1);
    page.total = store::count_enrolment_tokens(reader, filter);
  });
  if (page.tokens.size() > static_cast<std::size_t>(count)) {
    page.tokens.pop_back();
    page.next_cursor = std::to_string(page.tokens.back().id.value);
  }
  return page;
}

Result<TokenUsePage> list_token_uses(store::Store& store, TokenId id, std::string_view cursor,
                                     int count) {
  const AgentId before{TRY(parse_uuid_cursor(cursor, model::last_agent_id.uuid))};
  return store.read([&](store::Reader& reader) -> Result<TokenUsePage> {
    const auto token = store::find_enrolment_token_anywhere(reader, id);
    if (!token) return no_such_token();
    TokenUsePage page;
    page.uses = store::list_agents_of_token(reader, token->org, id, before, count + 1);
    page.total = store::count_agents_of_token(reader, token->org, id);
    if (page.uses.size() > static_cast<std::size_t>(count)) {
      page.uses.pop_back();
      page.next_cursor = page.uses.back().agent.id.text();
    }
    return page;
  });
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

}  // namespace muster::fleet
