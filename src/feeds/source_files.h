// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "feeds/feed.h"

namespace muster::feeds {

/// One file of a source. `part` names it within its feed whatever the source: an ecosystem, a year;
/// empty for a feed of one file.
struct SourceFile {
  std::string part;
  std::string at;  // an address, or a path of this machine
};

/// Whether a source is a file or directory of this machine ("/srv/feeds", "file:///srv/feeds")
/// rather than an address.
bool is_local_source(std::string_view source);
/// The path of a local source.
std::string local_path(std::string_view source);

/// The files of a source elsewhere, for each of `parts`. {year} and {ecosystem} stand for the part;
/// an address that ends with "/" is a directory with the publisher's own names in it, or the names
/// of this list:
///
///     known_exploited_vulnerabilities.json   epss_scores-current.csv.gz   debian-tracker.json
///     nvdcve-2.0-{year}.json.gz              {ecosystem}/all.zip
std::vector<SourceFile> remote_files(FeedKind kind, std::string_view source,
                                     const std::vector<std::string>& parts);

/// The files of a kind at a path, sorted: the file itself; all that are in the directory's folder
/// of that name (`nvd/`), however deep; or else those beside it whose names begin as the
/// publisher's do. Fails with not_found if there are none, or more than a mirror has (1,000).
Result<std::vector<SourceFile>> local_files(FeedKind kind, const std::string& path);

/// What changes when the file does: its size and the time of its last change. Empty if it is gone.
std::string stamp_of_file(const std::string& path);

}  // namespace muster::feeds
