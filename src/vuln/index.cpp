// SPDX-License-Identifier: Apache-2.0
#include "vuln/index.h"

#include <algorithm>
#include <array>
#include <compare>
#include <limits>
#include <numeric>
#include <optional>

#include "base/check.h"
#include "version/scheme.h"
#include "vuln/content_hash.h"

namespace muster::vuln {

namespace {

using model::Advisory;
using model::VersionRange;

bool is_comparable(const Advisory& advisory) {
  const auto scheme = version::parse_scheme(model::ecosystem_scheme(advisory.ecosystem));
  if (!scheme) return false;
  constexpr std::size_t count_max = std::numeric_limits<std::uint16_t>::max();
  if (advisory.ranges.size() > count_max || advisory.aliases.size() >= count_max) return false;
  const auto readable = [&](const std::string& end) {
    return end.empty() || version::validate(*scheme, end).ok();
  };
  // Only CPE criteria exclude their first version.
  const auto excludes = [](const VersionRange& each) { return !each.after.empty(); };
  if (std::any_of(advisory.ranges.begin(), advisory.ranges.end(), excludes)) return false;
  return std::all_of(advisory.ranges.begin(), advisory.ranges.end(), [&](const VersionRange& each) {
    return readable(each.introduced) && readable(each.fixed) && readable(each.last_affected);
  });
}

std::uint64_t content_of(const Advisory& advisory) {
  ContentHash hash;
  hash.add(advisory.feed).add(advisory.id).add(advisory.urgency).add(advisory.summary);
  hash.add(static_cast<std::uint64_t>(advisory.status));
  hash.add(static_cast<std::uint64_t>(advisory.severity)).add(advisory.ranges.size());
  for (const VersionRange& range : advisory.ranges) {
    hash.add(range.introduced).add(range.fixed).add(range.last_affected).add(range.after);
  }
  for (const std::string& alias : advisory.aliases) hash.add(alias);
  return hash.value();
}

}  // namespace

std::uint64_t Index::key_of(model::Ecosystem ecosystem, std::uint32_t distro,
                            std::uint32_t package) {
  CHECK(distro < (1U << 24));
  return (std::uint64_t{static_cast<std::uint8_t>(ecosystem)} << 56) |
         (std::uint64_t{distro} << 32) | package;
}

struct Index::Builder::State {
  struct Draft {
    std::uint64_t key;
    std::uint64_t content;
    Row row;
  };

  std::shared_ptr<Index> index = std::make_shared<Index>();
  std::vector<Draft> drafts;
  CpeIndex::Builder cpe;

