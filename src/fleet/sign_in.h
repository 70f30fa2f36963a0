// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "base/guarded.h"
#include "base/ids.h"
#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "fleet/credentials.h"
#include "fleet/history.h"
#include "http/role.h"
#include "store/sql/sessions.h"

namespace muster::store {
class Store;
class Tx;
}  // namespace muster::store

/// Signing in to the console: a link that an operator's token makes becomes a session once.
namespace muster::fleet {

struct CreatedLink {
  std::string secret;  // shown this once
  Instant expires_at;
};
/// A link for the operator itself, good for limits::sign_in_link_ttl. Fails with rate_limited while
/// limits::waiting_links of them wait.
Result<CreatedLink> create_sign_in_link(store::Tx& tx, NumberIds& ids, Rng& rng,
                                        Credentials& credentials, OperatorId id, Instant now);

/// What `secret` stands for, if it may still be used. Memory only. Fails with invalid_credentials,
/// whatever is wrong with it.
Result<LinkCredential> prove_sign_in_link(const Credentials& credentials, std::string_view secret,
                                          Instant now);

struct SignedIn {
  store::Session session;
  std::string secret;  // of the cookie, shown this once
  std::string operator_name;
  http::Role role = http::Role::none;
};
/// Uses up the link, which was proved. The session ends with the operator's token, if that is
/// earlier than [console] session_hours. Fails with invalid_credentials when the link was used
/// meanwhile.
Result<SignedIn> sign_in(store::Tx& tx, NumberIds& ids, Rng& rng, Credentials& credentials,
                         const Config& config, std::string_view secret, std::string_view address,
                         Instant now);

/// A session of the operator, who has proved itself `with` a "link", a "password", a "passkey" or
/// an "identity". The oldest ends at limits::operator_sessions.
SignedIn open_session(store::Tx& tx, NumberIds& ids, Rng& rng, Credentials& credentials,
                      const Config& config, const store::OperatorToken& token,
                      std::string_view with, std::string_view address, Instant now);

/// That the session began limits::recent_sign_in ago or later: somebody else's hands on an open
/// session must not make a way in for themselves. Fails with illegal_transition.
Result<void> check_recent_sign_in(store::Store& store, SessionId id, Instant now);

/// The session that a cookie's secret stands for, unless it expired or was idle for too long; its
/// use is noted. Memory only; nothing when there is none.
std::optional<SessionCredential> use_session(Credentials& credentials, const Config& config,
                                             std::string_view secret, Instant now);

/// A session with who has it.
struct SessionView {
  store::Session session;
  std::string operator_name;
  std::string role;
};
struct SessionPage {
  std::vector<SessionView> sessions;
  std::string next_cursor;
};
/// Live ones of an operator, or of all, newest first. Fails with invalid_field for a cursor that is
/// none.
Result<SessionPage> list_session_page(store::Store& store, const Config& config,
                                      std::optional<OperatorId> of, std::string_view cursor,
                                      int count, Instant now);

/// Who may end whose session: its own always, others' with Role::admin on the whole server and not
/// above itself.
struct SessionEnder {
  OperatorId id;
  http::Role role = http::Role::none;  // on the whole server
};
/// A repeat changes nothing. Fails with not_found, also for what the ender may not see, and with
/// insufficient_role.
Result<SessionView> end_session(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                                const SessionEnder& ender, SessionId id, Instant now);
/// All sessions and links of an operator, but for the session `except`.
void end_sign_ins(store::Tx& tx, Credentials& credentials, OperatorId id, Instant now,
                  SessionId except = {});

/// Writes down which sessions were used since the last time, and takes over what other servers
/// wrote; deletes what ended limits::ended_session_memory ago. Returns the rows written. Throws
/// store::StoreError.
std::size_t keep_sessions(store::Store& store, Credentials& credentials, Instant now);

/// Sign-ins that were refused, by http::peer_source, until their audit rows are written: an attempt
/// costs the disk nothing, and strangers cannot make the log grow by more than
/// limits::refused_sign_in_sources allows on each server. Safe from several threads.
class RefusedSignIns {
 public:
  void note(std::string_view address, Instant now);
  /// An audit row `sign_in.refused`, with the attempts since its last one, for each source that has
  /// none of the last limits::refused_sign_in_interval. Returns how many. Throws store::StoreError.
  std::size_t tell(store::Store& store, NumberIds& ids, Instant now);
  /// At the end: a row for each source with attempts that no row counts yet. Likewise.
  std::size_t tell_rest(store::Store& store, NumberIds& ids, Instant now);

 private:
  struct Attempts {
    std::int64_t count = 0;  // that no row counts yet
    Instant last;
    std::optional<Instant> told_at;
  };
  using Sources = std::map<std::string, Attempts, std::less<>>;
  static bool is_due(const Attempts& attempts, Instant now);
  std::size_t write(store::Store& store, NumberIds& ids, const Sources& told, Instant now);

  Guarded<Sources> sources_;
};

}  // namespace muster::fleet
