// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace muster::http {

/// Decodes one gzip member (RFC 1952) into at most `bytes_max` bytes. Fails with body_too_large
/// beyond that and with invalid_encoding for anything that is not whole gzip. Memory grows with
/// the output, so a bomb costs no more than `bytes_max`.
Result<std::string> gunzip(std::string_view compressed, std::size_t bytes_max);

}  // namespace muster::http