  std::vector<std::uint32_t> ranks() const;
  std::strong_ordering compare(const Draft& a, const Draft& b,
                               const std::vector<std::uint32_t>& rank) const;
};

/// Where each text of the pool stands in alphabetical order: the numbers themselves depend on the
/// order in which advisories came, and the answers must not.
std::vector<std::uint32_t> Index::Builder::State::ranks() const {
  const StringPool& pool = index->pool_;
  std::vector<std::uint32_t> order(pool.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(),
            [&](std::uint32_t a, std::uint32_t b) { return pool.text(a) < pool.text(b); });
  std::vector<std::uint32_t> rank(order.size());
  for (std::uint32_t at = 0; at < order.size(); ++at) rank[order[at]] = at;
  return rank;
}

std::strong_ordering Index::Builder::State::compare(const Draft& a, const Draft& b,
                                                    const std::vector<std::uint32_t>& rank) const {
  if (const auto order = a.key <=> b.key; order != 0) return order;
  const auto words = [&](const Row& row) {
    return std::array{rank[row.id],
                      rank[row.feed],
                      rank[row.urgency],
                      rank[row.summary],
                      std::uint32_t{static_cast<std::uint8_t>(row.status)},
                      std::uint32_t{static_cast<std::uint8_t>(row.severity)},
                      std::uint32_t{row.range_count},
                      std::uint32_t{row.alias_count}};
  };
  if (const auto order = words(a.row) <=> words(b.row); order != 0) return order;
  for (std::uint32_t i = 0; i < a.row.range_count; ++i) {
    const Range& x = index->ranges_[a.row.first_range + i];
    const Range& y = index->ranges_[b.row.first_range + i];
    const auto ends = [&](const Range& range) {
      return std::array{rank[range.introduced], rank[range.fixed], rank[range.last_affected]};
    };
    if (const auto order = ends(x) <=> ends(y); order != 0) return order;
  }
  for (std::uint32_t i = 0; i < a.row.alias_count; ++i) {
    const auto order = rank[index->aliases_[a.row.first_alias + i]] <=>
                       rank[index->aliases_[b.row.first_alias + i]];
    if (order != 0) return order;
  }
  return std::strong_ordering::equal;
}

Index::Builder::Builder() : state_(std::make_unique<State>()) {}
Index::Builder::~Builder() = default;
Index::Builder::Builder(Builder&&) noexcept = default;
Index::Builder& Index::Builder::operator=(Builder&&) noexcept = default;

void Index::Builder::add(const Advisory& advisory) {
  if (!advisory.configurations.empty()) return state_->cpe.add(advisory);
  Index& index = *state_->index;
  StringPool& pool = index.pool_;
  const std::uint32_t distro = index.distros_.add(model::canonical_distro(advisory.distro));
  const std::uint32_t package =
      pool.add(model::canonical_package_name(advisory.ecosystem, advisory.package));
  const std::uint64_t key = key_of(advisory.ecosystem, distro, package);
  Row row{};
  row.feed = pool.add(advisory.feed);
  row.id = pool.add(advisory.id);
  row.urgency = pool.add(advisory.urgency);
  row.summary = pool.add(advisory.summary);
  row.status = advisory.status;
  row.severity = advisory.severity;
  row.comparable = is_comparable(advisory);
  row.first_range = static_cast<std::uint32_t>(index.ranges_.size());
  row.first_alias = static_cast<std::uint32_t>(index.aliases_.size());
  if (row.comparable) {
    row.range_count = static_cast<std::uint16_t>(advisory.ranges.size());
    row.alias_count = static_cast<std::uint16_t>(advisory.aliases.size());
    for (const VersionRange& each : advisory.ranges) {
      index.ranges_.push_back(
          {pool.add(each.introduced), pool.add(each.fixed), pool.add(each.last_affected)});
    }
    for (const std::string& alias : advisory.aliases) index.aliases_.push_back(pool.add(alias));
  }
  if (advisory.distro.empty()) {
    index.ecosystems_ |= 1U << static_cast<unsigned>(advisory.ecosystem);
  }
  const std::uint64_t content = content_of(advisory);
  if (advisory.flaws.empty()) return state_->drafts.push_back({key, content, row});
  // Each flaw is known by the bulletin's id too: its aliases are that one and the bulletin's own.
  const std::uint32_t bulletin = row.id;
  if (row.comparable) {
    index.aliases_.push_back(bulletin);
    ++row.alias_count;
  }
  for (const std::string& flaw : advisory.flaws) {
    row.id = pool.add(flaw);
    state_->drafts.push_back({key, ContentHash().add(content).add(flaw).value(), row});
  }
}

std::shared_ptr<const Index> Index::Builder::finish() {
  std::vector<State::Draft>& drafts = state_->drafts;
  const std::vector<std::uint32_t> rank = state_->ranks();
  const auto order = [&](const State::Draft& a, const State::Draft& b) {
    return state_->compare(a, b, rank);
  };
  std::sort(drafts.begin(), drafts.end(),
            [&](const auto& a, const auto& b) { return order(a, b) < 0; });
  const auto repeats = std::unique(drafts.begin(), drafts.end(),
                                   [&](const auto& a, const auto& b) { return order(a, b) == 0; });
  drafts.erase(repeats, drafts.end());

  Index& index = *state_->index;
  index.rows_.reserve(drafts.size());
  for (const State::Draft& draft : drafts) {
    const auto at = static_cast<std::uint32_t>(index.rows_.size());
    if (index.groups_.empty() || index.groups_.back().key != draft.key) {
      index.groups_.push_back({draft.key, at, at, 1});
    }
    index.rows_.push_back(draft.row);
    index.groups_.back().last = at + 1;
    // A sum, which no order changes.
    index.groups_.back().content += draft.content;
    index.incomparable_ += draft.row.comparable ? 0 : 1;
  }
  index.cpe_ = state_->cpe.finish();
  index.pool_.shrink();
  index.ranges_.shrink_to_fit();
  index.aliases_.shrink_to_fit();
  index.groups_.shrink_to_fit();
  std::shared_ptr<const Index> done = std::move(state_->index);
  state_ = std::make_unique<State>();
  return done;
}

std::shared_ptr<const Index> Index::build(const std::vector<Advisory>& advisories) {
  Builder builder;
  for (const Advisory& advisory : advisories) builder.add(advisory);
  return builder.finish();
}

bool Index::covers(std::string_view distro) const {
  return !distro.empty() && distros_.find(distro).has_value();
}

std::vector<std::string> Index::distros() const {
  std::vector<std::string> names;
  for (std::uint32_t number = 1; number < distros_.size(); ++number) {
    names.emplace_back(distros_.text(number));
  }
  std::sort(names.begin(), names.end());
  return names;
}

const Index::Group* Index::find_group(model::Ecosystem ecosystem, std::string_view distro,
                                      std::string_view package) const {
  const auto distro_number = distros_.find(distro);
  const auto package_number = pool_.find(package);
  if (!distro_number || !package_number) return nullptr;
  const std::uint64_t key = key_of(ecosystem, *distro_number, *package_number);
  const auto group = std::lower_bound(groups_.begin(), groups_.end(), key,
                                      [](const Group& g, std::uint64_t k) { return g.key < k; });
  return group == groups_.end() || group->key != key ? nullptr : &*group;
}

std::span<const Index::Row> Index::find(model::Ecosystem ecosystem, std::string_view distro,
                                        std::string_view package) const {
  const Group* group = find_group(ecosystem, distro, package);
  if (group == nullptr) return {};
  return std::span(rows_).subspan(group->first, group->last - group->first);
}

Index::Subject Index::subject(std::size_t number) const {
  const Group& group = groups_[number];
  return {static_cast<model::Ecosystem>(group.key >> 56),
          distros_.text(static_cast<std::uint32_t>(group.key >> 32) & 0xFFFFFFU),
          pool_.text(static_cast<std::uint32_t>(group.key)), group.content};
}

std::uint64_t Index::content(model::Ecosystem ecosystem, std::string_view distro,
                             std::string_view package) const {
  const Group* group = find_group(ecosystem, distro, package);
  return group == nullptr ? 0 : group->content;
}

std::span<const Index::Range> Index::ranges(const Row& row) const {
  return std::span(ranges_).subspan(row.first_range, row.range_count);
}

std::vector<std::string> Index::aliases(const Row& row) const {
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < row.alias_count; ++i) {
    names.emplace_back(pool_.text(aliases_[row.first_alias + i]));
  }
  return names;
}

std::size_t Index::bytes() const {
  return sizeof *this + pool_.bytes() + distros_.bytes() + rows_.capacity() * sizeof(Row) +
         ranges_.capacity() * sizeof(Range) + aliases_.capacity() * sizeof(std::uint32_t) +
         groups_.capacity() * sizeof(Group) + cpe_.bytes();
}

}  // namespace muster::vuln
