// SPDX-License-Identifier: Apache-2.0
#include "fleet/sign_in.h"

#include <algorithm>

#include "base/limits.h"
#include "crypto/random.h"
#include "fleet/announcements.h"
#include "fleet/cursor.h"
#include "fleet/operators.h"
#include "http/rate_limit.h"
#include "store/sql/keys.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

constexpr int many = 100'000;  // rows: more than limits::operator_sessions of each operator

Error wrong_link() {
  return {Errc::invalid_credentials, "The link is wrong, was used or has expired."};
}

Error no_such_session() {
  return {Errc::not_found, "There is no such session."};
}

bool is_idle(Instant used_at, const Config& config, Instant now) {
  return now - used_at >= config.session_idle();
}

/// Of the transaction of a sign-in: who signs in, if it still may.
Result<store::OperatorToken> operator_of_link(store::Tx& tx, const crypto::KeyHash& hash,
                                              Instant now) {
  const auto link = store::find_sign_in_link(tx, hash);
  if (!link || !store::use_sign_in_link(tx, hash, now)) return wrong_link();
  auto token = store::find_operator_token(tx, link->operator_id);
  if (!token || !is_active(*token, now)) return wrong_link();
  return std::move(*token);
}

void end(store::Tx& tx, Credentials& credentials, const store::Session& session, Instant now) {
  store::end_session(tx, session.id, now);
  announce_session(tx, session.id);
  tx.on_commit([&credentials, hash = session.hash] { credentials.sessions.erase(hash); });
}

}  // namespace

Result<CreatedLink> create_sign_in_link(store::Tx& tx, NumberIds& ids, Rng& rng,
                                        Credentials& credentials, OperatorId id, Instant now) {
  if (store::count_waiting_links(tx, id, now) >= static_cast<std::int64_t>(limits::waiting_links)) {
    return Error{Errc::rate_limited, "Too many sign-in links wait for their use.", {}, 60};
  }
  CreatedLink created{crypto::make_key_text("sl_", rng), now + limits::sign_in_link_ttl};
  const store::SignInLink row{credentials.hash(created.secret), id, now, created.expires_at, {}};
  store::insert_sign_in_link(tx, row);
  record_audit(
      tx, ids, OrgId{0}, Actor::operator_token(id), "sign_in.link", std::to_string(id.value),
      [&](JsonWriter& details) { details.member("expires_at", row.expires_at); }, now);
  announce_sign_in_link(tx, row.hash);
  tx.on_commit([&credentials, row] { credentials.follow_sign_in_link(row); });
  return created;
}

Result<LinkCredential> prove_sign_in_link(const Credentials& credentials, std::string_view secret,
                                          Instant now) {
  const auto known = secret.empty() || secret.size() > limits::key_bytes
                         ? std::nullopt
                         : credentials.sign_in_links.find(credentials.hash(secret));
  if (!known || now >= known->expires_at) return wrong_link();
  return *known;
}

Result<SignedIn> sign_in(store::Tx& tx, NumberIds& ids, Rng& rng, Credentials& credentials,
                         const Config& config, std::string_view secret, std::string_view address,
                         Instant now) {
  const crypto::KeyHash link = credentials.hash(secret);
  const store::OperatorToken token = TRY(operator_of_link(tx, link, now));
  announce_sign_in_link(tx, link);
  tx.on_commit([&credentials, link] { credentials.sign_in_links.erase(link); });
  return open_session(tx, ids, rng, credentials, config, token, "link", address, now);
}

