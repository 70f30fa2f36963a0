// SPDX-License-Identifier: Apache-2.0
// That what the index skips does not hold: the verdicts of match_cpe() and settle_cpe() against
// those of somebody who compares every criterion, over random advisories for every scheme.
#include <algorithm>
#include <random>
#include <tuple>

#include <gtest/gtest.h>

#include "base/testing.h"
#include "version/case_files.h"
#include "vuln/cpe_match.h"
#include "vuln/cpe_verdict.h"

namespace muster::vuln {
namespace {

using model::Advisory;
using model::CpeAttribute;
using model::Ecosystem;
using model::Package;

constexpr Ecosystem ecosystems[] = {
#define ECOSYSTEM(name, scheme) Ecosystem::name,
#include "model/ecosystems.def"
#undef ECOSYSTEM
};

/// What a verdict says of one advisory, and what it is said by.
using Said = std::tuple<std::string, std::string, model::VersionRange, std::vector<std::string>>;
struct Outcome {
  std::vector<Said> matches;
  std::vector<std::uint32_t> conditional;
  std::uint32_t incomparable = 0;
};

/// Compares a package with every criterion of every advisory, and takes the first that holds.
class PlainScan {
 public:
  PlainScan(const CpeIndex& index, const Package& package, const Surroundings& surroundings)
      : index_(index), products_(products_of(package, index)), surroundings_(surroundings) {}

  /// As match_cpe(), or as settle_cpe() for these rows.
  Outcome scan(const std::vector<std::uint32_t>* only) {
    outcome_ = {};
    for (std::uint32_t row = 0; row < index_.size(); ++row) {
      if (only == nullptr || std::binary_search(only->begin(), only->end(), row)) {
        scan_row(row, only != nullptr);
      }
    }
    return outcome_;
  }

 private:
  void scan_row(std::uint32_t number, bool settles) {
    open_.reset();
    incomparable_ = false;
    for (const Product& product : products_) {
      if (product.version.whole.empty()) continue;
      // Criteria about one exact product go before those about several.
      for (const bool exact : {true, false}) {
        if (scan_row(index_.row(number), product, exact)) return;
      }
    }
    if (!open_) {
      outcome_.incomparable += incomparable_ ? 1 : 0;
    } else if (settles) {
      outcome_.matches.push_back(*open_);
    } else {
      outcome_.conditional.push_back(number);
    }
  }

  bool scan_row(const CpeIndex::Row& row, const Product& product, bool exact) {
    for (std::uint32_t i = 0; i < row.configuration_count; ++i) {
      const auto& configuration = index_.configuration(row.first_configuration + i);
      for (const CpeIndex::Node& node : index_.nodes(configuration)) {
        for (const CpeIndex::Criterion& criterion : index_.criteria(node)) {
          if (!criterion.vulnerable || is_exact(criterion) != exact) continue;
          if (holds(row, configuration, criterion, product)) return true;
        }
      }
    }
    return false;
  }

  bool holds(const CpeIndex::Row& row, const CpeIndex::Configuration& configuration,
             const CpeIndex::Criterion& criterion, const Product& product) {
    CriterionOutcome compared =
        compare_criterion(index_, criterion, product, surroundings_.family());
    incomparable_ |= compared.incomparable;
    if (compared.truth == Truth::no) return false;
    std::vector<std::string> missing;
    const Truth whole = evaluate_configuration(index_, configuration, std::nullopt, products_,
                                               surroundings_, missing);
    const bool sure = whole == Truth::yes && compared.truth == Truth::yes;
    if (whole == Truth::no || (!sure && open_)) return false;
    if (sure) missing.clear();
    std::erase(missing, index_.name(criterion));
    for (const std::string& name : missing) {
      compared.caveats.push_back("it is not known whether the host has " + name);
    }
    const auto [introduced, fixed, last_affected, after] = index_.range(criterion);
    Said said{std::string(index_.text(row.id)),
              index_.name(criterion),
              {std::string(introduced), std::string(fixed), std::string(last_affected),
               std::string(after)},
              compared.caveats};
    if (sure) {
      outcome_.matches.push_back(std::move(said));
    } else {
      open_ = std::move(said);
    }
    return sure;
  }

  bool is_exact(const CpeIndex::Criterion& criterion) const {
    return model::is_literal_cpe_value(index_.value(criterion, CpeAttribute::vendor)) &&
           model::is_literal_cpe_value(index_.value(criterion, CpeAttribute::product));
  }

  const CpeIndex& index_;
  const std::vector<Product> products_;
  const Surroundings& surroundings_;
  Outcome outcome_;
  std::optional<Said> open_;
  bool incomparable_ = false;
};

/// Advisories and packages of a few products, with the versions of a scheme's hand-written cases:
/// its odd corners, and texts that are no versions.
class RandomCpes {
 public:
  RandomCpes(version::Scheme scheme, unsigned seed) : random_(seed) {
    const version::test::Cases cases = version::test::read_cases(scheme);
    for (const auto& each : cases.pairs) {
      versions_.push_back(each.a);
      versions_.push_back(each.b);
    }
    for (const std::string& text : cases.invalid) {
      if (one_in(4)) versions_.push_back(text);
    }
    for (const char* text : {"1.0", "1.0.0", "2.0", "2.0-rc1", "9.3p2", "9.3", "8u351", "10"}) {
      for (int i = 0; i < 5; ++i) versions_.emplace_back(text);
    }
    std::erase_if(versions_, [](const std::string& text) { return text.empty(); });
  }

