// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/package.h"

namespace muster::feeds {

/// A package as a lock file pins it.
struct LockedPackage {
  std::string name;
  std::string version;
  bool direct = false;  // the project itself asks for it; false also where the file does not say

  friend auto operator<=>(const LockedPackage&, const LockedPackage&) = default;
};

/// What one lock file pins.
struct Lockfile {
  model::Ecosystem ecosystem = model::Ecosystem::unknown;
  std::vector<LockedPackage> packages;  // each name and version once, ascending
  /// Entries that pin nothing: ranges, addresses, folders, and those beyond
  /// limits::lockfile_packages.
  std::size_t skipped = 0;
};

/// Whether files of that name (without folders) can be read; lockfiles.def is the list.
bool is_lockfile(std::string_view filename);

/// Reads a whole file. Fails with invalid_field for a name that is none, and with invalid_json or
/// invalid_field for content of another form or longer than limits::lockfile_bytes. Texts come
/// back plain and bounded; nothing is resolved and nothing is run.
Result<Lockfile> read_lockfile(std::string_view filename, std::string_view content);

}  // namespace muster::feeds
