// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "base/log.h"
#include "base/result.h"
#include "net/server_tls.h"

namespace muster {

/// The server's certificate as its operator sees it: reloaded on demand, in the log, in the
/// metrics, and warned of before it expires. For one thread.
class CertificateWatch {
 public:
  /// `expires_at_seconds` (Unix time) is what /metrics shows. All must outlive this.
  CertificateWatch(net::ServerTls& tls, const Clock& clock, Log& log,
                   std::atomic<std::int64_t>& expires_at_seconds);

  /// Takes the files as they are now; a bad one is logged and the old certificate stays in force.
  void reload();

  /// Warns, at most once a day, when the certificate expires within limits::certificate_warning.
  void check();

 private:
  void announce();

  net::ServerTls& tls_;
  const Clock& clock_;
  Log& log_;
  std::atomic<std::int64_t>& expires_at_seconds_;
  Instant next_check_;
};

}  // namespace muster
