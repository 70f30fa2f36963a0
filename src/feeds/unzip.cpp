// SPDX-License-Identifier: Apache-2.0
#include "feeds/unzip.h"

#include <memory>

#include <zip.h>

#include "base/text.h"

namespace muster::feeds {

namespace {

constexpr zip_int64_t entries_max = 1'000'000;

using Archive = std::unique_ptr<zip_t, decltype(&zip_discard)>;
using Entry = std::unique_ptr<zip_file_t, decltype(&zip_fclose)>;

Error damaged(std::string_view what) {
  return {Errc::invalid_encoding, "The zip file " + std::string(what) + "."};
}

Archive open_archive(std::string_view content) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(content.data(), content.size(), 0, &error);
  zip_t* archive = source != nullptr
                       ? zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error)
                       : nullptr;
  // The archive owns the source, but only once it is open.
  if (archive == nullptr && source != nullptr) zip_source_free(source);
  zip_error_fini(&error);
  return {archive, &zip_discard};
}

Result<void> append(zip_file_t& entry, std::string& out, std::size_t bytes_max) {
  char piece[64 * 1024];
  for (;;) {
    const zip_int64_t read = zip_fread(&entry, piece, sizeof piece);
    if (read < 0) return damaged("has a damaged entry");
    if (read == 0) return {};
    if (out.size() + static_cast<std::size_t>(read) >= bytes_max) {
      return Error{Errc::body_too_large, "The file is larger than " + std::to_string(bytes_max) +
                                             " bytes when decompressed."};
    }
    out.append(piece, static_cast<std::size_t>(read));
  }
}

}  // namespace

bool is_zip(std::string_view content) {
  return content.starts_with("PK\x03\x04");
}

Result<std::string> unzip_json(std::string_view content, std::size_t bytes_max) {
  const Archive archive = open_archive(content);
  if (!archive) return damaged("is damaged or cut off");
  const zip_int64_t count = zip_get_num_entries(archive.get(), 0);
  if (count > entries_max) return damaged("has too many entries");
  std::string out;
  for (zip_int64_t at = 0; at < count; ++at) {
    const auto index = static_cast<zip_uint64_t>(at);
    const char* name = zip_get_name(archive.get(), index, ZIP_FL_ENC_RAW);
    if (name == nullptr || !fold_case(name).ends_with(".json")) continue;
    const Entry entry(zip_fopen_index(archive.get(), index, 0), &zip_fclose);
    if (!entry) return damaged("has an entry that cannot be opened");
    TRY(append(*entry, out, bytes_max));
    out += '\n';
  }
  return out;
}

}  // namespace muster::feeds
