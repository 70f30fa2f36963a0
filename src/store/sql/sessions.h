// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "crypto/keyed_hash.h"

namespace muster::store {

class Reader;
class Tx;

/// A secret that becomes a session once.
struct SignInLink {
  crypto::KeyHash hash;
  OperatorId operator_id;
  Instant created_at;
  Instant expires_at;
  std::optional<Instant> used_at;
};
void insert_sign_in_link(Tx& tx, const SignInLink& link);
std::optional<SignInLink> find_sign_in_link(Reader& reader, const crypto::KeyHash& hash);
/// Those that may be used at `now`.
std::vector<SignInLink> list_waiting_links(Reader& reader, Instant now);
std::int64_t count_waiting_links(Reader& reader, OperatorId id, Instant now);
/// False when it was used, or has expired at `now`.
bool use_sign_in_link(Tx& tx, const crypto::KeyHash& hash, Instant now);

/// A sign-in to the console; only the keyed hash of its cookie is known here.
struct Session {
  SessionId id;
  OperatorId operator_id;
  crypto::KeyHash hash;
  std::string address;  // of the peer that signed in
  Instant created_at;
  Instant used_at;  // within a minute or so
  Instant expires_at;
  std::optional<Instant> ended_at;
};
void insert_session(Tx& tx, const Session& session);
std::optional<Session> find_session(Reader& reader, SessionId id);
/// Those that were not ended, of one operator or of all, newest first, `before` excluded.
std::vector<Session> list_sessions(Reader& reader, std::optional<OperatorId> id, SessionId before,
                                   int count);
/// The same of all operators: for loading memory.
std::vector<Session> list_live_sessions(Reader& reader, Instant now);
/// Never moves used_at back.
void set_session_used(Tx& tx, SessionId id, Instant used_at);
/// False when there is none, or it has ended.
bool end_session(Tx& tx, SessionId id, Instant now);

/// Deletes links and sessions that expired or ended before `before`; returns how many.
std::int64_t delete_old_sign_ins(Tx& tx, Instant before);

}  // namespace muster::store
