// SPDX-License-Identifier: Apache-2.0
// For tests only.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_write.h"
#include "base/time.h"
#include "crypto/base64url.h"
#include "crypto/jws_testing.h"
#include "crypto/sha256.h"
#include "fleet/oidc_provider.h"

namespace muster::fleet {

/// A provider of identities in the place of the network, who signs in whomever a test says. What a
/// test changes of it, it does wrong.
class TestProvider {
 public:
  static constexpr std::string_view issuer = "https://id.example.org";
  static constexpr std::string_view client_id = "muster";

  static OidcClient client() {
    return {std::string(issuer), std::string(client_id), "s3cr+t", "Example ID", "openid email"};
  }
  http::Fetch fetch() {
    return [this](const http::FetchOrder& order) { return answer(order); };
  }

  crypto::TestSigner signer;
  std::string keys = signer.jwk_set();
  std::map<std::string, std::string> document = {
      {"issuer", R"("https://id.example.org")"},
      {"authorization_endpoint", R"("https://id.example.org/auth")"},
      {"token_endpoint", R"("https://id.example.org/token")"},
      {"jwks_uri", R"("https://id.example.org/keys")"},
  };
  std::map<std::string, std::string> claims;  // JSON values instead of what is right; empty: none
  std::string subject = "248289761001";
  std::string token;         // instead of the one that is right
  std::string token_answer;  // instead of the answer that is right
  int token_status = 200;
  bool is_down = false;
  std::vector<http::FetchOrder> orders;  // without what they were called with

  /// A browser is sent here, and its person says yes: the code that it goes back with.
  std::string authorize(std::string_view url, Instant now) {
    const auto param = [&](std::string_view name) {
      const std::string before = "&" + std::string(name) + "=";
      const auto at = url.find(before);
      CHECK(at != std::string_view::npos);
      const std::string_view rest = url.substr(at + before.size());
      return std::string(rest.substr(0, rest.find('&')));
    };
    nonce_ = param("nonce");
    challenge_ = param("code_challenge");
    at_ = now;
    return "code " + param("state");
  }

  std::size_t asked(std::string_view url) const {
    return static_cast<std::size_t>(std::count_if(
        orders.begin(), orders.end(), [&](const auto& each) { return each.url == url; }));
  }

 private:
  static std::string object(const std::map<std::string, std::string>& members) {
    std::string json;
    for (const auto& [name, value] : members) {
      if (!value.empty()) json += (json.empty() ? "{\"" : ",\"") + name + "\":" + value;
    }
    return json + "}";
  }

  Result<http::Fetched> answer(const http::FetchOrder& order) {
    orders.push_back(order);
    if (is_down) return Error{Errc::unavailable, "Connection refused"};
    http::Fetched fetched;
    std::string text;
    if (order.url == std::string(issuer) + "/.well-known/openid-configuration") {
      text = object(document);
    } else if (order.url == "https://id.example.org/keys") {
      text = keys;
    } else if (order.url == "https://id.example.org/token" && order.body) {
      fetched.status = token_status;
      text = token_answer.empty() ? grant(*order.body) : token_answer;
    } else {
      return Error{Errc::not_found, "The server answered 404."};
    }
    fetched.bytes = text.size();
    order.take(text);
    return fetched;
  }

  /// Takes the code of whoever has the verifier (RFC 7636 4.6).
  std::string grant(std::string_view form) {
    const std::string before = "&code_verifier=";
    const auto at = form.find(before);
    CHECK(at != std::string_view::npos);
    const std::string_view rest = form.substr(at + before.size());
    const auto digest = crypto::sha256(rest.substr(0, rest.find('&')));
    CHECK(crypto::to_base64url(digest.octets()) == challenge_);
    const std::string made = token.empty() ? signer.sign(object(right_claims())) : token;
    return R"({"access_token":"x","token_type":"Bearer","id_token":")" + made + "\"}";
  }
  std::map<std::string, std::string> right_claims() const {
    std::map<std::string, std::string> all = {
        {"iss", R"("https://id.example.org")"},
        {"aud", R"("muster")"},
        {"sub", "\"" + subject + "\""},
        {"email", R"("ada@example.org")"},
        {"nonce", "\"" + nonce_ + "\""},
        {"iat", std::to_string(at_.unix_ms / 1000)},
        {"exp", std::to_string(at_.unix_ms / 1000 + 300)},
    };
    for (const auto& [name, value] : claims) all[name] = value;
    return all;
  }

  std::string nonce_;
  std::string challenge_;
  Instant at_;
};

}  // namespace muster::fleet
