// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace muster::agent {

/// `content` as one gzip member (RFC 1952), without a file name or time, so equal input gives equal
/// output.
std::string gzip(std::string_view content);

}  // namespace muster::agent
