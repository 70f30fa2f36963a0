// SPDX-License-Identifier: Apache-2.0
#include "net/client_tls.h"

#include <new>

#include <openssl/x509v3.h>

#include "base/check.h"
#include "net/origin.h"

namespace muster::net {

Result<SslContextPtr> make_client_context(const std::string& ca_file) {
  SslContextPtr context(SSL_CTX_new(TLS_client_method()));
  if (!context) throw std::bad_alloc();
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  const bool loaded =
      ca_file.empty() ? SSL_CTX_set_default_verify_paths(context.get()) == 1
                      : SSL_CTX_load_verify_locations(context.get(), ca_file.c_str(), nullptr) == 1;
  if (!loaded) return Error{Errc::invalid_field, ca_file + ": " + take_ssl_error(), "ca_file"};
  return context;
}

SslPtr make_client_ssl(SSL_CTX* context, const std::string& host) {
  SslPtr ssl(SSL_new(context));
  if (!ssl) throw std::bad_alloc();
  bool named = false;
  if (is_address(host)) {
    named = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), host.c_str()) == 1;
  } else {
    SSL_set_hostflags(ssl.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    named = SSL_set1_host(ssl.get(), host.c_str()) == 1 &&
            SSL_ctrl(ssl.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                     const_cast<char*>(host.c_str())) == 1;  // copied, never written
  }
  // Without a name to check any valid certificate would do: never go on.
  CHECK(named);
  SSL_set_verify(ssl.get(), SSL_VERIFY_PEER, nullptr);
  return ssl;
}

}  // namespace muster::net
