// SPDX-License-Identifier: Apache-2.0
#include "agent/image_record.h"

#include <algorithm>

#include "agent/bounds.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "crypto/sha256.h"

namespace muster::agent {

std::vector<std::string> ImageRecord::known(Instant now, bool scanner) const {
  std::vector<std::string> digests;
  for (const Entry& entry : entries) {
    // A clock that was far ahead must not silence an image for ever.
    const bool sane = entry.until <= now + bounds::image_list_lifetime;
    if (entry.until > now && sane && (entry.by_scanner || !scanner)) {
      digests.push_back(entry.digest);
    }
  }
  return digests;
}

ImageRecord record_after(const ImageRecord& before, const ImageSight& sight, std::string list,
                         Instant until, bool scanner) {
  ImageRecord after;
  after.list_hash = std::move(list);
  for (const LocalImage& image : sight.local.images) {
    const bool tried =
        std::find(sight.tried.begin(), sight.tried.end(), image.digest) != sight.tried.end();
    const auto known =
        std::find_if(before.entries.begin(), before.entries.end(),
                     [&](const ImageRecord::Entry& entry) { return entry.digest == image.digest; });
    if (tried) {
      after.entries.push_back({image.digest, until, scanner});
    } else if (known != before.entries.end()) {
      after.entries.push_back(*known);
    }
  }
  return after;
}

std::string hash_of_images(const std::vector<LocalImage>& images) {
  if (images.empty()) return {};
  std::string text;
  for (const LocalImage& image : images) {
    text += image.digest;
    for (const std::string& reference : image.references) text += " " + reference;
    text += "\n";
  }
  return crypto::sha256(text).text();
}

std::string encode_images(const ImageRecord& record) {
  JsonWriter json;
  json.begin_object().member("list_hash", record.list_hash).key("images").begin_array();
  for (const ImageRecord::Entry& entry : record.entries) {
    json.begin_object()
        .member("digest", entry.digest)
        .member("until", entry.until)
        .member("by_scanner", entry.by_scanner)
        .end_object();
  }
  json.end_array().end_object();
  return json.take() + "\n";
}

std::optional<ImageRecord> decode_images(std::string_view text) {
  JsonDocument document;
  const auto root = document.parse(text);
  if (!root.ok()) return std::nullopt;
  Fields fields(*root);
  ImageRecord record;
  record.list_hash = fields.optional_text("list_hash", limits::key_bytes).value_or("");
  const auto list = fields.array("images", bounds::images);
  if (!fields.finish().ok()) return std::nullopt;
  bool sound = true;
  list->for_each([&](const Json& element) {
    Fields members(element);
    ImageRecord::Entry entry;
    entry.digest = members.text("digest", limits::key_bytes);
    const auto until = parse_rfc3339(members.text("until", limits::name_bytes));
    entry.by_scanner = members.optional_boolean("by_scanner").value_or(false);
    sound = sound && members.finish().ok() && until.ok();
    if (sound) {
      entry.until = *until;
      record.entries.push_back(std::move(entry));
    }
  });
  if (!sound) return std::nullopt;
  return record;
}

}  // namespace muster::agent
