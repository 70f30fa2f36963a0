// SPDX-License-Identifier: Apache-2.0
#include "endpoints/session_cookie.h"

namespace muster::endpoints {

namespace {

constexpr std::string_view prefix = "__Host-";

/// Without the prefix.
constexpr std::string_view session_name = "muster-session";
constexpr std::string_view challenge_name = "muster-challenge";
constexpr std::string_view oidc_name = "muster-oidc";

std::string cookie(const ServerFace& face, std::string_view name, std::string_view value,
                   std::int64_t max_age_seconds) {
  std::string text(is_encrypted(face) ? prefix : "");
  text.append(name).append("=").append(value);
  text.append("; Path=/; HttpOnly; SameSite=Strict; Max-Age=");
  text.append(std::to_string(max_age_seconds));
  if (is_encrypted(face)) text += "; Secure";
  return text;
}

std::int64_t seconds_of(Duration lasts) {
  return std::chrono::duration_cast<std::chrono::seconds>(lasts).count();
}

bool is_named(const ServerFace& face, std::string_view given, std::string_view name) {
  if (is_encrypted(face)) {
    if (!given.starts_with(prefix)) return false;
    given.remove_prefix(prefix.size());
  }
  return given == name;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::string_view presented(const ServerFace& face, const http::Request& request,
                           std::string_view name) {
  std::string_view rest = request.headers.find("Cookie");
  while (!rest.empty()) {
    const auto end = rest.find(';');
    const std::string_view pair = trimmed(rest.substr(0, end));
    const auto equals = pair.find('=');
    if (equals != std::string_view::npos && is_named(face, pair.substr(0, equals), name)) {
      return pair.substr(equals + 1);
    }
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  }
  return {};
}

}  // namespace

bool is_encrypted(const ServerFace& face) {
  return face.url.starts_with("https://");
}

std::string session_cookie(const ServerFace& face, std::string_view secret, Duration lasts) {
  return cookie(face, session_name, secret, seconds_of(lasts));
}

std::string ended_session_cookie(const ServerFace& face) {
  return cookie(face, session_name, "", 0);
}

std::string_view presented_session(const ServerFace& face, const http::Request& request) {
  return presented(face, request, session_name);
}

std::string challenge_cookie(const ServerFace& face, std::string_view sealed, Duration lasts) {
  return cookie(face, challenge_name, sealed, seconds_of(lasts));
}

std::string_view presented_challenge(const ServerFace& face, const http::Request& request) {
  return presented(face, request, challenge_name);
}

std::string oidc_cookie(const ServerFace& face, std::string_view sealed, Duration lasts) {
  return cookie(face, oidc_name, sealed, seconds_of(lasts));
}

std::string_view presented_oidc(const ServerFace& face, const http::Request& request) {
  return presented(face, request, oidc_name);
}

}  // namespace muster::endpoints
