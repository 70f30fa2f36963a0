// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/guarded.h"
#include "base/ids.h"
#include "base/time.h"
#include "crypto/keyed_hash.h"
#include "fleet/offered_keys.h"
#include "fleet/split_table.h"
#include "http/rate_limit.h"
#include "http/role.h"
#include "model/agent.h"
#include "model/enrolment_token.h"

namespace muster::store {
class Reader;
struct InventoryKey;
struct OperatorGrant;
struct OperatorToken;
struct EnrolmentToken;
struct Session;
struct SignInLink;
}  // namespace muster::store

namespace muster::fleet {

/// What a presented secret stands for, by its keyed hash: the look-up itself is the proof. Follows
/// the store: changed on commit, never before. Safe from several threads.
template <typename Entry>
class KeyMap {
 public:
  std::optional<Entry> find(const crypto::KeyHash& hash) const {
    return shard(hash).with([&](const Map& entries) -> std::optional<Entry> {
      const auto found = entries.find(hash);
      if (found == entries.end()) return std::nullopt;
      return found->second;
    });
  }
  /// Calls `use(Entry&)` under the shard's lock; false if there is no such secret.
  template <typename F>
  bool with(const crypto::KeyHash& hash, F&& use) {
    return shard(hash).with([&](Map& entries) {
      const auto found = entries.find(hash);
      if (found == entries.end()) return false;
      use(found->second);
      return true;
    });
  }
  void set(const crypto::KeyHash& hash, Entry entry) {
    shard(hash).with([&](Map& entries) { entries.insert_or_assign(hash, std::move(entry)); });
  }
  /// Calls `each(hash, entry)` for all, shard by shard.
  template <typename F>
  void for_each(F&& each) const {
    for (const auto& part : maps_) {
      part.with([&](const Map& entries) {
        for (const auto& [hash, entry] : entries) each(hash, entry);
      });
    }
  }
  void erase(const crypto::KeyHash& hash) {
    shard(hash).with([&](Map& entries) { entries.erase(hash); });
  }

 private:
  using Map = boost::unordered_flat_map<crypto::KeyHash, Entry, std::hash<crypto::KeyHash>>;
  static constexpr std::size_t shards = 64;

  Guarded<Map>& shard(const crypto::KeyHash& hash) { return maps_[hash.bytes[31] % shards]; }
  const Guarded<Map>& shard(const crypto::KeyHash& hash) const {
    return maps_[hash.bytes[31] % shards];
  }
  std::array<Guarded<Map>, shards> maps_;
};

/// One accepted key of an agent.
struct AgentCredential {
  OrgId org;
  AgentId agent;
  HostId host;
  std::int64_t generation = 0;
  std::int64_t offered = 0;  // the generation to offer in exchange; 0 is none
  bool disabled = false;
  bool splitting = false;  // one of two machines is to have another: see Credentials::splits
  /// It may only repeat the result that ended it: with the answer lost, the agent would otherwise
  /// never learn that it may go, and stay on its host for ever.
  bool uninstalled = false;
  std::optional<Instant> superseded_at = {};  // see model::may_return()
  bool skewed = false;      // its last call was refused for its clock: see RefusalWatch
  bool first_use = false;   // this call's use of the key is to be recorded (record_first_use)
  http::RateWindow window;  // of the calls with this key
  /// What its machine may call it, too: see model::Agent::origin. Last, since it is hardly ever
  /// read.
  std::optional<AgentId> alias = {};
};
/// The key that an agent used before the one it has. Nothing is accepted for it.
struct RetiredKey {
  OrgId org;
  AgentId agent;
  std::optional<AgentId> alias = {};
  HostId host;
  std::int64_t generation = 0;
  Instant told;  // that somebody used it, last
};
struct InventoryCredential {
  OrgId org;
  KeyId key;
  std::uint8_t scopes = 0;
};
struct OperatorCredential {
  OperatorId id;
  http::Role role = http::Role::none;  // on the whole server
  std::optional<Instant> expires_at;
};
/// A session of the console: ends with the token of its operator.
struct SessionCredential {
  SessionId id;
  OperatorId operator_id;
  http::Role role = http::Role::none;  // on the whole server
  Instant expires_at;
  Instant used_at;
  Instant kept_at;  // the use that the store knows of
};
struct LinkCredential {
  OperatorId operator_id;
  Instant expires_at;
};
struct EnrolmentCredential {
  OrgId org;
  TokenId token;
  Instant expires_at;
  model::TokenTerms terms = {};  // here, so that a fence costs no read
};

/// What operators are in organisations, whichever of their secrets is presented. Follows the store
/// as a KeyMap does. Safe from several threads.
class GrantTable {
 public:
  using OrgRoles = std::shared_ptr<const std::vector<http::OrgRole>>;
  /// Null when it is nothing anywhere.
  OrgRoles of(OperatorId id) const {
    return roles_.with([&](const Roles& roles) {
      const auto found = roles.find(id);
      return found == roles.end() ? nullptr : found->second;
    });
  }
  /// All that the operator was granted, as it is now. A role that this server does not know is a
  /// newer one's: it allows nothing.
  void follow(OperatorId id, const std::vector<store::OperatorGrant>& grants);

 private:
  using Roles = boost::unordered_flat_map<OperatorId, OrgRoles, std::hash<OperatorId>>;
  Guarded<Roles> roles_;
};

/// The role on the whole server that a row names, "none" among them; nothing for one that this
/// server does not know.
std::optional<http::Role> role_on_server(const store::OperatorToken& token);

/// Every live key and token of the server.
class Credentials {
 public:
  explicit Credentials(const crypto::KeyedHash& keyed_hash) : keyed_hash_(keyed_hash) {}

  void load(store::Reader& reader, Instant now);

  crypto::KeyHash hash(std::string_view presented) const { return keyed_hash_.of(presented); }
  const crypto::KeyedHash& keyed_hash() const { return keyed_hash_; }

  /// The agent's key of a generation: derived, so that it need not be stored to be offered again.
  std::string agent_key(AgentId agent, std::int64_t generation) const;

  /// Accepts the keys that `agent` has now.
  void set_agent(const model::Agent& agent);
  /// As set_agent(), and those that it had `before` no more.
  void set_agent(const model::Agent& agent, const model::Agent& before);
  void erase_agent(const model::Agent& agent);

  /// As the rows are now, whatever was accepted before: of rows that another server changed.
  void follow_agent(const model::Agent& agent);
  void follow_inventory_key(const store::InventoryKey& key);
  void follow_operator_token(const store::OperatorToken& token);
  /// `operator_token` is of the operator who signed in.
  void follow_session(const store::Session& session, const store::OperatorToken& operator_token);
  void follow_sign_in_link(const store::SignInLink& link);
  /// Whether it is `usable`, see store::is_usable().
  void follow_enrolment_token(const store::EnrolmentToken& token, bool usable);

  KeyMap<AgentCredential> agents;
  SplitTable splits;           // to be followed before the agent
  OfferedKeys offered;         // those that agents may be told of
  KeyMap<RetiredKey> retired;  // one for each agent whose key was replaced
  KeyMap<InventoryCredential> inventory_keys;
  KeyMap<OperatorCredential> operators;
  GrantTable grants;
  KeyMap<SessionCredential> sessions;
  KeyMap<LinkCredential> sign_in_links;
  KeyMap<EnrolmentCredential> enrolment_tokens;

 private:
  void retire_former_key(const model::Agent& agent);
  crypto::KeyHash hash_of(const model::Agent& agent, std::int64_t generation) const;

  const crypto::KeyedHash& keyed_hash_;
};

}  // namespace muster::fleet
