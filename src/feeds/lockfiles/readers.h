// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/json_read.h"
#include "base/result.h"
#include "feeds/lockfiles/lockfiles.h"

/// The readers of lockfiles.def; private to the folder.
namespace muster::feeds::lockfiles {

/// Collects what a file pins.
class Pins {
 public:
  /// Counts it as skipped unless name and version are plain, not empty and within their limits.
  void add(std::string_view name, std::string_view version, bool direct);
  void skip() { ++skipped_; }
  Lockfile take(model::Ecosystem ecosystem) &&;

 private:
  std::map<std::pair<std::string, std::string>, bool> direct_by_pin_;
  std::size_t skipped_ = 0;
};

/// Takes the next line off `text`, without its end.
std::string_view take_line(std::string_view& text);
/// A member that is text, else empty.
std::string_view text_of(const Json& object, std::string_view member);
/// The content as an object. Fails with invalid_json.
Result<Json> parse_object(JsonDocument& document, std::string_view content);

#define LOCKFILE(filename, ecosystem, reader) Result<void> reader(std::string_view content, Pins&);
#include "feeds/lockfiles/lockfiles.def"
#undef LOCKFILE

}  // namespace muster::feeds::lockfiles
