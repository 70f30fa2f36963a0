// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"
#include "net/socket_bio.h"

namespace muster::net {

/// A client's context, TLS 1.2 or newer, that trusts the system's roots, or those of `ca_file`
/// (PEM) alone. Fails with invalid_field.
Result<SslContextPtr> make_client_context(const std::string& ca_file);

/// One connection's TLS, which goes on only with a certificate for `host`, a name or an address.
SslPtr make_client_ssl(SSL_CTX* context, const std::string& host);

}  // namespace muster::net
