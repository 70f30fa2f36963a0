// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/advisory.h"
#include "model/cpe.h"
#include "version/scheme.h"
#include "vuln/string_pool.h"
#include "vuln/vocabulary.h"

namespace muster::vuln {

/// The advisories that name products by CPE, inverted: from a product to the criteria about it. A
/// part of Index, with its promises: immutable, and the same whatever the order of the advisories.
///
/// Part, vendor and product of a criterion are exact but for a handful in NVD, so an exact look-up
/// is complete with a short list of the others.
class CpeIndex {
 public:
  /// Texts are numbers of text().
  struct Row {
    std::uint32_t feed;
    std::uint32_t id;
    std::uint32_t urgency;
    std::uint32_t summary;
    std::uint32_t first_configuration;
    std::uint32_t configuration_count;
    std::uint32_t first_alias;
    std::uint16_t alias_count;
    model::Severity severity;
    bool disputed;
    std::optional<std::uint8_t> score_tenths;
    std::uint64_t content;  // hash of all that the advisory says
  };
  struct Configuration {
    std::uint32_t first_node;
    std::uint32_t node_count;
    bool all;
    bool negate;
  };
  struct Node {
    std::uint32_t first_criterion;
    std::uint32_t criterion_count;
    bool all;
    bool negate;
    bool contains(std::uint32_t criterion) const {
      return criterion >= first_criterion && criterion - first_criterion < criterion_count;
    }
  };
  struct Criterion {
    std::uint32_t name;   // of name()
    std::uint32_t range;  // of range(); 0 is none
    bool vulnerable;
    /// Its product's scheme reads all its versions, and it asks for no update, edition or target:
    /// of a product of which none of these is known, for_each_near() gives it exactly if it holds.
    bool plain;
    /// Its configuration holds if it does, as most are made.
    bool enough;
  };
  /// The attributes' values as texts.
  using Name = std::array<std::uint32_t, model::cpe_attributes>;
  /// introduced, fixed, last_affected, after.
  using Range = std::array<std::uint32_t, 4>;

  /// A criterion that makes a finding, and where it stands.
  struct Posting {
    std::uint32_t row;
    std::uint32_t configuration;
    std::uint32_t criterion;
  };

  class Builder;

  bool empty() const { return rows_.empty(); }
  std::size_t size() const { return rows_.size(); }

  /// The vulnerable criteria about one product, and the versions that they name.
  struct Group {
    std::uint64_t product;
    std::uint32_t first;
    std::uint32_t last;
    std::uint32_t first_rung;
    std::uint32_t rung_count;
    std::uint32_t first_stretch;
    std::uint32_t stretch_count;
    version::Scheme scheme;  // of the product, where its package declares none of its own
  };
  /// Of the product that a name is about; null if no criterion is.
  const Group* find(const model::Cpe& product) const;
  /// One version as it is read in two ways, with its patch and without it.
  struct Reading {
    version::Scheme scheme;
    std::string_view whole;
    std::string_view base;
  };
  /// From where to where on its group's ladder a criterion holds, or a version may stand.
  struct Span {
    std::uint32_t low;
    std::uint32_t high;
  };
  /// Where a version stands, by both of its readings: `anywhere` if it is read by another scheme.
  Span place_of(const Group& group, const Reading& reading) const;
  static constexpr Span anywhere{0, 0xFFFFFFFFU};
  /// Below every version: where what has none stands.
  static constexpr Span no_version{0, 0};
  /// Calls `each(posting)` for those of a group that may hold at that place, by advisory id: all
  /// but those whose range or version is known to be another. A product of thousands of criteria
  /// costs a few comparisons of versions, and one of numbers for each range that ends above.
  template <typename F>
  void for_each_near(const Group& group, Span place, F&& each) const;
  /// Those whose part, vendor or product is no exact name.
  std::span<const Posting> wildcards() const { return wildcards_; }

  /// By id, then feed.
  std::span<const Row> rows() const { return rows_; }
  const Row& row(std::uint32_t number) const { return rows_[number]; }
  const Configuration& configuration(std::uint32_t number) const { return configurations_[number]; }
  std::span<const Node> nodes(const Configuration& configuration) const;
  std::span<const Criterion> criteria(const Node& node) const;
  const Criterion& criterion(std::uint32_t number) const { return criteria_[number]; }
  std::string_view value(const Criterion& criterion, model::CpeAttribute attribute) const {
    return pool_.text(names_[criterion.name][static_cast<std::size_t>(attribute)]);
  }
  /// The criterion's CPE as a formatted string.
  std::string name(const Criterion& criterion) const;
  bool has_range(const Criterion& criterion) const { return criterion.range != 0; }
  /// Views into the pool, in the order of Range.
  std::array<std::string_view, 4> range(const Criterion& criterion) const;
  std::string_view text(std::uint32_t number) const { return pool_.text(number); }
  std::vector<std::string> aliases(const Row& row) const;
  /// The programs that the advisories are about.
  const Vocabulary& vocabulary() const { return vocabulary_; }

