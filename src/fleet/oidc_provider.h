// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "base/guarded.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/jws.h"
#include "fleet/id_token.h"
#include "http/fetch.h"

/// A provider of identities (OpenID Connect Core 1.0; docs/adr/0028), as a client of it sees it:
/// the authorization code flow with PKCE (RFC 7636).
namespace muster::fleet {

/// What we are to the provider: [oidc] of the configuration.
struct OidcClient {
  std::string issuer;  // letter by letter as its tokens name it; empty: there is none
  std::string id;
  std::string secret;  // empty: a public client
  std::string name;    // of the provider, for people
  std::string scopes;  // joined by spaces
};
/// Reads the file with the secret. Fails with invalid_field naming the setting.
Result<OidcClient> read_oidc_client(const Config& config);

/// What one sign-in carries to the provider and back (§3.1.2.1, RFC 7636 §4.1), each 43 letters.
struct OidcTerms {
  std::string state;
  std::string nonce;
  std::string verifier;
};

/// Safe from several threads, once it is set.
class OidcProvider {
 public:
  /// Before the first request.
  void set(OidcClient client, http::Fetch fetch);
  /// Without an issuer there is no provider, and nothing below may be called.
  const OidcClient& client() const { return client_; }
  bool is_set() const { return !client_.issuer.empty(); }

  /// Where to send the browser, which comes back to `redirect_uri`. Asks the provider where that is
  /// unless it did within limits::oidc_document_age; may block for limits::oidc_time. Fails with
  /// unavailable, saying why, and with overloaded while limits::oidc_calls wait for the provider.
  Result<std::string> authorization_url(const OidcTerms& terms, std::string_view redirect_uri,
                                        Instant now);

  /// Whom the code stands for that the browser came back with. Asks the provider up to four times
  /// and blocks as long. Fails as authorization_url(), and with invalid_credentials when the
  /// provider does not take the code or its id token is not to be believed.
  Result<ProvedIdentity> redeem(std::string_view code, const OidcTerms& terms,
                                std::string_view redirect_uri, Instant now);

  /// Why it could not be used the last time, within limits::oidc_failure_memory and unless somebody
  /// was proved since; else nothing.
  std::optional<std::string> last_failure(Instant now) const;

 private:
  /// The members of a discovery document (OpenID Connect Discovery 1.0, 3) that are used.
  struct Document {
    std::string authorization_endpoint;
    std::string token_endpoint;
    std::string jwks_uri;
    bool takes_basic = true;
    Instant read_at;
  };
  struct KeySet {
    std::vector<crypto::Jwk> keys;
    Instant read_at;
  };
  struct Failure {
    std::string what;
    Instant at;
  };
  struct Known {
    std::optional<Document> document;
    std::optional<KeySet> keys;
    std::optional<Failure> failure;
  };
  struct Answer {
    int status = 0;
    std::string text;
  };

  /// The same error, remembered if it is the provider's or of what we are to it.
  Error noted(Error error, Instant now);
  Result<ProvedIdentity> prove(std::string_view code, const OidcTerms& terms,
                               std::string_view redirect_uri, Instant now);
  Result<Answer> call(http::FetchOrder order);
  Result<Document> read_document(std::string_view text, Instant now) const;
  Result<Document> document(Instant now);
  Result<KeySet> keys(const Document& document, Instant not_before, Instant now);
  Result<std::string> id_token(const Document& document, std::string_view code,
                               const OidcTerms& terms, std::string_view redirect_uri);
  Result<void> verify(const crypto::Jws& jws, const Document& document, Instant now);

  OidcClient client_;
  http::Fetch fetch_;
  Guarded<Known> known_;
  std::atomic<int> calls_ = 0;
};

}  // namespace muster::fleet
