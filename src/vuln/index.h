// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/advisory.h"
#include "vuln/cpe_index.h"
#include "vuln/string_pool.h"

namespace muster::vuln {

/// An immutable snapshot of advisories: by (ecosystem, distribution release, source package), and
/// for those that name products by CPE, by product. Safe to read from several threads. Built aside
/// and swapped whole, so a matcher never sees half a feed. The same advisories in any order build
/// an index with the same answers in the same order.
class Index {
 public:
  /// One advisory about one flaw; texts are numbers of text().
  struct Row {
    std::uint32_t feed;
    std::uint32_t id;
    std::uint32_t urgency;
    std::uint32_t summary;
    std::uint32_t first_range;
    std::uint32_t first_alias;
    std::uint16_t range_count;
    std::uint16_t alias_count;
    model::Advisory::Status status;
    model::Severity severity;
    /// The ecosystem's scheme is known and every end of every range is a version under it.
    bool comparable;
  };
  struct Range {
    std::uint32_t introduced;
    std::uint32_t fixed;
    std::uint32_t last_affected;
  };

  /// Collects advisories one at a time, so that a feed need not be held twice.
  class Builder {
   public:
    Builder();
    ~Builder();
    Builder(Builder&&) noexcept;
    Builder& operator=(Builder&&) noexcept;

    /// The advisory's distro may be in any form that canonical_distro() reads. Ranges and aliases
    /// beyond 65,535 make it not comparable. A bulletin about several flaws becomes a row for each,
    /// whose alias it is.
    void add(const model::Advisory& advisory);
    /// The index; the builder is empty afterwards. Repeats of one advisory are kept once.
    std::shared_ptr<const Index> finish();

   private:
    struct State;
    std::unique_ptr<State> state_;
  };

  static std::shared_ptr<const Index> build(const std::vector<model::Advisory>& advisories);

  /// Whether some advisory speaks about this distribution release ("debian:12"). What it does not
  /// cover cannot be assessed.
  bool covers(std::string_view distro) const;
  /// Whether some advisory speaks about this ecosystem, outside distributions.
  bool covers(model::Ecosystem ecosystem) const {
    return (ecosystems_ >> static_cast<unsigned>(ecosystem) & 1U) != 0;
  }
  /// The distribution releases that it covers, sorted.
  std::vector<std::string> distros() const;

  /// The advisories about one source package, by id; empty if there are none.
  std::span<const Row> find(model::Ecosystem ecosystem, std::string_view distro,
                            std::string_view package) const;
  std::span<const Range> ranges(const Row& row) const;
  std::vector<std::string> aliases(const Row& row) const;
  std::string_view text(std::uint32_t number) const { return pool_.text(number); }

  /// All that the advisories about one source package say.
  struct Subject {
    model::Ecosystem ecosystem;
    std::string_view distro;
    std::string_view package;
    std::uint64_t content;  // a hash
  };
  /// How many subjects there are.
  std::size_t subjects() const { return groups_.size(); }
  /// In no order that means anything.
  Subject subject(std::size_t number) const;
  /// Subject::content of one, 0 if nothing is said of it.
  std::uint64_t content(model::Ecosystem ecosystem, std::string_view distro,
                        std::string_view package) const;

  /// The advisories that name products by CPE.
  const CpeIndex& cpe() const { return cpe_; }

  std::size_t size() const { return rows_.size() + cpe_.size(); }
  /// Advisories that no version can be compared with: they find nothing and clear nothing.
  std::size_t incomparable() const { return incomparable_; }
  /// Memory in use, in bytes.
  std::size_t bytes() const;

  /// Calls `each` with every array and number that `index` consists of, in one order: all that a
  /// copy of it needs (vuln/index_file.h). Whatever they have comes from one index as a whole.
  template <typename Self, typename Each>
  static void for_each_array(Self& index, Each&& each) {
    StringPool::for_each_array(index.pool_, each);
    StringPool::for_each_array(index.distros_, each);
    each(index.rows_);
    each(index.ranges_);
    each(index.aliases_);
    each(index.groups_);
    each(index.ecosystems_);
    each(index.incomparable_);
    CpeIndex::for_each_array(index.cpe_, each);
  }

 private:
  struct Group {
    std::uint64_t key;
    std::uint32_t first;
    std::uint32_t last;
    std::uint64_t content;
  };
  const Group* find_group(model::Ecosystem ecosystem, std::string_view distro,
                          std::string_view package) const;
  static std::uint64_t key_of(model::Ecosystem ecosystem, std::uint32_t distro,
                              std::uint32_t package);

  StringPool pool_;
  StringPool distros_;
  std::vector<Row> rows_;  // group by group, by id within one
  std::vector<Range> ranges_;
  std::vector<std::uint32_t> aliases_;
  std::vector<Group> groups_;     // by key
  std::uint32_t ecosystems_ = 0;  // a bit each
  std::size_t incomparable_ = 0;
  CpeIndex cpe_;
};

}  // namespace muster::vuln
