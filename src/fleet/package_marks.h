// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "base/ids.h"

namespace muster::fleet {

/// A set of packages of the organisations' dictionaries: a bit for each, since ids are dense.
class PackageMarks {
 public:
  void add(OrgId org, PackageId id) {
    std::vector<bool>& marks = orgs_[org];
    const auto at = static_cast<std::size_t>(id.value);
    if (marks.size() <= at) marks.resize(at + at / 2 + 64);
    if (!marks[at]) ++size_;
    marks[at] = true;
  }
  bool contains(OrgId org, PackageId id) const {
    const auto found = orgs_.find(org);
    const auto at = static_cast<std::size_t>(id.value);
    return found != orgs_.end() && at < found->second.size() && found->second[at];
  }
  bool contains_any(OrgId org, const std::vector<PackageId>& ids) const {
    const auto found = orgs_.find(org);
    if (found == orgs_.end()) return false;
    const std::vector<bool>& marks = found->second;
    return std::any_of(ids.begin(), ids.end(), [&](PackageId id) {
      const auto at = static_cast<std::size_t>(id.value);
      return at < marks.size() && marks[at];
    });
  }
  /// Calls `each(org, id)`.
  template <typename F>
  void for_each(F&& each) const {
    for (const auto& [org, marks] : orgs_) {
      for (std::size_t at = 0; at < marks.size(); ++at) {
        if (marks[at]) each(org, PackageId{static_cast<std::int64_t>(at)});
      }
    }
  }
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }

 private:
  std::unordered_map<OrgId, std::vector<bool>> orgs_;
  std::size_t size_ = 0;
};

}  // namespace muster::fleet
