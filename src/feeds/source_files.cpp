// SPDX-License-Identifier: Apache-2.0
#include "feeds/source_files.h"

#include <algorithm>
#include <filesystem>

#include <sys/stat.h>

#include "base/text.h"

namespace muster::feeds {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t files_max = 1000;
constexpr std::string_view file_scheme = "file://";

/// How a kind's files are called.
struct Names {
  std::string_view in_directory;  // of an address
  std::vector<std::string_view> begin;
};

Names names_of(FeedKind kind) {
  switch (kind) {
    case FeedKind::kev:
      return {"known_exploited_vulnerabilities.json", {"known_exploited_vulnerabilities", "kev"}};
    case FeedKind::epss:
      return {"epss_scores-current.csv.gz", {"epss"}};
    case FeedKind::debian:
      return {"debian-tracker.json", {"debian"}};
    case FeedKind::nvd:
      return {"nvdcve-2.0-{year}.json.gz", {"nvd"}};
    case FeedKind::osv:
      return {"{ecosystem}/all.zip", {"osv"}};
  }
  check_failed("a known feed", __FILE__, __LINE__);
}

bool is_feed_file(const fs::path& path) {
  const std::string end = path.extension().string();
  return end == ".json" || end == ".jsonl" || end == ".csv" || end == ".gz" || end == ".zst" ||
         end == ".zip";
}

/// What a URL's path may not hold as it is (RFC 3986).
std::string encode_part(std::string_view part) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char each : part) {
    const auto octet = static_cast<unsigned char>(each);
    const bool plain = (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') ||
                       (each >= '0' && each <= '9') ||
                       std::string_view("-._~").find(each) != std::string_view::npos;
    if (plain) {
      out += each;
    } else {
      out += '%';
      out += digits[octet >> 4];
      out += digits[octet & 0xf];
    }
  }
  return out;
}

bool replace(std::string& text, std::string_view what, std::string_view by) {
  const auto at = text.find(what);
  if (at == std::string::npos) return false;
  text.replace(at, what.size(), by);
  return true;
}

void add_files(std::vector<SourceFile>& out, const fs::path& folder, const fs::path& root,
               FeedKind kind, bool by_name) {
  std::error_code failure;
  for (auto entry = fs::recursive_directory_iterator(folder, failure);
       !failure && entry != fs::recursive_directory_iterator() && out.size() <= files_max;
       entry.increment(failure)) {
    if (by_name) entry.disable_recursion_pending();
    if (!entry->is_regular_file(failure) || !is_feed_file(entry->path())) continue;
    const std::string name = entry->path().filename().string();
    const auto begins = names_of(kind).begin;
    const bool own = std::any_of(begins.begin(), begins.end(),
                                 [&](std::string_view begin) { return name.starts_with(begin); });
    if (by_name && !own) continue;
    out.push_back({entry->path().lexically_relative(root).string(), entry->path().string()});
  }
}

}  // namespace

bool is_local_source(std::string_view source) {
  return source.starts_with('/') || source.starts_with(file_scheme);
}

std::string local_path(std::string_view source) {
  if (source.starts_with(file_scheme)) source.remove_prefix(file_scheme.size());
  return std::string(source);
}

std::vector<SourceFile> remote_files(FeedKind kind, std::string_view source,
                                     const std::vector<std::string>& parts) {
  std::string form(source);
  if (form.ends_with('/')) form += names_of(kind).in_directory;
  std::vector<SourceFile> out;
  for (const std::string& part : parts) {
    SourceFile file{part, form};
    const std::string encoded = encode_part(part);
    const bool year = replace(file.at, "{year}", encoded);
    if (!replace(file.at, "{ecosystem}", encoded) && !year) {
      // One file that holds all parts.
      return {{"", form}};
    }
    out.push_back(std::move(file));
  }
  return out;
}

Result<std::vector<SourceFile>> local_files(FeedKind kind, const std::string& path) {
  std::error_code failure;
  if (fs::is_regular_file(path, failure)) return std::vector<SourceFile>{{"", path}};
  std::vector<SourceFile> out;
  const fs::path own = fs::path(path) / feed_name(kind);
  if (fs::is_directory(own, failure)) {
    add_files(out, own, path, kind, false);
  } else {
    add_files(out, path, path, kind, true);
  }
  if (out.empty()) {
    return Error{Errc::not_found, path + " holds no file of " + std::string(feed_name(kind)) + "."};
  }
  if (out.size() > files_max) return Error{Errc::not_found, path + " holds too many files."};
  std::sort(out.begin(), out.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.at < b.at; });
  return out;
}

std::string stamp_of_file(const std::string& path) {
  struct stat state {};
  if (::stat(path.c_str(), &state) != 0) return {};
  return std::to_string(state.st_size) + "-" + std::to_string(state.st_mtim.tv_sec) + "." +
         std::to_string(state.st_mtim.tv_nsec);
}

}  // namespace muster::feeds
