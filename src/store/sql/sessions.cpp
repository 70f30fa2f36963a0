// SPDX-License-Identifier: Apache-2.0
#include "store/sql/sessions.h"

#include "store/store.h"

namespace muster::store {

namespace {

#define LINK_COLUMNS "link_hash, operator_id, created_at, expires_at, used_at"
SignInLink read_link(const Rows& rows) {
  return {rows.key_hash(0), rows.number_id<OperatorId>(1), rows.instant(2), rows.instant(3),
          rows.maybe_instant(4)};
}

#define SESSION_COLUMNS                                                               \
  "session_id, operator_id, session_hash, address, created_at, used_at, expires_at, " \
  "ended_at"
Session read_session(const Rows& rows) {
  return {rows.number_id<SessionId>(0),
          rows.number_id<OperatorId>(1),
          rows.key_hash(2),
          rows.string(3),
          rows.instant(4),
          rows.instant(5),
          rows.instant(6),
          rows.maybe_instant(7)};
}

std::vector<Session> read_sessions(Rows rows) {
  std::vector<Session> sessions;
  while (rows.next()) sessions.push_back(read_session(rows));
  return sessions;
}

}  // namespace

void insert_sign_in_link(Tx& tx, const SignInLink& link) {
  tx.post("INSERT INTO sign_in_links (" LINK_COLUMNS ") VALUES ($1, $2, $3, $4, $5)", link.hash,
          link.operator_id, link.created_at, link.expires_at, link.used_at);
}

std::optional<SignInLink> find_sign_in_link(Reader& reader, const crypto::KeyHash& hash) {
  Rows rows = reader.query("SELECT " LINK_COLUMNS " FROM sign_in_links WHERE link_hash = $1", hash);
  if (!rows.next()) return std::nullopt;
  return read_link(rows);
}

std::vector<SignInLink> list_waiting_links(Reader& reader, Instant now) {
  std::vector<SignInLink> links;
  Rows rows = reader.query(
      "SELECT " LINK_COLUMNS " FROM sign_in_links WHERE used_at IS NULL AND expires_at > $1", now);
  while (rows.next()) links.push_back(read_link(rows));
  return links;
}

std::int64_t count_waiting_links(Reader& reader, OperatorId id, Instant now) {
  Rows rows = reader.query(
      "SELECT count(*) FROM sign_in_links"
      " WHERE operator_id = $1 AND used_at IS NULL AND expires_at > $2",
      id, now);
  rows.next();
  return rows.integer(0);
}

bool use_sign_in_link(Tx& tx, const crypto::KeyHash& hash, Instant now) {
  return tx.execute(
             "UPDATE sign_in_links SET used_at = $2"
             " WHERE link_hash = $1 AND used_at IS NULL AND expires_at > $2",
             hash, now) == 1;
}

void insert_session(Tx& tx, const Session& session) {
  tx.post("INSERT INTO sessions (" SESSION_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
          session.id, session.operator_id, session.hash, session.address, session.created_at,
          session.used_at, session.expires_at, session.ended_at);
}

std::optional<Session> find_session(Reader& reader, SessionId id) {
  Rows rows = reader.query("SELECT " SESSION_COLUMNS " FROM sessions WHERE session_id = $1", id);
  if (!rows.next()) return std::nullopt;
  return read_session(rows);
}

std::vector<Session> list_sessions(Reader& reader, std::optional<OperatorId> id, SessionId before,
                                   int count) {
  return read_sessions(
      reader.query("SELECT " SESSION_COLUMNS
                   " FROM sessions WHERE ended_at IS NULL AND ($1 IS NULL OR operator_id = $1)"
                   " AND session_id < $2 ORDER BY session_id DESC LIMIT $3",
                   id, before, count));
}

std::vector<Session> list_live_sessions(Reader& reader, Instant now) {
  return read_sessions(
      reader.query("SELECT " SESSION_COLUMNS
                   " FROM sessions WHERE ended_at IS NULL AND expires_at > $1 ORDER BY session_id",
                   now));
}

void set_session_used(Tx& tx, SessionId id, Instant used_at) {
  tx.post("UPDATE sessions SET used_at = $2 WHERE session_id = $1 AND used_at < $2", id, used_at);
}

bool end_session(Tx& tx, SessionId id, Instant now) {
  return tx.execute("UPDATE sessions SET ended_at = $2 WHERE session_id = $1 AND ended_at IS NULL",
                    id, now) == 1;
}

std::int64_t delete_old_sign_ins(Tx& tx, Instant before) {
  return tx.execute("DELETE FROM sign_in_links WHERE expires_at < $1", before) +
         tx.execute("DELETE FROM sessions WHERE expires_at < $1 OR ended_at < $1", before);
}

}  // namespace muster::store
