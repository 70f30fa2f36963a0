// SPDX-License-Identifier: Apache-2.0
#pragma once

// For this module's tests only: a CA made on the spot and a server that shows its certificates.

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "net/origin.h"
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

/// Signed by `issuer`, or by itself if that is null.
inline Certificate make_certificate(EVP_PKEY* key, const std::string& name, X509* issuer,
                                    EVP_PKEY* issuer_key) {
  Certificate out(X509_new());
  X509_set_version(out.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(out.get()), issuer == nullptr ? 1 : 2);
  X509_gmtime_adj(X509_getm_notBefore(out.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(out.get()), 3600);
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
