// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/transport.h"
#include "agent/update_record.h"
#include "base/json_read.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/signing.h"
#include "model/release.h"

namespace muster::agent {

/// What a server offers to update to (GET /api/agent/update): only what is signed counts, so its
/// version, digest and address beside the manifest are not even read.
struct UpdateOffer {
  std::string manifest;
  std::string signature;  // of the manifest: 128 hexadecimal digits
};
/// `data` of the answer. Fails with missing_field for an offer without a manifest: this agent takes
/// no other.
Result<UpdateOffer> read_offer(const Json& data);

/// By what an offer is judged.
struct UpdateJudge {
  /// Ed25519 keys, each of which may sign: those of the host's own settings, else the one that the
  /// server gave at enrolment.
  std::vector<crypto::PublicKey> keys;
  std::string_view arch;
  std::string_view version;  // that runs
  /// The later of the host's clock and the server's: neither can make an expired offer valid.
  Instant now;
  const UpdateRecord& record;
};

/// The keys of settings (`pinned`, in hexadecimal or base64), or `enrolled` if there are none.
/// Fails with invalid_field for what is no key.
Result<std::vector<crypto::PublicKey>> update_keys(const std::vector<std::string>& pinned,
                                                   std::string_view enrolled);

/// The manifest, once its signature holds and it is of this platform, newer than what runs, not
/// older than any that was proved here, not expired, of a size we take, and not of a build that
/// failed before. Fails with invalid_field, which says what is wrong.
Result<model::Manifest> accept_offer(const UpdateOffer& offer, const UpdateJudge& judge);

/// Where in a file of `size` bytes the body of an answer stands: 206 with Content-Range (RFC 9110,
/// 14.4), or 200 with all of it. Fails with invalid_field for any other.
Result<std::int64_t> offset_of_body(const Answer& answer, std::int64_t size);

}  // namespace muster::agent
