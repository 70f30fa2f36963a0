// SPDX-License-Identifier: Apache-2.0
#include "fleet/oidc_provider.h"

#include <algorithm>
#include <utility>

#include "base/file.h"
#include "base/json_read.h"
#include "base/limits.h"
#include "base/text.h"
#include "crypto/base64url.h"
#include "crypto/sha256.h"
#include "crypto/signing.h"

namespace muster::fleet {

namespace {

constexpr std::size_t url_bytes = 2000;
constexpr std::size_t error_bytes = 64;

Error unavailable(std::string_view why) {
  return {Errc::unavailable, "The provider of identities " + std::string(why)};
}

/// application/x-www-form-urlencoded, with %20 for a space, so that it is right in an address too.
std::string form_encode(std::string_view text) {
  constexpr std::string_view kept = "-._~";
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || kept.find(c) != std::string_view::npos;
    if (is_plain) {
      out += c;
      continue;
    }
    const auto octet = static_cast<unsigned char>(c);
    out += '%';
    out += digits[octet >> 4U];
    out += digits[octet & 0xFU];
  }
  return out;
}

class Form {
 public:
  Form& add(std::string_view name, std::string_view value) {
    if (!text_.empty()) text_ += '&';
    text_.append(name).append("=").append(form_encode(value));
    return *this;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// What stands between "//" and the path, the port or a query.
std::string_view host_of(std::string_view url) {
  const auto begin = url.find("//");
  if (begin == std::string_view::npos) return {};
  url.remove_prefix(begin + 2);
  if (url.starts_with('[')) return url.substr(0, std::min(url.find(']'), url.size() - 1) + 1);
  return url.substr(0, std::min(url.find_first_of(":/?#"), url.size()));
}

/// Whether what passes over it in clear stays on this machine, or is not in clear.
bool is_private(std::string_view url) {
  const bool printable =
      std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c <= '~'; });
  const std::string_view host = host_of(url);
  if (!printable || host.empty() || url.size() > url_bytes ||
      url.find_first_of("@\\#") != std::string_view::npos) {
    return false;
  }
  if (url.starts_with("https://")) return true;
  return url.starts_with("http://") &&
         (host == "localhost" || host == "127.0.0.1" || host == "[::1]");
}

std::string text_of(const Json& object, std::string_view name) {
  const auto found = object.find(name);
  const auto text = found ? found->string() : std::nullopt;
  return std::string(text.value_or(""));
}

/// Whether a list of strings, where there is one, holds `text`.
bool lists(const Json& object, std::string_view name, std::string_view text) {
  const auto found = object.find(name);
  if (!found || !found->is_array()) return true;
  bool listed = false;
  found->for_each([&](const Json& each) { listed = listed || each.string() == text; });
  return listed;
}

/// A word of RFC 6749 5.2 ("invalid_grant"), never a provider's prose.
std::string error_of(std::string_view text) {
  JsonDocument document;
  const auto json = document.parse(text);
  const std::string word = json.ok() ? text_of(*json, "error") : std::string();
  const bool is_word = !word.empty() && word.size() <= error_bytes &&
                       word.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string::npos;
  return is_word ? word : "no reason";
}

bool is_fresh(Instant read_at, Duration age, Instant now) {
  return std::chrono::abs(now - read_at) < age;
}

const crypto::Jwk* key_for(const crypto::Jws& jws, const std::vector<crypto::Jwk>& keys) {
  const crypto::Jwk* found = nullptr;
  for (const crypto::Jwk& each : keys) {
    if (each.key.algorithm != jws.algorithm) continue;
    if (!jws.key_id.empty() && each.key_id != jws.key_id) continue;
    // Which of several is meant it has to say (OpenID Connect Core 1.0, 10.1).
    if (found != nullptr) return nullptr;
    found = &each;
  }
  return found;
}

}  // namespace

