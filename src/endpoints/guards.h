// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>

#include "base/result.h"
#include "base/time.h"
#include "endpoints/app.h"
#include "http/request.h"

namespace muster::endpoints {

/// Proves who is behind a request from its head alone, and fills `request.caller`. Memory only:
/// nothing is read from the store and nothing large is allocated before a caller is proved.
using Guard = Result<void> (*)(App&, http::Request&);

/// That a route asks for more than its caller is.
Error insufficient_role(http::Role least, http::Role has);

/// Fails with unavailable while a key may have been revoked elsewhere that this server cannot know
/// of (mission rule 1). Every guard that proves a key asks first.
Result<void> check_lease(const App& app);

/// Whether whoever sent the request, which a guard of a role let in, may read at a later moment
/// what is of `org` or, without one, of all organisations: its token or session is there and has
/// not expired, it still has a role there, and this server has its lease. Asks memory and counts as
/// no use of a session; refers to `app`.
std::function<bool(Instant now)> standing_of(const App& app, const http::Request& request,
                                             std::optional<OrgId> org);

/// Whether the request's Host is this server's: loopback, or the one in its public address. Fails
/// with misdirected.
Result<void> check_host(const App& app, const http::Request& request);

/// Anybody: the proof, if any, is in the body (enrolment) or not needed (health).
Result<void> anybody(App& app, http::Request& request);
/// An enrolled agent: X-Agent-Key or Authorization: Bearer, X-Agent-ID and X-Request-Timestamp.
Result<void> device_key(App& app, http::Request& request);
/// An inventory key with scope `agent`, or an enrolled agent when X-Agent-ID is there.
Result<void> inventory_key(App& app, http::Request& request);
/// An operator of at least that role (http/role.h) on the server or in some organisation, on a Host
/// that is this server's: by a token, or by a session's cookie, with which a change must come from
/// the console itself (same_origin). What is asked for must be in its reach, too (reach.h). A GET
/// for read_only is open to an inventory key with scope `read` as well, which is read_only in its
/// organisation and no operator (Reach::own).
Result<void> role_read_only(App& app, http::Request& request);
Result<void> role_analyst(App& app, http::Request& request);
Result<void> role_operator(App& app, http::Request& request);
Result<void> role_admin(App& app, http::Request& request);
/// Somebody who is about to sign in, on a Host that is this server's and from no other site's page.
Result<void> stranger(App& app, http::Request& request);
/// An operator as by role_admin, or a key with scope `import` of the organisation `default`: feeds
/// are the whole server's.
Result<void> feed_importer(App& app, http::Request& request);
/// An operator, anybody on loopback whose request no proxy passed on, or a key with scope `read` of
/// the organisation `default`.
Result<void> operator_or_loopback(App& app, http::Request& request);

}  // namespace muster::endpoints
