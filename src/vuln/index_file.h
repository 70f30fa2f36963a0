// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "vuln/index.h"

namespace muster::vuln {

/// An index in a file, so that a start need not build it from its advisories again (docs/adr/0032).
/// The file is a copy of what is in memory, for the program that wrote it and for those built of
/// the same sources: for all others, and on other machines, it is as good as none.

/// Writes `index`; `key` says what it was built from. Whoever reads meanwhile sees the former file
/// or this one. False if it cannot be written; the former file may be gone then.
bool write_index(const Index& index, std::string_view key, const std::filesystem::path& file);

/// What write_index() wrote for `key`; null if there is no such file, or it has another key, or it
/// is damaged.
std::shared_ptr<const Index> read_index(std::string_view key, const std::filesystem::path& file);

}  // namespace muster::vuln