SignedIn open_session(store::Tx& tx, NumberIds& ids, Rng& rng, Credentials& credentials,
                      const Config& config, const store::OperatorToken& token,
                      std::string_view with, std::string_view address, Instant now) {
  const int bound = static_cast<int>(limits::operator_sessions);
  const auto open = store::list_sessions(tx, token.id, SessionId{number_id_max}, bound);
  if (open.size() == limits::operator_sessions) {
    // Whoever signs in so often has left the older ones behind.
    end(tx, credentials, open.back(), now);
  }
  SignedIn signed_in;
  signed_in.secret = crypto::make_key_text("ss_", rng);
  signed_in.operator_name = token.name;
  signed_in.role = role_on_server(token).value_or(http::Role::none);
  store::Session& session = signed_in.session;
  session.id = ids.next<SessionId>(now);
  session.operator_id = token.id;
  session.hash = credentials.hash(signed_in.secret);
  session.address = address;
  session.created_at = now;
  session.used_at = now;
  session.expires_at = now + config.session_length();
  if (token.expires_at) session.expires_at = std::min(session.expires_at, *token.expires_at);
  store::insert_session(tx, session);
  record_audit(
      tx, ids, OrgId{0}, Actor::operator_token(token.id), "sign_in",
      std::to_string(session.id.value),
      [&](JsonWriter& details) { details.member("address", session.address).member("with", with); },
      now);
  announce_session(tx, session.id);
  tx.on_commit([&credentials, session, token] { credentials.follow_session(session, token); });
  return signed_in;
}

Result<void> check_recent_sign_in(store::Store& store, SessionId id, Instant now) {
  const auto session =
      store.read([&](store::Reader& reader) { return store::find_session(reader, id); });
  if (session && now < session->created_at + limits::recent_sign_in) return {};
  return Error{
      Errc::illegal_transition,
      "Sign in again first: without a password another way in is added within " +
          std::to_string(
              std::chrono::duration_cast<std::chrono::minutes>(limits::recent_sign_in).count()) +
          " minutes of signing in."};
}

std::optional<SessionCredential> use_session(Credentials& credentials, const Config& config,
                                             std::string_view secret, Instant now) {
  if (secret.empty() || secret.size() > limits::key_bytes) return std::nullopt;
  std::optional<SessionCredential> found;
  credentials.sessions.with(credentials.hash(secret), [&](SessionCredential& session) {
    if (now >= session.expires_at || is_idle(session.used_at, config, now)) return;
    session.used_at = std::max(session.used_at, now);
    found = session;
  });
  return found;
}

Result<SessionPage> list_session_page(store::Store& store, const Config& config,
                                      std::optional<OperatorId> of, std::string_view cursor,
                                      int count, Instant now) {
  const SessionId before{TRY(parse_id_cursor(cursor, number_id_max))};
  SessionPage page;
  store.read([&](store::Reader& reader) {
    auto rows = store::list_sessions(reader, of, before, count + 1);
    if (rows.size() > static_cast<std::size_t>(count)) {
      rows.pop_back();
      page.next_cursor = std::to_string(rows.back().id.value);
    }
    for (store::Session& row : rows) {
      if (now >= row.expires_at || is_idle(row.used_at, config, now)) continue;
      const auto token = store::find_operator_token(reader, row.operator_id);
      CHECK(token.has_value());
      page.sessions.push_back({std::move(row), token->name, token->role});
    }
  });
  return page;
}

Result<SessionView> end_session(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                                const SessionEnder& ender, SessionId id, Instant now) {
  auto session = store::find_session(tx, id);
  if (!session) return no_such_session();
  const auto token = store::find_operator_token(tx, session->operator_id);
  CHECK(token.has_value());
  if (session->operator_id != ender.id) {
    if (ender.role < http::Role::admin) return no_such_session();
    if (role_on_server(*token).value_or(http::Role::owner) > ender.role) {
      return Error{Errc::insufficient_role, "The session is of a role above yours."};
    }
  }
  if (!session->ended_at) {
    session->ended_at = now;
    end(tx, credentials, *session, now);
    record_audit(
        tx, ids, OrgId{0}, Actor::operator_token(ender.id), "sign_out", std::to_string(id.value),
        [&](JsonWriter& details) { details.member("operator_id", session->operator_id); }, now);
  }
  return SessionView{std::move(*session), token->name, token->role};
}

void end_sign_ins(store::Tx& tx, Credentials& credentials, OperatorId id, Instant now,
                  SessionId except) {
  for (const store::Session& session :
       store::list_sessions(tx, id, SessionId{number_id_max}, many)) {
    if (session.id != except) end(tx, credentials, session, now);
  }
  for (const store::SignInLink& link : store::list_waiting_links(tx, now)) {
    if (link.operator_id != id) continue;
    store::use_sign_in_link(tx, link.hash, now);
    announce_sign_in_link(tx, link.hash);
    tx.on_commit([&credentials, hash = link.hash] { credentials.sign_in_links.erase(hash); });
  }
}

