// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace muster::fleet {

/// What an id token must say in order to be believed.
struct IdTokenTerms {
  std::string issuer;
  std::string client_id;
  std::string nonce;
};

/// Whom a provider says that it has before it.
struct ProvedIdentity {
  std::string issuer;
  std::string subject;  // the issuer's own name for the person, which stays
  std::string name;     // for people: an address or a name that may change, or the subject
};

/// Checks the claims of an id token whose signature was verified (OpenID Connect Core 1.0, 3.1.3.7,
/// rules 2, 3, 4, 5, 9, 10 and 11). Times are compared with limits::oidc_skew to spare. Fails with
/// invalid_credentials, saying which rule.
Result<ProvedIdentity> check_id_token(std::string_view claims, const IdTokenTerms& terms,
                                      Instant now);

}  // namespace muster::fleet
