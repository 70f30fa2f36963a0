// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "base/time.h"
#include "crypto/sha256.h"
#include "http/response.h"
#include "store/sql/blobs.h"

namespace muster::store {
class Store;
}

namespace muster::fleet {

/// Stores a file under its digest, in many small commits, so that no agent waits behind it; a
/// repeat stores nothing. It lives for limits::loose_blob_life, or for as long as something refers
/// to it (store::keep_blob); what an upload that was cut short had stored goes after that time too.
/// Throws store::StoreError.
crypto::Sha256 store_blob(store::Store& store, OrgId org, std::string_view content, Instant now);

/// Its content, to be read piece by piece; nothing when it is not there. `store` outlives it.
std::optional<http::Stream> open_blob(store::Store& store, const store::BlobName& name);

/// Deletes the blobs that nothing needs, in small commits; a program that a task names which is not
/// over is looked at again after limits::loose_blob_life. Returns how many were looked at. Throws
/// store::StoreError.
std::size_t delete_loose_blobs(store::Store& store, Instant now);

}  // namespace muster::fleet