std::size_t keep_sessions(store::Store& store, Credentials& credentials, Instant now) {
  struct Used {
    crypto::KeyHash hash;
    SessionCredential session;
  };
  std::vector<Used> used;
  std::vector<crypto::KeyHash> over;
  credentials.sessions.for_each([&](const crypto::KeyHash& hash, const SessionCredential& session) {
    if (now >= session.expires_at) over.push_back(hash);
    if (session.used_at - session.kept_at < limits::session_use_step) return;
    used.push_back({hash, session});
  });
  std::vector<crypto::KeyHash> late;
  credentials.sign_in_links.for_each([&](const crypto::KeyHash& hash, const LinkCredential& link) {
    if (now >= link.expires_at) late.push_back(hash);
  });
  std::sort(used.begin(), used.end(),
            [](const Used& a, const Used& b) { return a.session.id < b.session.id; });
  if (!used.empty()) {
    store.write([&](store::Tx& tx) {
      for (const Used& each : used) {
        store::set_session_used(tx, each.session.id, each.session.used_at);
      }
      store::delete_old_sign_ins(tx, now - limits::ended_session_memory);
    });
  }
  const auto live =
      store.read([&](store::Reader& reader) { return store::list_live_sessions(reader, now); });
  // What another server saw used is in use here too.
  for (const store::Session& session : live) {
    credentials.sessions.with(session.hash, [&](SessionCredential& entry) {
      entry.used_at = std::max(entry.used_at, session.used_at);
      entry.kept_at = std::max(entry.kept_at, session.used_at);
    });
  }
  for (const crypto::KeyHash& hash : over) credentials.sessions.erase(hash);
  for (const crypto::KeyHash& hash : late) credentials.sign_in_links.erase(hash);
  return used.size();
}

void RefusedSignIns::note(std::string_view address, Instant now) {
  std::string source = http::peer_source(address);
  sources_.with([&](Sources& sources) {
    const bool full = sources.size() >= limits::refused_sign_in_sources;
    if (full && !sources.contains(source)) source = "others";
    Attempts& attempts = sources[source];
    ++attempts.count;
    attempts.last = now;
  });
}

bool RefusedSignIns::is_due(const Attempts& attempts, Instant now) {
  // Also after the clock was set back.
  return !attempts.told_at || now < *attempts.told_at ||
         now - *attempts.told_at >= limits::refused_sign_in_interval;
}

std::size_t RefusedSignIns::tell(store::Store& store, NumberIds& ids, Instant now) {
  Sources due;
  sources_.with([&](Sources& sources) {
    std::erase_if(sources, [&](const auto& entry) {
      return entry.second.count == 0 && is_due(entry.second, now);
    });
    for (const auto& entry : sources) {
      if (is_due(entry.second, now)) due.insert(entry);
    }
  });
  return write(store, ids, due, now);
}

std::size_t RefusedSignIns::tell_rest(store::Store& store, NumberIds& ids, Instant now) {
  Sources rest = sources_.with([](const Sources& sources) { return sources; });
  std::erase_if(rest, [](const auto& entry) { return entry.second.count == 0; });
  return write(store, ids, rest, now);
}

std::size_t RefusedSignIns::write(store::Store& store, NumberIds& ids, const Sources& told,
                                  Instant now) {
  if (told.empty()) return 0;
  store.write([&](store::Tx& tx) {
    for (const auto& [source, attempts] : told) {
      record_audit(
          tx, ids, OrgId{0}, Actor::server(), "sign_in.refused", source,
          [&attempts = attempts](JsonWriter& details) {
            details.member("attempts", attempts.count).member("last_at", attempts.last);
          },
          now);
    }
  });
  sources_.with([&](Sources& sources) {
    for (const auto& [source, attempts] : told) {
      Attempts& known = sources[source];
      known.count -= attempts.count;
      known.told_at = now;
    }
  });
  return told.size();
}

}  // namespace muster::fleet
