// SPDX-License-Identifier: Apache-2.0
#include "main/certificate_watch.h"

#include "base/limits.h"

namespace muster {

CertificateWatch::CertificateWatch(net::ServerTls& tls, const Clock& clock, Log& log,
                                   std::atomic<std::int64_t>& expires_at_seconds)
    : tls_(tls), clock_(clock), log_(log), expires_at_seconds_(expires_at_seconds) {
  announce();
}

void CertificateWatch::reload() {
  const auto reloaded = tls_.reload();
  if (!reloaded.ok()) {
    log_.write(LogLevel::error, "tls_reload_failed",
               [&](JsonWriter& fields) { fields.member("reason", reloaded.error().message); });
    return;
  }
  announce();
}

void CertificateWatch::check() {
  const Instant now = clock_.now();
  if (now < next_check_) return;
  next_check_ = now + std::chrono::hours(24);
  const Instant expires_at = tls_.certificate().expires_at;
  if (expires_at - now > limits::certificate_warning) return;
  log_.write(LogLevel::warning, "tls_certificate_expires_soon",
             [&](JsonWriter& fields) { fields.member("expires_at", expires_at); });
}

void CertificateWatch::announce() {
  const net::ServedCertificate served = tls_.certificate();
  expires_at_seconds_ = served.expires_at.unix_ms / 1000;
  log_.write(LogLevel::info, "tls_certificate_loaded", [&](JsonWriter& fields) {
    fields.member("key_type", served.key_type).member("expires_at", served.expires_at);
  });
  if (served.key_readable_by_others) log_.write(LogLevel::warning, "tls_key_readable_by_others");
  next_check_ = {};
  check();
}

}  // namespace muster
