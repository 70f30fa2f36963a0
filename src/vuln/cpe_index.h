// SPDX-License-Identifier: Apache-2.0
#pragma once

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
  };
  /// Of the product that a name is about; null if no criterion is.
  const Group* find(const model::Cpe& product) const;
  /// One version as it is read in two ways, with its patch and without it.
  struct Reading {
    version::Scheme scheme;
    std::string_view whole;
    std::string_view base;
  };
  /// Calls `each(posting)` for those of a group that may hold the version, by advisory id: all but
  /// those whose range or version is known to be another. A product of thousands of criteria costs
  /// a few comparisons of versions, and one of numbers for each criterion.
  template <typename F>
  void for_each_near(const Group& group, const Reading& reading, F&& each) const;
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

 private:
  /// From where to where on its group's ladder a criterion may hold.
  struct Span {
    std::uint32_t low;
    std::uint32_t high;
  };
  static constexpr Span anywhere{0, 0xFFFFFFFFU};

  /// Where a version may stand on the ladder of a group.
  Span place_of(const Group& group, const Reading& reading) const;
  std::uint32_t place_on(std::span<const std::uint32_t> ladder, version::Scheme scheme,
                         std::string_view text) const;

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
  std::vector<Span> spans_;        // of each posting
  /// For each group its ladder: every version that its criteria name, ascending under its scheme,
  /// equal ones once. Rung n is place 2n + 1, and what lies between two rungs the place between.
  std::vector<std::uint32_t> rungs_;
  std::vector<Group> groups_;  // by product
  std::vector<Posting> wildcards_;
  Vocabulary vocabulary_;
};

template <typename F>
void CpeIndex::for_each_near(const Group& group, const Reading& reading, F&& each) const {
  const auto [low, high] = place_of(group, reading);
  for (std::size_t at = group.first; at < group.last; ++at) {
    if (spans_[at].low <= high && spans_[at].high >= low) each(postings_[at]);
  }
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
