// SPDX-License-Identifier: Apache-2.0
#pragma once

// For this module's tests only: a CA made on the spot and a server that shows its certificates.

#include <array>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "net/origin.h"
#include "net/server_tls.h"
#include "net/socket_bio.h"
#include "net/testing.h"

namespace muster::net::testing {

inline Descriptor listen_on_loopback() {
  Descriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool listens =
      ::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
      ::listen(listener.get(), 16) == 0;
  if (!listens) throw std::runtime_error("cannot listen");
  return listener;
}

inline std::uint16_t port_of(int socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

/// The next caller; nobody after a while, so that a failed test ends.
inline Descriptor accept_one(int listener) {
  pollfd entry{listener, POLLIN, 0};
  if (::poll(&entry, 1, patience_ms) != 1) return {};
  return Descriptor(::accept(listener, nullptr, nullptr));
}

struct KeyFree {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using Key = std::unique_ptr<EVP_PKEY, KeyFree>;
using Certificate = std::unique_ptr<X509, KeyFree>;

/// A certificate authority: its key, and its certificate as a PEM file.
struct CertificateFiles {
  std::shared_ptr<EVP_PKEY> ca_key;
  std::shared_ptr<X509> ca_certificate;
  std::string ca;
};

inline Key make_key() {
  return Key(EVP_EC_gen("P-256"));
}

inline void add_extension(X509* certificate, int nid, const std::string& value) {
  X509_EXTENSION* made = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
  X509_add_ext(certificate, made, -1);
  X509_EXTENSION_free(made);
}

/// Signed by `issuer`, or by itself if that is null; good for `seconds`.
inline Certificate make_certificate(EVP_PKEY* key, const std::string& name, X509* issuer,
                                    EVP_PKEY* issuer_key, long seconds = 3600) {
  Certificate out(X509_new());
  X509_set_version(out.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(out.get()), issuer == nullptr ? 1 : 2);
  X509_gmtime_adj(X509_getm_notBefore(out.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(out.get()), seconds);
  X509_set_pubkey(out.get(), key);
  X509_NAME* subject = X509_get_subject_name(out.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(out.get(), issuer == nullptr ? subject : X509_get_subject_name(issuer));
  if (issuer == nullptr) {
    add_extension(out.get(), NID_basic_constraints, "critical,CA:TRUE");
  } else {
    add_extension(out.get(), NID_subject_alt_name, (is_address(name) ? "IP:" : "DNS:") + name);
  }
  X509_sign(out.get(), issuer == nullptr ? key : issuer_key, EVP_sha256());
  return out;
}

inline CertificateFiles certificate_files(const std::string& name) {
  CertificateFiles out;
  Key key = make_key();
  Certificate certificate = make_certificate(key.get(), "Test CA " + name, nullptr, nullptr);
  out.ca = ::testing::TempDir() + "muster-net-" + std::to_string(::getpid()) + "-" + name + ".pem";
  std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(out.ca.c_str(), "w"), std::fclose);
  PEM_write_X509(file.get(), certificate.get());
  out.ca_key = std::move(key);
  out.ca_certificate = std::move(certificate);
  return out;
}

/// A key and its certificate for `host` in files that a server reads, removed in the end. Writing
/// again makes new ones.
class ServedFiles {
 public:
  explicit ServedFiles(std::string host = "localhost") : host_(std::move(host)) { write(); }
  ~ServedFiles() {
    std::filesystem::remove(files().certificate);
    std::filesystem::remove(files().key);
  }
  ServedFiles(const ServedFiles&) = delete;
  ServedFiles& operator=(const ServedFiles&) = delete;

  void write(Key key = make_key(), long seconds = 3600) {
    certificate_ = make_certificate(key.get(), host_, nullptr, nullptr, seconds);
    const std::unique_ptr<FILE, int (*)(FILE*)> key_file(std::fopen(files().key.c_str(), "w"),
                                                         std::fclose);
    PEM_write_PrivateKey(key_file.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(files().certificate.c_str(), "w"),
                                                     std::fclose);
    PEM_write_X509(file.get(), certificate_.get());
    std::filesystem::permissions(
        files().key, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }
  TlsFiles files() const { return {stem_ + ".pem", stem_ + ".key"}; }
  X509* certificate() const { return certificate_.get(); }

 private:
  std::string host_;
  std::string stem_ =
      ::testing::TempDir() + "muster-net-served-" + std::to_string(::getpid()) + "-" + host_;
  Certificate certificate_;
};

struct SessionFree {
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using SessionPtr = std::unique_ptr<SSL_SESSION, SessionFree>;

struct TlsPeerOptions {
  int version_min = TLS1_2_VERSION;
  int version_max = TLS1_3_VERSION;
  std::string sni = "localhost";
  std::string alpn = {};  // as on the wire
  SSL_SESSION* session = nullptr;
  int receive_buffer = 0;
  std::size_t segment = 64 * 1024;  // largest piece given to the socket at once
  std::string before = {};          // sent in the clear first
};

/// A client that verifies nothing and whose every byte can be seen. Throws when the server takes
/// too long; shake_hands() says whether it was taken.
class TlsPeer : public Peer {
 public:
  explicit TlsPeer(std::uint16_t port, const TlsPeerOptions& options = {})
      : Peer(port, options.receive_buffer), segment_(options.segment) {
    context_.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_min_proto_version(context_.get(), options.version_min);
    SSL_CTX_set_max_proto_version(context_.get(), options.version_max);
    if (options.version_min < TLS1_2_VERSION) SSL_CTX_set_security_level(context_.get(), 0);
    tls_.reset(SSL_new(context_.get()));
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    SSL_set_bio(tls_.get(), in_, out_);
    SSL_ctrl(tls_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(options.sni.c_str()));
    SSL_set_alpn_protos(tls_.get(), reinterpret_cast<const unsigned char*>(options.alpn.data()),
                        static_cast<unsigned>(options.alpn.size()));
    if (options.session != nullptr) SSL_set_session(tls_.get(), options.session);
    SSL_set_connect_state(tls_.get());
    send_raw(options.before);
  }
  TlsPeer(TlsPeer&&) = default;
  TlsPeer& operator=(TlsPeer&&) = default;

  /// A peer that has shaken hands.
  static TlsPeer connected(std::uint16_t port, const TlsPeerOptions& options = {}) {
    TlsPeer peer(port, options);
    if (!peer.shake_hands()) throw std::runtime_error("handshake failed");
    return peer;
  }

  bool shake_hands() {
    for (;;) {
      ERR_clear_error();
      const int done = SSL_do_handshake(tls_.get());
      flush();
      if (done == 1) return true;
      if (SSL_get_error(tls_.get(), done) != SSL_ERROR_WANT_READ || !fetch()) return false;
    }
  }
  /// The first flight, as it would be sent.
  std::string hello() {
    SSL_do_handshake(tls_.get());
    return taken();
  }
  Peer& send(std::string_view bytes) override {
    SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size()));
    flush();
    return *this;
  }
  bool read_more() override {
    std::string chunk(64 * 1024, '\0');
    for (;;) {
      ERR_clear_error();
      const int got = SSL_read(tls_.get(), chunk.data(), static_cast<int>(chunk.size()));
      const int reason = SSL_get_error(tls_.get(), got);
      flush();  // an answer to a key update
      if (got > 0) {
        buffer_.append(chunk, 0, static_cast<std::size_t>(got));
        return true;
      }
      said_goodbye_ = reason == SSL_ERROR_ZERO_RETURN;
      if (reason != SSL_ERROR_WANT_READ || !fetch()) return false;
    }
  }
  void say_goodbye() {
    SSL_shutdown(tls_.get());
    flush();
  }
  void ask_for_new_keys() {
    SSL_key_update(tls_.get(), SSL_KEY_UPDATE_REQUESTED);
    SSL_do_handshake(tls_.get());
    flush();
  }
  /// After closed(): it ended with close_notify.
  bool was_told() const { return said_goodbye_; }
  /// Keeps the socket and nothing else, so that only the server's memory is left.
  void forget_tls() {
    tls_.reset();
    context_.reset();
  }
  SSL* tls() { return tls_.get(); }
  SessionPtr session() { return SessionPtr(SSL_get1_session(tls_.get())); }

 private:
  /// More ciphertext from the socket; false at its end.
  bool fetch() {
    pollfd entry{socket_.get(), POLLIN, 0};
    if (::poll(&entry, 1, patience_ms) != 1) throw std::runtime_error("the server is silent");
    std::array<char, 64 * 1024> chunk;
    const auto got = ::recv(socket_.get(), chunk.data(), chunk.size(), 0);
    if (got > 0) BIO_write(in_, chunk.data(), static_cast<int>(got));
    return got > 0;
  }
  std::string taken() {
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(out_, &bytes);
    std::string out(bytes, static_cast<std::size_t>(size));
    BIO_reset(out_);
    return out;
  }
  void flush() {
    const std::string out = taken();
    for (std::size_t at = 0; at < out.size(); at += segment_) {
      send_raw(std::string_view(out).substr(at, segment_));
    }
  }

  std::size_t segment_;
  SslContextPtr context_;
  SslPtr tls_;
  BIO* in_ = nullptr;  // both are tls_'s
  BIO* out_ = nullptr;
  bool said_goodbye_ = false;
};

/// Serves one connection: shakes hands with a certificate for `host`, answers `requests` requests.
class TlsServer {
 public:
  TlsServer(const CertificateFiles& files, const std::string& host, int requests)
      : key_(make_key()),
        certificate_(
            make_certificate(key_.get(), host, files.ca_certificate.get(), files.ca_key.get())),
        listener_(listen_on_loopback()),
        thread_([this, requests] { run(requests); }) {}
  ~TlsServer() { thread_.join(); }

  std::uint16_t port() const { return port_of(listener_.get()); }

 private:
  void run(int requests) {
    const SslContextPtr context(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_use_certificate(context.get(), certificate_.get());
    SSL_CTX_use_PrivateKey(context.get(), key_.get());
    const Descriptor peer = accept_one(listener_.get());
    const SslPtr ssl(SSL_new(context.get()));
    attach_socket(ssl.get(), peer.get());
    if (SSL_accept(ssl.get()) != 1) return;
    const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret";
    for (int i = 0; i < requests; ++i) {
      std::string request;
      while (request.find("\r\n\r\n") == std::string::npos) {
        char chunk[1024];
        const int got = SSL_read(ssl.get(), chunk, sizeof chunk);
        if (got <= 0) return;
        request.append(chunk, static_cast<std::size_t>(got));
      }
      SSL_write(ssl.get(), answer.data(), static_cast<int>(answer.size()));
    }
  }

  Key key_;
  Certificate certificate_;
  Descriptor listener_;
  std::thread thread_;
};

}  // namespace muster::net::testing
