// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"
#include "endpoints/app.h"
#include "http/request.h"

namespace muster::endpoints {

/// Proves who is behind a request from its head alone, and fills `request.caller`. Memory only:
/// nothing is read from the store and nothing large is allocated before a caller is proved.
using Guard = Result<void> (*)(App&, http::Request&);

/// Fails with unavailable while a key may have been revoked elsewhere that this server cannot know
/// of (mission rule 1). Every guard that proves a key asks first.
Result<void> check_lease(const App& app);

/// Anybody: the proof, if any, is in the body (enrolment) or not needed (health).
Result<void> anybody(App& app, http::Request& request);
/// An enrolled agent: X-Agent-Key or Authorization: Bearer, X-Agent-ID and X-Request-Timestamp.
Result<void> device_key(App& app, http::Request& request);
/// An inventory key with scope `agent`, or an enrolled agent when X-Agent-ID is there.
Result<void> inventory_key(App& app, http::Request& request);
/// An operator token, on a Host that is this server's.
Result<void> operator_token(App& app, http::Request& request);
/// An operator token, or anybody on loopback whose request no proxy passed on.
Result<void> operator_or_loopback(App& app, http::Request& request);

}  // namespace muster::endpoints