Result<OidcClient> read_oidc_client(const Config& config) {
  OidcClient client{config.oidc_issuer, config.oidc_client_id, {}, config.oidc_name, {}};
  if (client.issuer.empty()) return client;
  if (!is_private(client.issuer)) {
    return invalid_field("oidc.issuer", "must begin with https://, or be on loopback");
  }
  if (client.id.empty()) return invalid_field("oidc.client_id", "is needed with oidc.issuer");
  if (client.name.empty() || client.name.size() > limits::name_bytes ||
      !is_plain_text(client.name)) {
    return invalid_field("oidc.name", "must be plain text");
  }
  bool has_openid = false;
  for (const std::string& scope : config.oidc_scopes) {
    has_openid = has_openid || scope == "openid";
    client.scopes.append(client.scopes.empty() ? "" : " ").append(scope);
  }
  if (!has_openid) return invalid_field("oidc.scopes", "must hold \"openid\"");
  if (config.oidc_client_secret_file.empty()) return client;
  const auto secret = read_file(config.oidc_client_secret_file, limits::key_bytes);
  if (!secret.ok()) return invalid_field("oidc.client_secret_file", secret.error().message);
  client.secret = trim(*secret);
  if (client.secret.empty()) return invalid_field("oidc.client_secret_file", "is an empty file");
  return client;
}

void OidcProvider::set(OidcClient client, http::Fetch fetch) {
  client_ = std::move(client);
  fetch_ = std::move(fetch);
}

Result<OidcProvider::Answer> OidcProvider::call(http::FetchOrder order) {
  struct Place {
    explicit Place(std::atomic<int>& taken) : calls(taken), number(++taken) {}
    ~Place() { --calls; }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    std::atomic<int>& calls;
    int number;
  };
  const Place place(calls_);
  if (place.number > limits::oidc_calls) {
    return Error{Errc::overloaded, "Others wait for the provider of identities.", {}, 2};
  }
  Answer answer;
  order.bytes_max = limits::oidc_answer_bytes;
  order.time_max = limits::oidc_time;
  order.take = [&](std::string_view piece) { answer.text += piece; };
  const auto fetched = fetch_(order);
  if (!fetched.ok()) return unavailable("does not answer: " + fetched.error().message);
  answer.status = fetched->status;
  return answer;
}

Result<OidcProvider::Document> OidcProvider::read_document(std::string_view text,
                                                           Instant now) const {
  JsonDocument document;
  const auto json = document.parse(text);
  if (!json.ok()) return unavailable("publishes no discovery document.");
  // OpenID Connect Discovery 1.0, 4.3: else one provider could speak for another.
  if (text_of(*json, "issuer") != client_.issuer) {
    return unavailable("calls itself otherwise than [oidc] issuer does.");
  }
  Document read;
  read.authorization_endpoint = text_of(*json, "authorization_endpoint");
  read.token_endpoint = text_of(*json, "token_endpoint");
  read.jwks_uri = text_of(*json, "jwks_uri");
  for (const std::string& url : {read.authorization_endpoint, read.token_endpoint, read.jwks_uri}) {
    if (!is_private(url)) return unavailable("names an address that is not https.");
  }
  read.takes_basic = lists(*json, "token_endpoint_auth_methods_supported", "client_secret_basic");
  read.read_at = now;
  return read;
}

Result<OidcProvider::Document> OidcProvider::document(Instant now) {
  const auto known = known_.with([](const Known& all) { return all.document; });
  if (known && is_fresh(known->read_at, limits::oidc_document_age, now)) return *known;
  std::string url = client_.issuer;
  if (url.ends_with('/')) url.pop_back();
  http::FetchOrder order;
  order.url = url + "/.well-known/openid-configuration";
  const Answer answer = TRY(call(std::move(order)));
  const Document read = TRY(read_document(answer.text, now));
  known_.with([&](Known& all) { all.document = read; });
  return read;
}

Result<OidcProvider::KeySet> OidcProvider::keys(const Document& document, Instant not_before,
                                                Instant now) {
  const auto known = known_.with([](const Known& all) { return all.keys; });
  if (known && is_fresh(known->read_at, limits::oidc_document_age, now) &&
      known->read_at >= not_before) {
    return *known;
  }
  http::FetchOrder order;
  order.url = document.jwks_uri;
  const Answer answer = TRY(call(std::move(order)));
  auto set = crypto::decode_jwk_set(answer.text);
  if (!set) return unavailable("publishes no set of keys.");
  const KeySet read{*std::move(set), now};
  known_.with([&](Known& all) { all.keys = read; });
  return read;
}

