// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "base/limits.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/sha256.h"
#include "fleet/history.h"
#include "http/response.h"
#include "store/sql/blobs.h"

namespace muster::store {
class Store;
}

namespace muster::fleet {

/// What files of an organisation may take that nothing refers to, and those of the server: ten of
/// the largest. Each has its own, so that nobody uploads in another's place.
inline constexpr std::size_t loose_blobs_bytes = 2000 * limits::MiB;
/// What all files of an organisation may take. The server's, which only its admins keep by
/// publishing them, have no such bound.
inline constexpr std::size_t org_blobs_bytes = 10'000 * limits::MiB;
/// A file counts for this much at least in both, which bounds their number as well.
inline constexpr std::size_t blob_counts_bytes = limits::MiB;

/// Stores a file under its digest, in many small commits, so that no agent waits behind it; a
/// repeat stores nothing. It lives for limits::loose_blob_life, or for as long as something refers
/// to it (store::keep_blob); what an upload that was cut short had stored goes after that time too.
/// Fails with rate_limited when loose_blobs_bytes are taken until then, and with body_too_large
/// when org_blobs_bytes are: the transaction that looks takes the room, and servers on one database
/// write in turn. Throws store::StoreError.
Result<crypto::Sha256> store_blob(store::Store& store, NumberIds& ids, const Actor& actor,
                                  OrgId org, std::string_view content, Instant now);

/// Its content, to be read piece by piece; nothing when it is not there. `store` outlives it.
std::optional<http::Stream> open_blob(store::Store& store, const store::BlobName& name);

/// Deletes the blobs that nothing needs, in small commits; a program that a task names which is not
/// over is looked at again after limits::loose_blob_life. Returns how many were looked at. Throws
/// store::StoreError.
std::size_t delete_loose_blobs(store::Store& store, Instant now);

}  // namespace muster::fleet
