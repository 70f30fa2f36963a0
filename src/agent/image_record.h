// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/collectors/image_look.h"
#include "base/time.h"

namespace muster::agent {

/// What the server was told of this host's images: images.json. Lost or damaged, it costs one
/// report on each.
struct ImageRecord {
  static constexpr const char* file = "images.json";

  struct Entry {
    std::string digest;
    Instant until;            // then it is reported on again
    bool by_scanner = false;  // or when a scanner was not asked
  };
  std::string list_hash;       // of the names and digests; empty: it was told of none
  std::vector<Entry> entries;  // by digest

  /// The digests that need no report at `now`, sorted; with `scanner` only those that one was asked
  /// about.
  std::vector<std::string> known(Instant now, bool scanner) const;
};

/// What it will be once `sight` was told: of the images that are there, those that were told, and
/// those that were looked into now, until `until`. `list` is hash_of_images() of them.
ImageRecord record_after(const ImageRecord& before, const ImageSight& sight, std::string list,
                         Instant until, bool scanner);

/// Names the list of a host's images; empty for none.
std::string hash_of_images(const std::vector<LocalImage>& images);

std::string encode_images(const ImageRecord& record);
/// Nothing for a damaged file.
std::optional<ImageRecord> decode_images(std::string_view json);

}  // namespace muster::agent