Result<std::string> OidcProvider::authorization_url(const OidcTerms& terms,
                                                    std::string_view redirect_uri, Instant now) {
  const auto found = document(now);
  if (!found.ok()) return noted(found.error(), now);
  Form form;
  form.add("response_type", "code")
      .add("client_id", client_.id)
      .add("redirect_uri", redirect_uri)
      .add("scope", client_.scopes)
      .add("state", terms.state)
      .add("nonce", terms.nonce)
      .add("code_challenge", crypto::to_base64url(crypto::sha256(terms.verifier).octets()))
      .add("code_challenge_method", "S256");
  const std::string& url = found->authorization_endpoint;
  return url + (url.find('?') == std::string::npos ? "?" : "&") + form.text();
}

Result<std::string> OidcProvider::id_token(const Document& document, std::string_view code,
                                           const OidcTerms& terms, std::string_view redirect_uri) {
  Form form;
  form.add("grant_type", "authorization_code")
      .add("code", code)
      .add("redirect_uri", redirect_uri)
      .add("code_verifier", terms.verifier);
  http::FetchOrder order;
  order.url = document.token_endpoint;
  order.headers = {{"Content-Type", "application/x-www-form-urlencoded"},
                   {"Accept", "application/json"}};
  if (!client_.secret.empty() && document.takes_basic) {
    // RFC 6749 2.3.1: both are encoded as in a form first.
    order.headers.emplace_back(
        "Authorization",
        "Basic " + crypto::to_base64(form_encode(client_.id) + ":" + form_encode(client_.secret)));
  } else {
    form.add("client_id", client_.id);
    if (!client_.secret.empty()) form.add("client_secret", client_.secret);
  }
  order.body = form.text();
  const Answer answer = TRY(call(std::move(order)));
  if (answer.status != 200) {
    const std::string word = error_of(answer.text);
    if (word == "invalid_grant") {
      return Error{Errc::invalid_credentials,
                   "The provider takes this sign-in no more: begin again."};
    }
    return unavailable("refuses us: " + std::to_string(answer.status) + ", " + word + ".");
  }
  JsonDocument tokens;
  const auto json = tokens.parse(answer.text);
  std::string token = json.ok() ? text_of(*json, "id_token") : std::string();
  if (token.empty()) return unavailable("answers without an id token.");
  return token;
}

Result<void> OidcProvider::verify(const crypto::Jws& jws, const Document& document, Instant now) {
  KeySet set = TRY(keys(document, Instant{0}, now));
  if (key_for(jws, set.keys) == nullptr && !is_fresh(set.read_at, limits::oidc_refetch, now)) {
    set = TRY(keys(document, now, now));
  }
  const crypto::Jwk* key = key_for(jws, set.keys);
  if (key == nullptr || !crypto::verify(jws, key->key)) {
    return Error{Errc::invalid_credentials,
                 "The provider's id token is not signed by a key of the provider's."};
  }
  return {};
}

Error OidcProvider::noted(Error error, Instant now) {
  if (error.code == Errc::unavailable) {
    known_.with([&](Known& all) { all.failure = Failure{error.message, now}; });
  }
  return error;
}

std::optional<std::string> OidcProvider::last_failure(Instant now) const {
  const auto failure = known_.with([](const Known& all) { return all.failure; });
  if (!failure || !is_fresh(failure->at, limits::oidc_failure_memory, now)) return std::nullopt;
  return failure->what;
}

Result<ProvedIdentity> OidcProvider::redeem(std::string_view code, const OidcTerms& terms,
                                            std::string_view redirect_uri, Instant now) {
  auto proved = prove(code, terms, redirect_uri, now);
  if (!proved.ok()) return noted(proved.error(), now);
  known_.with([](Known& all) { all.failure.reset(); });
  return proved;
}

Result<ProvedIdentity> OidcProvider::prove(std::string_view code, const OidcTerms& terms,
                                           std::string_view redirect_uri, Instant now) {
  const Document read = TRY(document(now));
  const std::string token = TRY(id_token(read, code, terms, redirect_uri));
  const auto jws = crypto::decode_jws(token);
  if (!jws) {
    return Error{Errc::invalid_credentials,
                 "The provider's id token is not signed by RS256 or ES256."};
  }
  TRY(verify(*jws, read, now));
  return check_id_token(jws->payload, {client_.issuer, client_.id, terms.nonce}, now);
}

}  // namespace muster::fleet