  /// Memory in use, in bytes.
  std::size_t bytes() const;

  /// As Index::for_each_array(), of which these are a part.
  template <typename Self, typename Each>
  static void for_each_array(Self& index, Each&& each) {
    StringPool::for_each_array(index.pool_, each);
    each(index.rows_);
    each(index.configurations_);
    each(index.nodes_);
    each(index.criteria_);
    each(index.names_);
    each(index.ranges_);
    each(index.aliases_);
    each(index.postings_);
    each(index.rungs_);
    each(index.points_);
    each(index.stretches_);
    each(index.groups_);
    each(index.slots_);
    each(index.wildcards_);
    Vocabulary::for_each_array(index.vocabulary_, each);
  }

 private:
  /// A version that criteria of a group name, and the first of the points of those that are about
  /// it alone; the others follow, until those of the next rung.
  struct Rung {
    std::uint32_t text;
    std::uint32_t first_point;
  };
  /// A criterion of a group that is about more than one version, or that only its texts can decide.
  struct Stretch {
    Span span;
    std::uint32_t posting;
  };

  std::uint32_t place_on(std::span<const Rung> ladder, version::Scheme scheme,
                         std::string_view text) const;

  static std::uint32_t hash_of(std::string_view part, std::string_view vendor,
                               std::string_view product);
  /// Part, vendor and product.
  std::array<std::string_view, 3> names_of(const Group& group) const;
  void make_slots();

  /// The key of the product that a name is about; nothing if part, vendor or product is no exact
  /// text.
  std::optional<std::uint64_t> product_of(const Name& name) const;

  StringPool pool_;
  std::vector<Row> rows_;
  std::vector<Configuration> configurations_;
  std::vector<Node> nodes_;
  std::vector<Criterion> criteria_;
  std::vector<Name> names_;
  std::vector<Range> ranges_;
  std::vector<std::uint32_t> aliases_;
  std::vector<Posting> postings_;  // group by group, by row within one
  /// For each group its ladder: every version that its criteria name, ascending under its scheme,
  /// equal ones once. Rung n is place 2n + 1, and what lies between two rungs the place between.
  /// One more ends the points of the last.
  std::vector<Rung> rungs_;
  std::vector<std::uint32_t> points_;  // numbers of postings, rung by rung, ascending on each
  std::vector<Stretch> stretches_;     // group by group, the highest end first
  std::vector<Group> groups_;          // by product
  /// Groups by the hash of part, vendor and product, in open addressing.
  struct Slot {
    std::uint32_t hash;
    std::uint32_t group_plus_one;  // 0 is free
  };
  std::vector<Slot> slots_;
  std::vector<Posting> wildcards_;
  Vocabulary vocabulary_;
};

template <typename F>
void CpeIndex::for_each_near(const Group& group, Span place, F&& each) const {
  std::vector<std::uint32_t> near;
  // Of rung n the place is 2n + 1; the rungs from the lower place to the higher one.
  const auto first = group.first_rung + std::min(place.low / 2, group.rung_count);
  const auto last = group.first_rung + std::min(place.high / 2 + place.high % 2, group.rung_count);
  if (first < last) {
    near.assign(points_.begin() + rungs_[first].first_point,
                points_.begin() + rungs_[last].first_point);
  }
  for (const Stretch& stretch :
       std::span(stretches_).subspan(group.first_stretch, group.stretch_count)) {
    if (stretch.span.high < place.low) break;
    if (stretch.span.low <= place.high) near.push_back(stretch.posting);
  }
  std::sort(near.begin(), near.end());
  for (const std::uint32_t posting : near) each(postings_[posting]);
}

class CpeIndex::Builder {
 public:
  Builder();
  ~Builder();
  Builder(Builder&&) noexcept;
  Builder& operator=(Builder&&) noexcept;

  /// Takes the configurations of an advisory. A criterion that is no CPE name takes its
  /// configuration with it: feeds leave such out (feeds/nvd), so none is expected.
  void add(const model::Advisory& advisory);
  /// The index; the builder is empty afterwards. Repeats of one advisory are kept once.
  CpeIndex finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace muster::vuln
