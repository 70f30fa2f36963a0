// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_write.h"
#include "model/package.h"
#include "model/set_hash.h"

namespace muster::agent {

/// The software of a host as sorted lines without repeats, one package each, its members separated
/// by tabs: the form in which two sets are compared and the acknowledged one is kept.
using SoftwareSet = std::vector<std::string>;

SoftwareSet make_software_set(const std::vector<model::Package>& packages);

/// The hash by which server and agent compare what they have (model/set_hash.h).
model::SetHash hash_of(const SoftwareSet& set);

/// The acknowledged set as a file: a line with its digest, then its lines.
inline constexpr const char* software_file = "software.tsv";
std::string encode_software(const SoftwareSet& set);
/// Nothing for a file that is damaged or of another format: a full report makes a new one.
std::optional<SoftwareSet> decode_software(std::string_view text);

struct SoftwareChange {
  SoftwareSet added;
  SoftwareSet removed;
  bool empty() const { return added.empty() && removed.empty(); }
};
/// What turns `before` into `after` when removals come first and name a package by name and version
/// alone (design: wire decisions, "delta"): what shares these with a removed line but stays, as
/// libc6 of another architecture, is added again.
SoftwareChange change_between(const SoftwareSet& before, const SoftwareSet& after);

/// Writes each line as an object of the `software` array (inventory-endpoints.txt).
void write_software(JsonWriter& json, const SoftwareSet& lines);

}  // namespace muster::agent
