// SPDX-License-Identifier: Apache-2.0
#include "net/origin.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/text.h"

namespace muster::net {

namespace {

constexpr std::uint16_t http_port = 80;
constexpr std::uint16_t https_port = 443;

bool is_ipv6(const std::string& host) {
  in6_addr parsed{};
  return inet_pton(AF_INET6, host.c_str(), &parsed) == 1;
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_';
}

bool is_host_name(std::string_view host) {
  constexpr std::size_t name_bytes_max = 253;  // RFC 1035 2.3.4
  if (host.empty() || host.size() > name_bytes_max) return false;
  for (const char c : host) {
    if (!is_host_character(c)) return false;
  }
  return true;
}

/// Takes "name", "1.2.3.4" or "[v6]" from the front of `rest`; empty when there is none.
std::string take_host(std::string_view& rest) {
  if (!rest.starts_with('[')) {
    const std::string_view host = rest.substr(0, rest.find(':'));
    rest.remove_prefix(host.size());
    return is_host_name(host) ? fold_case(host) : std::string();
  }
  const auto end = rest.find(']');
  if (end == std::string_view::npos) return {};
  std::string host(rest.substr(1, end - 1));
  rest.remove_prefix(end + 1);
  return is_ipv6(host) ? host : std::string();
}

/// People gave it under some other name, so the address itself is what they are shown.
Error refused(std::string_view text, std::string_view why) {
  std::string message(text.empty() ? "the server's address" : text);
  message.append(": ").append(why);
  return {Errc::invalid_field, std::move(message), "origin"};
}

}  // namespace

std::string Origin::authority() const {
  std::string out = host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (port != (tls ? https_port : http_port)) out += ":" + std::to_string(port);
  return out;
}

std::string Origin::text() const {
  return (tls ? "https://" : "http://") + authority();
}

Result<Origin> parse_origin(std::string_view text) {
  Origin origin;
  std::string_view rest = text;
  if (rest.starts_with("https://")) {
    origin.tls = true;
  } else if (!rest.starts_with("http://")) {
    return refused(text, "must start with http:// or https://");
  }
  rest.remove_prefix(origin.tls ? 8 : 7);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find_first_of("/?#@\\") != std::string_view::npos) {
    return refused(text, "must be scheme, host and port only");
  }
  origin.host = take_host(rest);
  if (origin.host.empty()) return refused(text, "has no valid host");
  origin.port = origin.tls ? https_port : http_port;
  if (rest.empty()) return origin;
  const auto port = rest.front() == ':' ? parse_int(rest.substr(1)) : std::nullopt;
  if (!port || *port < 1 || *port > 65535) return refused(text, "has no valid port");
  origin.port = static_cast<std::uint16_t>(*port);
  return origin;
}

Result<Origin> parse_callable_origin(std::string_view text) {
  Origin origin = TRY(parse_origin(text));
  if (origin.tls || is_loopback(origin.host)) return origin;
  return refused(text, "plain http is for loopback only: use https");
}

bool is_address(std::string_view host) {
  const std::string text(host);
  in_addr parsed{};
  return inet_pton(AF_INET, text.c_str(), &parsed) == 1 || is_ipv6(text);
}

bool is_loopback(std::string_view host) {
  if (host == "localhost" || host == "::1") return true;
  in_addr parsed{};
  return inet_pton(AF_INET, std::string(host).c_str(), &parsed) == 1 &&
         (ntohl(parsed.s_addr) >> 24) == 127;
}

}  // namespace muster::net
