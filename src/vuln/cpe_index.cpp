// SPDX-License-Identifier: Apache-2.0
#include "vuln/cpe_index.h"

#include <algorithm>

#include "base/check.h"
#include "vuln/product_version.h"

namespace muster::vuln {

using model::Cpe;
using model::CpeAttribute;

std::optional<std::uint64_t> CpeIndex::product_of(const Name& name) const {
  const auto number = [&](CpeAttribute attribute) {
    return name[static_cast<std::size_t>(attribute)];
  };
  const std::uint32_t vendor = number(CpeAttribute::vendor);
  const std::uint32_t product = number(CpeAttribute::product);
  const std::string_view part = text(number(CpeAttribute::part));
  for (const std::string_view value : {part, text(vendor), text(product)}) {
    if (!model::is_literal_cpe_value(value)) return std::nullopt;
  }
  const std::uint64_t part_number = part == "a" ? 0 : part == "o" ? 1 : 2;
  CHECK(vendor < (1U << 31) && product < (1U << 31));
  return (part_number << 62) | (std::uint64_t{vendor} << 31) | product;
}

const CpeIndex::Group* CpeIndex::find(const Cpe& product) const {
  Name name{};
  for (const auto each : {CpeAttribute::part, CpeAttribute::vendor, CpeAttribute::product}) {
    const auto number = pool_.find(product[each]);
    if (!number) return nullptr;
    name[static_cast<std::size_t>(each)] = *number;
  }
  const auto key = product_of(name);
  if (!key) return nullptr;
  const auto group =
      std::lower_bound(groups_.begin(), groups_.end(), *key,
                       [](const Group& g, std::uint64_t k) { return g.product < k; });
  return group == groups_.end() || group->product != *key ? nullptr : &*group;
}

std::uint32_t CpeIndex::place_on(std::span<const std::uint32_t> ladder, version::Scheme scheme,
                                 std::string_view text) const {
  const auto rung =
      std::lower_bound(ladder.begin(), ladder.end(), text, [&](std::uint32_t a, auto wanted) {
        return version::compare_valid(scheme, pool_.text(a), wanted) < 0;
      });
  const auto place = static_cast<std::uint32_t>(rung - ladder.begin()) * 2;
  const bool on_it =
      rung != ladder.end() && version::compare_valid(scheme, pool_.text(*rung), text) == 0;
  return on_it ? place + 1 : place;
}

CpeIndex::Span CpeIndex::place_of(const Group& group, const Reading& reading) const {
  Cpe product;
  product[CpeAttribute::product] =
      value(criteria_[postings_[group.first].criterion], CpeAttribute::product);
  const auto scheme = product_scheme(product, model::Ecosystem::unknown);
  // Windows orders as the generic scheme does, under a name of its own.
  const version::Scheme declared =
      reading.scheme == version::Scheme::windows ? version::Scheme::generic : reading.scheme;
  const auto is_version = [&](std::string_view text) {
    return version::validate(declared, text).ok();
  };
  if (declared != scheme || !is_version(reading.whole) || !is_version(reading.base)) {
    return anywhere;
  }
  const auto ladder = std::span(rungs_).subspan(group.first_rung, group.rung_count);
  const std::uint32_t whole = place_on(ladder, declared, reading.whole);
  const std::uint32_t base =
      reading.base == reading.whole ? whole : place_on(ladder, declared, reading.base);
  return {std::min(whole, base), std::max(whole, base)};
}

std::span<const CpeIndex::Node> CpeIndex::nodes(const Configuration& configuration) const {
  return std::span(nodes_).subspan(configuration.first_node, configuration.node_count);
}

std::span<const CpeIndex::Criterion> CpeIndex::criteria(const Node& node) const {
  return std::span(criteria_).subspan(node.first_criterion, node.criterion_count);
}

std::string CpeIndex::name(const Criterion& criterion) const {
  std::string text = "cpe:2.3";
  for (const std::uint32_t value : names_[criterion.name]) {
    text.append(":").append(pool_.text(value));
  }
  return text;
}

std::array<std::string_view, 4> CpeIndex::range(const Criterion& criterion) const {
  const Range& range = ranges_[criterion.range];
  return {pool_.text(range[0]), pool_.text(range[1]), pool_.text(range[2]), pool_.text(range[3])};
}

std::vector<std::string> CpeIndex::aliases(const Row& row) const {
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < row.alias_count; ++i) {
    names.emplace_back(pool_.text(aliases_[row.first_alias + i]));
  }
  return names;
}

std::size_t CpeIndex::bytes() const {
  return sizeof *this + pool_.bytes() + rows_.capacity() * sizeof(Row) +
         configurations_.capacity() * sizeof(Configuration) + nodes_.capacity() * sizeof(Node) +
         criteria_.capacity() * sizeof(Criterion) + names_.capacity() * sizeof(Name) +
         ranges_.capacity() * sizeof(Range) + aliases_.capacity() * sizeof(std::uint32_t) +
         postings_.capacity() * sizeof(Posting) + spans_.capacity() * sizeof(Span) +
         rungs_.capacity() * sizeof(std::uint32_t) + groups_.capacity() * sizeof(Group) +
         wildcards_.capacity() * sizeof(Posting) + vocabulary_.bytes();
}

}  // namespace muster::vuln
