// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace muster::crypto {

/// Argon2id (RFC 9106) with 64 MiB and two passes, a salt of its own, as the text
/// "$argon2id$v=19$…" that names its parameters. Takes about a tenth of a second. Throws
/// std::bad_alloc.
std::string hash_password(std::string_view password);

/// Whether `hash` was made of `password`; false for what is no such text. As slow.
bool verify_password(const std::string& hash, std::string_view password);

}  // namespace muster::crypto
