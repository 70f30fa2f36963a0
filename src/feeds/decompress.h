// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"

namespace muster::feeds {

/// The content of a feed file: gzip (RFC 1952) and Zstandard (RFC 8878) are recognised by their
/// first bytes and decoded, whole and of any number of members or frames, zip gives its JSON files
/// (unzip.h); anything else comes back as it is. Fails with body_too_large beyond `bytes_max` and
/// with invalid_encoding for content that is damaged or cut off. Memory grows with the output, so a
/// bomb costs no more than `bytes_max`; Zstandard windows above 128 MiB are refused.
Result<std::string> decompress(std::string content, std::size_t bytes_max);

}  // namespace muster::feeds
