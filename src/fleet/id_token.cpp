// SPDX-License-Identifier: Apache-2.0
#include "fleet/id_token.h"

#include <algorithm>

#include "base/json_read.h"
#include "base/limits.h"
#include "base/text.h"
#include "crypto/keyed_hash.h"

namespace muster::fleet {

namespace {

Error refuse(std::string_view why) {
  return {Errc::invalid_credentials, "The provider's id token " + std::string(why) + "."};
}

std::string_view text_of(const Json& claims, std::string_view name) {
  const auto found = claims.find(name);
  const auto text = found ? found->string() : std::nullopt;
  return text.value_or("");
}

/// Seconds since 1970, which may have a fraction (RFC 7519 §2).
std::optional<Instant> time_of(const Json& claims, std::string_view name) {
  constexpr double seconds_max = 1e11;
  const auto found = claims.find(name);
  const auto seconds = found ? found->number() : std::nullopt;
  if (!seconds || !(*seconds >= 0 && *seconds <= seconds_max)) return std::nullopt;
  return Instant{static_cast<std::int64_t>(*seconds * 1000)};
}

/// Rules 3 to 5: it is for us, and where it is for others too, we are whom it was given to.
Result<void> check_audience(const Json& claims, std::string_view client_id) {
  const auto audience = claims.find("aud");
  if (!audience) return refuse("names no audience");
  bool ours = audience->string() == client_id;
  audience->for_each([&](const Json& each) { ours = ours || each.string() == client_id; });
  if (!ours) return refuse("is for another client");
  const auto party = claims.find("azp");
  if (party && party->string() != client_id) return refuse("was given to another client");
  if (audience->size() > 1 && !party) return refuse("is for several clients and says not for whom");
  return {};
}

/// Rules 9 and 10.
Result<void> check_times(const Json& claims, Instant now) {
  const auto expires_at = time_of(claims, "exp");
  const auto issued_at = time_of(claims, "iat");
  if (!expires_at || !issued_at) return refuse("does not say when it was issued and expires");
  if (now >= *expires_at + limits::oidc_skew) return refuse("has expired");
  if (*issued_at > now + limits::oidc_skew) return refuse("is of the future: compare the clocks");
  if (now - *issued_at > limits::id_token_age + limits::oidc_skew) return refuse("is old");
  return {};
}

std::string name_of(const Json& claims, std::string_view subject) {
  for (const char* claim : {"email", "preferred_username", "name"}) {
    const std::string_view text = text_of(claims, claim);
    if (!text.empty() && text.size() <= limits::name_bytes && is_plain_text(text)) {
      return std::string(text);
    }
  }
  return std::string(cut_utf8(subject, limits::name_bytes));
}

/// OpenID Connect Core 1.0, 2: ASCII.
bool is_subject(std::string_view text) {
  return !text.empty() && text.size() <= limits::oidc_subject_bytes &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

Result<ProvedIdentity> check_id_token(std::string_view claims, const IdTokenTerms& terms,
                                      Instant now) {
  JsonDocument document;
  const auto parsed = document.parse(claims);
  if (!parsed.ok() || !parsed->is_object()) return refuse("has no claims");
  const Json json = *parsed;
  if (text_of(json, "iss") != terms.issuer) return refuse("is of another issuer");
  TRY(check_audience(json, terms.client_id));
  TRY(check_times(json, now));
  if (!crypto::equal_constant_time(text_of(json, "nonce"), terms.nonce)) {
    return refuse("is of another sign-in");
  }
  const std::string_view subject = text_of(json, "sub");
  if (!is_subject(subject)) return refuse("names nobody");
  return ProvedIdentity{terms.issuer, std::string(subject), name_of(json, subject)};
}

}  // namespace muster::fleet