  Advisory advisory(int number) {
    Advisory row;
    row.feed = "nvd";
    row.id = "CVE-2099-" + std::to_string(1000 + number);
    for (std::size_t i = 0; i <= draw(2); ++i) row.configurations.push_back(configuration());
    return row;
  }

  Package package(Ecosystem ecosystem) {
    Package package;
    package.name = "some program";
    package.ecosystem = ecosystem;
    const bool stated = one_in(6);
    if (!stated) package.version = version();
    package.cpe = "cpe:2.3:a:v:" + product(false) + ":" +
                  (stated ? model::escape_cpe_value(version()) : "*") + ":" +
                  pick({"*", "*", "*", "p1", "-", "final"}) +
                  ":*:*:" + pick({"*", "*", "*", "-", "enterprise"}) + ":*:*:*";
    return package;
  }

 private:
  std::size_t draw(std::size_t bound) { return random_() % bound; }
  bool one_in(std::size_t bound) { return draw(bound) == 0; }
  std::string pick(std::initializer_list<const char*> from) {
    return from.begin()[draw(from.size())];
  }
  std::string version() { return versions_[draw(versions_.size())]; }

  std::string product(bool wild) {
    if (wild && one_in(15)) return "p*";
    return pick({"p0", "p0", "p0", "p1", "openssl", "jre", "python"});
  }

  model::CpeCriterion criterion(bool vulnerable) {
    model::CpeCriterion each;
    each.vulnerable = vulnerable;
    std::string of = "*";
    if (one_in(2)) {
      of = one_in(8) ? pick({"*", "-", "1.*", "*0"}) : model::escape_cpe_value(version());
    } else if (!one_in(6)) {
      if (one_in(2)) (one_in(2) ? each.range.introduced : each.range.after) = version();
      if (!one_in(4)) (one_in(2) ? each.range.fixed : each.range.last_affected) = version();
    }
    each.cpe = "cpe:2.3:a:v:" + product(true) + ":" + of + ":" +
               pick({"*", "*", "*", "-", "p1", "update351", "rc1", "m1", "final"}) +
               ":*:*:" + pick({"*", "*", "*", "*", "-", "enterprise"}) + ":" +
               pick({"*", "*", "*", "*", "-", "windows", "wordpress"}) + ":*:*";
    return each;
  }

  model::CpeConfiguration configuration() {
    model::CpeConfiguration configuration{one_in(3), one_in(20), {}};
    for (std::size_t n = 0; n <= draw(2); ++n) {
      model::CpeNode node{one_in(10), one_in(20), {}};
      for (std::size_t i = 0; i <= draw(6); ++i) node.criteria.push_back(criterion(!one_in(6)));
      configuration.nodes.push_back(std::move(node));
    }
    if (one_in(4)) {
      configuration.nodes.push_back(
          {false, false, {{"cpe:2.3:o:microsoft:windows:-:*:*:*:*:*:*:*", false, {}}}});
    }
    return configuration;
  }

  std::mt19937 random_;
  std::vector<std::string> versions_;
};

void expect_same(const Verdict& verdict, const Outcome& expected, const Package& package) {
  std::vector<Said> said;
  for (const Match& match : verdict.matches) {
    said.emplace_back(match.id, match.evidence.criteria, match.evidence.range,
                      match.evidence.caveats);
  }
  const std::string about = package.cpe + " " + package.version;
  EXPECT_EQ(said, expected.matches) << about;
  EXPECT_EQ(verdict.conditional, expected.conditional) << about;
  EXPECT_EQ(verdict.incomparable, expected.incomparable) << about;
}

TEST(CpeIndex, FindsWhatAPlainScanFindsUnderEveryScheme) {
  const Surroundings unknown;
  const Surroundings windows("Microsoft Windows 10 Pro", "10.0.19045.4046", {}, CpeIndex());
  std::size_t matches = 0;
  for (const Ecosystem ecosystem : ecosystems) {
    const auto scheme = version::parse_scheme(model::ecosystem_scheme(ecosystem));
    // What declares no scheme of its own is OpenSSL's and Java's too.
    for (const version::Scheme drawn : {scheme.value_or(version::Scheme::generic),
                                        version::Scheme::openssl, version::Scheme::jvm}) {
      const auto seed = static_cast<unsigned>(ecosystem) * 100U + static_cast<unsigned>(drawn);
      RandomCpes cpes(drawn, seed);
      std::vector<Advisory> advisories;
      for (int i = 0; i < 60; ++i) advisories.push_back(cpes.advisory(i));
      const auto index = Index::build(advisories);
      for (std::size_t i = 0; i < 200; i += record_step) {
        const Package package = cpes.package(ecosystem);
        const Verdict verdict = match_cpe(index->cpe(), package);
        expect_same(verdict, PlainScan(index->cpe(), package, unknown).scan(nullptr), package);
        matches += verdict.matches.size();
        if (verdict.conditional.empty()) continue;
        Verdict open;
        open.conditional = verdict.conditional;
        const Outcome settled =
            PlainScan(index->cpe(), package, windows).scan(&verdict.conditional);
        expect_same(settle_cpe(index->cpe(), package, open, windows), settled, package);
        if (HasFailure()) return;
      }
    }
  }
  EXPECT_GT(matches, 10'000U / record_step);
}

}  // namespace
}  // namespace muster::vuln
