// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "endpoints/app.h"
#include "fleet/operators.h"
#include "fleet/sign_in.h"
#include "http/request.h"
#include "http/response.h"

/// What all ways of signing in to the console share.
namespace muster::endpoints {

/// A body that tells a secret, or who somebody is, is for this one answer.
http::Response private_response(int status, std::string body);

/// Fails with rate_limited when too many attempts from the caller's address failed within a minute.
Result<void> check_sign_in_failures(App& app, const http::Request& request);
/// The error that it is given; counts it, and has the audit log told, if it is of credentials.
Error refused_sign_in(App& app, std::string_view address, Instant now, const Error& error);
/// The session and its cookie.
http::Response signed_in_response(const App& app, const fleet::SignedIn& done, Instant now);

/// For what makes another way in: with a session of an operator who has a password, `current` must
/// be it. Fails with invalid_field naming current_password, and with rate_limited, also while it is
/// another's turn (fleet::PasswordTurn). As slow as that: its routes are `slow`.
Result<void> check_current_password(App& app, const http::Request& request,
                                    std::string_view current);
/// The same, and where there is no password a sign-in within limits::recent_sign_in: somebody
/// else's hands on an open session must not make a way in for themselves. Fails with
/// illegal_transition too.
Result<void> check_own_hands(App& app, const http::Request& request, std::string_view current);
/// Who asks, for what is about operators' ways in.
fleet::OperatorAsker asker_of(const http::Request& request);
/// Whose ways in are asked for: `?operator=`, or the caller's own. Fails with invalid_field.
Result<OperatorId> asked_operator(const http::Request& request);

}  // namespace muster::endpoints
