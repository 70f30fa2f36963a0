// SPDX-License-Identifier: Apache-2.0
#include "endpoints/session_cookie.h"

namespace muster::endpoints {

namespace {

std::string_view cookie_name(const ServerFace& face) {
  return is_encrypted(face) ? "__Host-muster-session" : "muster-session";
}

std::string cookie(const ServerFace& face, std::string_view value, std::int64_t max_age_seconds) {
  std::string text(cookie_name(face));
  text.append("=").append(value);
  text.append("; Path=/; HttpOnly; SameSite=Strict; Max-Age=");
  text.append(std::to_string(max_age_seconds));
  if (is_encrypted(face)) text += "; Secure";
  return text;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

}  // namespace

bool is_encrypted(const ServerFace& face) {
  return face.url.starts_with("https://");
}

std::string session_cookie(const ServerFace& face, std::string_view secret, Duration lasts) {
  return cookie(face, secret, std::chrono::duration_cast<std::chrono::seconds>(lasts).count());
}

std::string ended_session_cookie(const ServerFace& face) {
  return cookie(face, "", 0);
}

std::string_view presented_session(const ServerFace& face, const http::Request& request) {
  std::string_view rest = request.headers.find("Cookie");
  while (!rest.empty()) {
    const auto end = rest.find(';');
    const std::string_view pair = trimmed(rest.substr(0, end));
    const auto equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == cookie_name(face)) {
      return pair.substr(equals + 1);
    }
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  }
  return {};
}

}  // namespace muster::endpoints
