// SPDX-License-Identifier: Apache-2.0
#include "vuln/cpe_index.h"

#include <algorithm>
#include <bit>

#include "base/check.h"
#include "vuln/content_hash.h"

namespace muster::vuln {

using model::Cpe;
using model::CpeAttribute;

namespace {

constexpr std::string_view parts[] = {"a", "o", "h"};
constexpr unsigned part_shift = 62;
constexpr unsigned vendor_shift = 31;
constexpr std::uint32_t text_mask = (1U << vendor_shift) - 1;

}  // namespace

std::optional<std::uint64_t> CpeIndex::product_of(const Name& name) const {
  const auto number = [&](CpeAttribute attribute) {
    return name[static_cast<std::size_t>(attribute)];
  };
  const std::uint32_t vendor = number(CpeAttribute::vendor);
  const std::uint32_t product = number(CpeAttribute::product);
  const auto part = std::find(std::begin(parts), std::end(parts), text(number(CpeAttribute::part)));
  if (part == std::end(parts)) return std::nullopt;
  for (const std::string_view value : {text(vendor), text(product)}) {
    if (!model::is_literal_cpe_value(value)) return std::nullopt;
  }
  CHECK(vendor <= text_mask && product <= text_mask);
  const auto part_number = static_cast<std::uint64_t>(part - std::begin(parts));
  return (part_number << part_shift) | (std::uint64_t{vendor} << vendor_shift) | product;
}

std::uint32_t CpeIndex::hash_of(std::string_view part, std::string_view vendor,
                                std::string_view product) {
  return static_cast<std::uint32_t>(ContentHash().add(part).add(vendor).add(product).value());
}

std::array<std::string_view, 3> CpeIndex::names_of(const Group& group) const {
  return {parts[group.product >> part_shift],
          text(static_cast<std::uint32_t>(group.product >> vendor_shift) & text_mask),
          text(static_cast<std::uint32_t>(group.product) & text_mask)};
}

void CpeIndex::make_slots() {
  slots_.assign(std::bit_ceil(groups_.size() + groups_.size() / 2 + 1), {0, 0});
  const std::size_t mask = slots_.size() - 1;
  for (std::uint32_t number = 0; number < groups_.size(); ++number) {
    const auto [part, vendor, product] = names_of(groups_[number]);
    const std::uint32_t hash = hash_of(part, vendor, product);
    std::size_t at = hash & mask;
    while (slots_[at].group_plus_one != 0) at = (at + 1) & mask;
    slots_[at] = {hash, number + 1};
  }
}

const CpeIndex::Group* CpeIndex::find(const Cpe& product) const {
  if (slots_.empty()) return nullptr;
  const std::array<std::string_view, 3> names{
      product[CpeAttribute::part], product[CpeAttribute::vendor], product[CpeAttribute::product]};
  const std::uint32_t hash = hash_of(names[0], names[1], names[2]);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash & mask; slots_[at].group_plus_one != 0; at = (at + 1) & mask) {
    if (slots_[at].hash != hash) continue;
    const Group& group = groups_[slots_[at].group_plus_one - 1];
    if (names_of(group) == names) return &group;
  }
  return nullptr;
}

std::uint32_t CpeIndex::place_on(std::span<const Rung> ladder, version::Scheme scheme,
                                 std::string_view text) const {
  const auto rung =
      std::lower_bound(ladder.begin(), ladder.end(), text, [&](const Rung& a, auto wanted) {
        return version::compare_valid(scheme, pool_.text(a.text), wanted) < 0;
      });
  const auto place = static_cast<std::uint32_t>(rung - ladder.begin()) * 2;
  const bool on_it =
      rung != ladder.end() && version::compare_valid(scheme, pool_.text(rung->text), text) == 0;
  return on_it ? place + 1 : place;
}

CpeIndex::Span CpeIndex::place_of(const Group& group, const Reading& reading) const {
  // Windows orders as the generic scheme does, under a name of its own.
  const version::Scheme declared =
      reading.scheme == version::Scheme::windows ? version::Scheme::generic : reading.scheme;
  const auto is_version = [&](std::string_view text) {
    return version::validate(declared, text).ok();
  };
  const bool one = reading.base == reading.whole;
  if (declared != group.scheme || !is_version(reading.whole) ||
      (!one && !is_version(reading.base))) {
    return anywhere;
  }
  const auto ladder = std::span(rungs_).subspan(group.first_rung, group.rung_count);
  const std::uint32_t whole = place_on(ladder, declared, reading.whole);
  const std::uint32_t base = one ? whole : place_on(ladder, declared, reading.base);
  return {std::min(whole, base), std::max(whole, base)};
}

std::span<const CpeIndex::Node> CpeIndex::nodes(const Configuration& configuration) const {
  return std::span(nodes_).subspan(configuration.first_node, configuration.node_count);
}

std::span<const CpeIndex::Criterion> CpeIndex::criteria(const Node& node) const {
  return std::span(criteria_).subspan(node.first_criterion, node.criterion_count);
}

std::string CpeIndex::name(const Criterion& criterion) const {
  constexpr std::string_view prefix = "cpe:2.3";
  const Name& values = names_[criterion.name];
  std::size_t size = prefix.size() + values.size();
  for (const std::uint32_t value : values) size += pool_.text(value).size();
  std::string text;
  text.reserve(size);
  text = prefix;
  for (const std::uint32_t value : values) text.append(":").append(pool_.text(value));
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
         postings_.capacity() * sizeof(Posting) + rungs_.capacity() * sizeof(Rung) +
         points_.capacity() * sizeof(std::uint32_t) + stretches_.capacity() * sizeof(Stretch) +
         groups_.capacity() * sizeof(Group) + slots_.capacity() * sizeof(Slot) +
         wildcards_.capacity() * sizeof(Posting) + vocabulary_.bytes();
}

}  // namespace muster::vuln
