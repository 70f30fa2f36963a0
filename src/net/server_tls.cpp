// SPDX-License-Identifier: Apache-2.0
#include "net/server_tls.h"

#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <new>
#include <utility>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "base/file.h"
#include "base/limits.h"

namespace muster::net {

namespace {

/// What every fielded agent's TLS library speaks with an ECDSA or RSA certificate.
constexpr const char* tls_1_2_ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr const char* groups = "X25519:P-256:P-384";
constexpr std::array<unsigned char, 6> session_scope = {'m', 'u', 's', 't', 'e', 'r'};

int select_http_1_1(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned offered_size, void*) {
  static constexpr std::array<unsigned char, 9> ours = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  // OpenSSL's function wants a pointer to what it may select, never written through.
  auto** selected = const_cast<unsigned char**>(out);
  const int match =
      SSL_select_next_proto(selected, out_size, ours.data(), ours.size(), offered, offered_size);
  return match == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/// A key with a passphrase is refused instead of asked for on a terminal that nobody watches.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

SslContextPtr make_context(TicketKeys& ticket_keys) {
  SslContextPtr context(SSL_CTX_new(TLS_server_method()));
  if (!context) throw std::bad_alloc();
  SSL_CTX* raw = context.get();
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(raw, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                            SSL_MODE_RELEASE_BUFFERS);
  // A peer that sends nothing but key updates must not keep the thread within one read.
  SSL_CTX_clear_mode(raw, SSL_MODE_AUTO_RETRY);
  const bool set =
      SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION) == 1 &&
      SSL_CTX_set_cipher_list(raw, tls_1_2_ciphers) == 1 &&
      SSL_CTX_set1_groups_list(raw, groups) == 1 && SSL_CTX_set_num_tickets(raw, 1) == 1 &&
      SSL_CTX_set_session_id_context(raw, session_scope.data(), session_scope.size()) == 1;
  CHECK(set);
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_alpn_select_cb(raw, select_http_1_1, nullptr);
  SSL_CTX_set_default_passwd_cb(raw, no_passphrase);
  ticket_keys.attach(raw);
  return context;
}

/// OpenSSL's words alone ("unsupported", "no start line") say little to whoever named the file.
Error refused(const std::string& file, std::string_view lacks) {
  return invalid_field(file, "holds no " + std::string(lacks) + " (" + take_ssl_error() + ")");
}

/// OpenSSL does not say why a file cannot be read.
Result<void> check_readable(const std::string& file) {
  auto content = read_file(file, limits::pem_file_bytes);
  if (content.ok()) return {};
  return Error{Errc::invalid_field, std::move(content).error().message, file};
}

Instant expiry_of(const X509* certificate) {
  std::tm at{};
  CHECK(ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &at) == 1);
  return {static_cast<std::int64_t>(::timegm(&at)) * 1000};
}

}  // namespace

Result<ServerTls::InForce> ServerTls::read() {
  ERR_clear_error();
  SslContextPtr context = make_context(ticket_keys_);
  SSL_CTX* raw = context.get();
  TRY(check_readable(files_.certificate));
  if (SSL_CTX_use_certificate_chain_file(raw, files_.certificate.c_str()) != 1) {
    return refused(files_.certificate, "certificate in PEM");
  }
  TRY(check_readable(files_.key));
  struct stat status {};
  if (::stat(files_.key.c_str(), &status) != 0) {
    return invalid_field(files_.key, std::strerror(errno));
  }
  if (SSL_CTX_use_PrivateKey_file(raw, files_.key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(raw) != 1) {
    return refused(files_.key, "private key of that certificate in PEM without a passphrase");
  }
  const EVP_PKEY* key = SSL_CTX_get0_privatekey(raw);
  ServedCertificate certificate{.expires_at = expiry_of(SSL_CTX_get0_certificate(raw)),
                                .key_type = EVP_PKEY_get0_type_name(key),
                                .key_readable_by_others = (status.st_mode & 077) != 0};
  return InForce{std::move(context), std::move(certificate)};
}

Result<std::unique_ptr<ServerTls>> ServerTls::load(TlsFiles files, const Clock& clock) {
  std::unique_ptr<ServerTls> made(new ServerTls(std::move(files), clock));
  TRY(made->reload());
  return made;
}

Result<void> ServerTls::reload() {
  InForce next = TRY(read());
  in_force_.with([&](InForce& now) { now = std::move(next); });
  return {};
}

SslPtr ServerTls::open(int socket) const {
  SslPtr tls(in_force_.with([](const InForce& now) { return SSL_new(now.context.get()); }));
  if (!tls) throw std::bad_alloc();
  attach_socket(tls.get(), socket);
  SSL_set_accept_state(tls.get());
  return tls;
}

ServedCertificate ServerTls::certificate() const {
  return in_force_.with([](const InForce& now) { return now.certificate; });
}

}  // namespace muster::net
