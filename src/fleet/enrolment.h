// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "fleet/credentials.h"
#include "fleet/history.h"
#include "fleet/host_directory.h"
#include "fleet/presence.h"
#include "store/sql/agents.h"
#include "store/sql/keys.h"
#include "store/total.h"

namespace muster::store {
class Store;
class Tx;
}  // namespace muster::store

namespace muster::fleet {

/// What an agent sends to enrol.
struct EnrolmentRequest {
  std::string hostname;
  std::string os;    // windows, linux, darwin
  std::string arch;  // amd64, arm64
  std::string agent_version;
  std::string machine_id;  // evidence that it is the same machine; may be empty
  std::string ip_address;  // of the peer
  std::optional<std::int64_t> org = std::nullopt;  // where it means to enrol, if it says so
};

/// What a token's text stands for, if the machine may enrol with it at `now`. Memory only. Fails
/// with invalid_token; and once the token is proved, with organization_forbidden and
/// outside_token_fence.
Result<EnrolmentCredential> prove_token(const Credentials& credentials, std::string_view token,
                                        const EnrolmentRequest& request, Instant now);

struct Enrolled {
  AgentId agent;
  OrgId org;
  HostId host;
  std::string key;  // shown this once
};

/// Enrols one agent and counts one use of its token, which was proved. Its host is the one that
/// model::place() finds in the organisation, or a new one. The host's older agent keeps its key
/// until the new one calls. The token's tags are put on the host. When the token has no use left,
/// what repeats an enrolment of it (model::repeats) gets another key of the agent of that one; it
/// stays in memory until all its agents have called. Fails with invalid_token when the token ended
/// meanwhile, and with hostname_conflict.
Result<Enrolled> enrol_agent(store::Tx& tx, NumberIds& ids, Rng& rng, Credentials& credentials,
                             PresenceTable& presence, HostDirectory& directory,
                             const Config& config, const EnrolmentCredential& token,
                             const EnrolmentRequest& request, Instant now);

/// What an operator asks of a token.
struct TokenOrder {
  OrgId org;
  Duration ttl{};
  std::int64_t max_uses = 1;
  model::TokenTerms terms = {};
};
struct CreatedToken {
  TokenId id;
  std::string token;  // shown this once
  Instant expires_at;
};
CreatedToken create_enrolment_token(store::Tx& tx, NumberIds& ids, Rng& rng,
                                    Credentials& credentials, const Actor& actor,
                                    const TokenOrder& order, Instant now);
/// The token as it is now; revoking twice changes nothing. Fails with not_found.
Result<store::EnrolmentToken> revoke_enrolment_token(store::Tx& tx, NumberIds& ids,
                                                     Credentials& credentials, const Actor& actor,
                                                     TokenId id, Instant now);

/// A page of tokens, newest first, never with their text. `cursor` is the next_cursor of the page
/// before, empty at first. Fails with invalid_field for a cursor that is none.
struct TokenPage {
  std::vector<store::EnrolmentToken> tokens;
  std::string next_cursor;
  store::Total total;
};
Result<TokenPage> list_token_page(store::Store& store, const store::EnrolmentTokenFilter& filter,
                                  std::string_view cursor, int count);

/// Who enrolled with a token, newest first. Fails with not_found, and with invalid_field for a
/// cursor that is none.
struct TokenUsePage {
  std::vector<store::ListedAgent> uses;
  std::string next_cursor;
  store::Total total;
};
Result<TokenUsePage> list_token_uses(store::Store& store, TokenId id, std::string_view cursor,
                                     int count);

struct CreatedKey {
  KeyId id;
  std::string key;  // shown this once
};
CreatedKey create_inventory_key(store::Tx& tx, NumberIds& ids, Rng& rng, Credentials& credentials,
                                const Actor& actor, OrgId org, const std::string& name,
                                std::uint8_t scopes, Instant now);
Result<store::InventoryKey> revoke_inventory_key(store::Tx& tx, NumberIds& ids,
                                                 Credentials& credentials, const Actor& actor,
                                                 KeyId id, Instant now);

}  // namespace muster::fleet
