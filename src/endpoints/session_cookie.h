// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/time.h"
#include "endpoints/app.h"
#include "http/request.h"

/// The cookies of the console (RFC 6265), of which a session's is one: HttpOnly, SameSite=Strict,
/// of this host alone; with TLS Secure and under the prefix `__Host-`, which a page of a sibling
/// host cannot set.
namespace muster::endpoints {

/// Whether the address that browsers are told is https.
bool is_encrypted(const ServerFace& face);

/// Value of Set-Cookie for a session that begins, or ends.
std::string session_cookie(const ServerFace& face, std::string_view secret, Duration lasts);
std::string ended_session_cookie(const ServerFace& face);

/// The secret in the request's Cookie; empty if there is none.
std::string_view presented_session(const ServerFace& face, const http::Request& request);

/// The same for the challenge that a passkey is to answer (fleet/passkeys.h): it is of the browser
/// that asked for it.
std::string challenge_cookie(const ServerFace& face, std::string_view sealed, Duration lasts);
std::string_view presented_challenge(const ServerFace& face, const http::Request& request);

/// And for a trip to the provider of identities (fleet/operator_identities.h). It is Strict as
/// well: the provider sends the browser back to a page of the console, and it is that page that
/// asks.
std::string oidc_cookie(const ServerFace& face, std::string_view sealed, Duration lasts);
std::string_view presented_oidc(const ServerFace& face, const http::Request& request);

}  // namespace muster::endpoints
