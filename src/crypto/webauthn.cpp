// SPDX-License-Identifier: Apache-2.0
#include "crypto/webauthn.h"

#include <algorithm>

#include "base/ip_address.h"
#include "base/json_read.h"
#include "base/limits.h"
#include "base/text.h"
#include "crypto/base64url.h"

namespace muster::crypto {

namespace {

/// Bits of the flags (§6.1).
enum Flag : unsigned {
  user_present = 0x01,
  user_verified = 0x04,
  backup_eligible = 0x08,
  backed_up = 0x10,
  attested = 0x40,
  extended = 0x80
};

constexpr std::size_t aaguid_bytes = 16;

/// The first `size` octets; nothing, and `bytes` as they were, if there are not so many.
std::optional<std::string_view> take(std::string_view& bytes, std::size_t size) {
  if (bytes.size() < size) return std::nullopt;
  const std::string_view taken = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return taken;
}

/// Of octets in the network's order.
std::uint32_t number_of(std::string_view bytes) {
  std::uint32_t number = 0;
  for (const char byte : bytes) number = number << 8U | static_cast<unsigned char>(byte);
  return number;
}

std::optional<AttestedCredential> take_credential(std::string_view& bytes) {
  if (!take(bytes, aaguid_bytes)) return std::nullopt;
  const auto size = take(bytes, 2);
  if (!size) return std::nullopt;
  const std::uint32_t id_bytes = number_of(*size);
  if (id_bytes == 0 || id_bytes > limits::credential_id_bytes) return std::nullopt;
  const auto id = take(bytes, id_bytes);
  if (!id) return std::nullopt;
  const std::string_view before = bytes;
  const auto value = take_cbor(bytes);
  if (!value) return std::nullopt;
  auto key = decode_cose_key(*value);
  if (!key) return std::nullopt;
  return AttestedCredential{*id, before.substr(0, before.size() - bytes.size()), *std::move(key)};
}

/// Labels of letters, digits and hyphens (RFC 1123 §2.1), and the last of them no number: browsers
/// take such names for IPv4 addresses.
bool is_host_name(std::string_view name) {
  if (name.empty() || name.size() > 253) return false;
  const auto is_of_label = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  std::string_view label;
  for (std::string_view rest = name; !rest.empty();) {
    const auto dot = rest.find('.');
    label = rest.substr(0, dot);
    const bool plain = !label.empty() && label.size() <= 63 && label.front() != '-' &&
                       label.back() != '-' && std::all_of(label.begin(), label.end(), is_of_label);
    if (!plain || dot == rest.size() - 1) return false;
    rest = dot == std::string_view::npos ? std::string_view() : rest.substr(dot + 1);
  }
  return label.find_first_not_of("0123456789") != std::string_view::npos;
}

}  // namespace

std::optional<RelyingParty> relying_party_of(std::string_view url) {
  const std::string folded = fold_case(url);
  std::string_view authority = folded;
  const bool encrypted = authority.starts_with("https://");
  if (!encrypted && !authority.starts_with("http://")) return std::nullopt;
  authority.remove_prefix(encrypted ? 8 : 7);
  authority = authority.substr(0, authority.find('/'));
  constexpr std::string_view loopback6 = "[::1]";
  const auto host_end = authority.starts_with(loopback6) ? loopback6.size() : authority.find(':');
  std::string host(authority.substr(0, host_end));
  authority.remove_prefix(host.size());
  std::string_view port = authority;  // ":8480"
  const bool on_loopback =
      host == loopback6 || (host.starts_with("127.") && parse_ip_address(host));
  if (on_loopback) host = "localhost";
  if (!is_host_name(host) || (!encrypted && host != "localhost")) return std::nullopt;
  if (port == (encrypted ? ":443" : ":80")) port = {};
  const bool numbered = port.empty() || (port.starts_with(':') && parse_int(port.substr(1)));
  if (!numbered) return std::nullopt;
  return RelyingParty{host, (encrypted ? "https://" : "http://") + host + std::string(port)};
}

std::optional<AuthenticatorStatement> decode_authenticator_data(std::string_view bytes) {
  AuthenticatorStatement statement;
  const auto hash = take(bytes, statement.rp_id_hash.bytes.size());
  const auto flags_octet = take(bytes, 1);
  const auto count = take(bytes, 4);
  if (!hash || !flags_octet || !count) return std::nullopt;
  std::copy(hash->begin(), hash->end(), statement.rp_id_hash.bytes.begin());
  const std::uint32_t flags = number_of(*flags_octet);
  statement.user_present = (flags & Flag::user_present) != 0;
  statement.user_verified = (flags & Flag::user_verified) != 0;
  statement.backup_eligible = (flags & Flag::backup_eligible) != 0;
  statement.backed_up = (flags & Flag::backed_up) != 0;
  if (statement.backed_up && !statement.backup_eligible) return std::nullopt;
  statement.sign_count = number_of(*count);
  if ((flags & Flag::attested) != 0) {
    statement.credential = take_credential(bytes);
    if (!statement.credential) return std::nullopt;
  }
  if ((flags & Flag::extended) != 0) {
    const auto extensions = take_cbor(bytes);
    if (!extensions || extensions->kind != Cbor::Kind::map) return std::nullopt;
  }
  if (!bytes.empty()) return std::nullopt;
  return statement;
}

std::optional<std::string_view> decode_attestation_object(std::string_view bytes) {
  const auto object = parse_cbor(bytes);
  if (!object) return std::nullopt;
  const Cbor* format = object->find("fmt");
  const Cbor* statement = object->find("attStmt");
  const Cbor* data = object->find("authData");
  if (format == nullptr || statement == nullptr || data == nullptr) return std::nullopt;
  if (!format->text() || statement->kind != Cbor::Kind::map) return std::nullopt;
  return data->octets();
}

std::optional<Ceremony> decode_client_data(std::string_view json) {
  JsonDocument document;  // not the thread's: the request's body may be there
  const auto object = document.parse(json);
  if (!object.ok() || !object->is_object()) return std::nullopt;
  const auto text = [&](std::string_view name) {
    const auto member = object->find(name);
    return member ? member->string() : std::nullopt;
  };
  const auto type = text("type"), challenge = text("challenge"), origin = text("origin");
  if (!type || !challenge || !origin) return std::nullopt;
  auto octets = from_base64url(*challenge);
  if (!octets) return std::nullopt;
  Ceremony client{std::string(*type), *std::move(octets), std::string(*origin)};
  if (const auto cross = object->find("crossOrigin"); cross && !cross->is_null()) {
    if (!cross->boolean()) return std::nullopt;
    client.cross_origin = *cross->boolean();
  }
  return client;
}

std::string signed_content(std::string_view authenticator_data, std::string_view client_data) {
  return std::string(authenticator_data).append(sha256(client_data).octets());
}

}  // namespace muster::crypto
