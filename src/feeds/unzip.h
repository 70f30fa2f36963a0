// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace muster::feeds {

/// Whether `content` begins like a zip archive.
bool is_zip(std::string_view content);

/// The files of a zip archive whose names end in ".json", in its order, each followed by a line
/// end: the form in which osv.dev publishes an ecosystem. At most a million entries. Fails with
/// body_too_large beyond `bytes_max` in all, and with invalid_encoding for an archive that is
/// damaged or encrypted.
Result<std::string> unzip_json(std::string_view content, std::size_t bytes_max);

}  // namespace muster::feeds
