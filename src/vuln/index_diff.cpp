// SPDX-License-Identifier: Apache-2.0
#include "vuln/index_diff.h"

#include <algorithm>
#include <iterator>
#include <tuple>

#include "base/check.h"
#include "vuln/content_hash.h"
#include "vuln/identify.h"
#include "vuln/match.h"
#include "vuln/origin.h"
#include "vuln/source_package.h"
#include "vuln/surroundings.h"

namespace muster::vuln {

namespace {

using model::CpeAttribute;
using model::Ecosystem;
using model::Package;

std::uint64_t name_hash(Ecosystem ecosystem, std::string_view distro, std::string_view name) {
  return ContentHash().add(static_cast<std::uint64_t>(ecosystem)).add(distro).add(name).value();
}

std::uint64_t product_hash(std::string_view part, std::string_view vendor,
                           std::string_view product) {
  return ContentHash().add(part).add(vendor).add(product).value();
}

/// Rows of one id and feed, which stand together.
std::size_t end_of_run(const CpeIndex& index, std::size_t first) {
  const auto rows = index.rows();
  std::size_t last = first + 1;
  while (last < rows.size() && rows[last].id == rows[first].id &&
         rows[last].feed == rows[first].feed) {
    ++last;
  }
  return last;
}

std::uint64_t content_of_run(const CpeIndex& index, std::size_t first, std::size_t last) {
  std::uint64_t sum = 0;
  for (; first < last; ++first) sum += index.rows()[first].content;
  return sum;
}

void add_product(ContentHash& hash, const Product& product) {
  for (const std::string& value : product.name.values) hash.add(value);
  hash.add(static_cast<std::uint64_t>(product.source)).add(product.edition_only ? 1 : 0);
}

std::uint64_t identity_hash(const Package& package, const CpeIndex& index) {
  ContentHash hash;
  for (const Product& product : products_of(package, index)) add_product(hash, product);
  return hash.value();
}

void add_match(ContentHash& hash, const Match& match) {
  hash.add(match.feed).add(match.id).add(match.aliases.size());
  for (const std::string& alias : match.aliases) hash.add(alias);
  hash.add(match.cve.value_or("")).add(static_cast<std::uint64_t>(match.severity));
  hash.add(match.score_tenths ? *match.score_tenths + 1U : 0U).add(match.disputed ? 1 : 0);
  hash.add(match.urgency).add(match.summary).add(encode_evidence(match.evidence));
}

}  // namespace

IndexDiff::IndexDiff(const Index& before, const Index& after) : before_(before), after_(after) {
  compare_names();
  compare_coverage();
  compare_cpe();
}

void IndexDiff::compare_names() {
  const auto compare = [&](const Index& one, const Index& other) {
    for (std::size_t i = 0; i < one.subjects(); ++i) {
      const Index::Subject subject = one.subject(i);
      if (other.content(subject.ecosystem, subject.distro, subject.package) != subject.content) {
        names_.insert(name_hash(subject.ecosystem, subject.distro, subject.package));
      }
    }
  };
  compare(before_, after_);
  compare(after_, before_);
  names_differ_ = !names_.empty();
}

void IndexDiff::compare_coverage() {
  const auto before = before_.distros();
  const auto after = after_.distros();
  std::vector<std::string> differ;
  std::set_symmetric_difference(before.begin(), before.end(), after.begin(), after.end(),
                                std::back_inserter(differ));
  distros_.insert(differ.begin(), differ.end());
  for (unsigned number = 0; number < 32; ++number) {
    const auto ecosystem = static_cast<Ecosystem>(number);
    if (before_.covers(ecosystem) != after_.covers(ecosystem)) ecosystems_ |= 1U << number;
  }
  names_differ_ |= !distros_.empty() || ecosystems_ != 0;
}

void IndexDiff::compare_cpe() {
  const CpeIndex& before = before_.cpe();
  const CpeIndex& after = after_.cpe();
  every_product_ = before.empty() != after.empty();
  const auto add = [&](const CpeIndex& index, std::size_t first, std::size_t last) {
    for (; first < last; ++first) add_products(index, index.rows()[first]);
  };
  const auto names = [](const CpeIndex& index, std::size_t at) {
    const CpeIndex::Row& row = index.rows()[at];
    return std::pair(index.text(row.id), index.text(row.feed));
  };
  std::size_t x = 0;
  std::size_t y = 0;
  while (x < before.size() || y < after.size()) {
    const std::size_t x_end = x < before.size() ? end_of_run(before, x) : x;
    const std::size_t y_end = y < after.size() ? end_of_run(after, y) : y;
    const bool both = x < x_end && y < y_end;
    const bool take_x = x < x_end && (!both || names(before, x) <= names(after, y));
    const bool take_y = y < y_end && (!both || names(after, y) <= names(before, x));
    const bool same =
        take_x && take_y && content_of_run(before, x, x_end) == content_of_run(after, y, y_end);
    if (!same) {
      if (take_x) add(before, x, x_end);
      if (take_y) add(after, y, y_end);
    }
    if (take_x) x = x_end;
    if (take_y) y = y_end;
  }
  cpe_differs_ |= every_product_;
}

/// The products that a finding can be about. Those that an advisory only asks for beside them need
/// no look: whoever has the product that it is about is looked at, and his host with all it has.
void IndexDiff::add_products(const CpeIndex& index, const CpeIndex::Row& row) {
  cpe_differs_ = true;
  for (std::uint32_t i = 0; i < row.configuration_count; ++i) {
    for (const auto& node : index.nodes(index.configuration(row.first_configuration + i))) {
      for (const auto& criterion : index.criteria(node)) {
        if (!criterion.vulnerable) continue;
        const std::string_view part = index.value(criterion, CpeAttribute::part);
        const std::string_view vendor = index.value(criterion, CpeAttribute::vendor);
        const std::string_view product = index.value(criterion, CpeAttribute::product);
        every_product_ |= !model::is_literal_cpe_value(part) ||
                          !model::is_literal_cpe_value(vendor) ||
                          !model::is_literal_cpe_value(product);
        products_.insert(product_hash(part, vendor, product));
      }
    }
  }
}

bool IndexDiff::touches_name(Ecosystem ecosystem, std::string_view distro,
                             std::string_view name) const {
  return names_.contains(name_hash(ecosystem, distro, name));
}

bool IndexDiff::touches_distribution(const Package& package) const {
  std::vector<std::string> distros = {model::canonical_distro(package.distro)};
  // Debian's fixes in unstable count in every release.
  if (distros.front().starts_with("debian:")) distros.emplace_back("debian:sid");
  const std::vector<std::string> names = source_package_names(package);
  return std::any_of(distros.begin(), distros.end(), [&](const std::string& distro) {
    return distros_.contains(distro) ||
           std::any_of(names.begin(), names.end(), [&](const std::string& name) {
             return touches_name(package.ecosystem, distro, name);
           });
  });
}

bool IndexDiff::touches_products(const Package& package) {
  if (!cpe_differs_ || every_product_) return every_product_;
  std::string key = package.name + '\n' + package.vendor + '\n' + package.cpe + '\n' +
                    std::string(model::ecosystem_name(package.ecosystem));
  if (package.identity) {
    for (const auto& [vendor, product] : package.identity->products) {
      key.append("\n").append(vendor).append(":").append(product);
    }
    key += package.identity->skipped ? "-" : "+";
  }
  const auto [at, fresh] = known_.try_emplace(std::move(key), false);
  if (!fresh) return at->second;
  const std::vector<Product> before = products_of(package, before_.cpe());
  const std::vector<Product> after = products_of(package, after_.cpe());
  const bool renamed = !std::equal(before.begin(), before.end(), after.begin(), after.end(),
                                   [](const Product& a, const Product& b) {
                                     return std::tie(a.name, a.source, a.edition_only) ==
                                            std::tie(b.name, b.source, b.edition_only);
                                   });
  at->second = renamed || std::any_of(after.begin(), after.end(), [&](const Product& product) {
                 return products_.contains(product_hash(product.name[CpeAttribute::part],
                                                        product.name[CpeAttribute::vendor],
                                                        product.name[CpeAttribute::product]));
               });
  return at->second;
}

bool IndexDiff::touches(const Package& package) {
  switch (identity_kind(package)) {
    case Identity::Kind::distribution:
      if (origin_of(package) == Origin::third_party) return touches_products(as_program(package));
      return names_differ_ && touches_distribution(package);
    case Identity::Kind::ecosystem:
      if ((ecosystems_ >> static_cast<unsigned>(package.ecosystem) & 1U) != 0) return true;
      return names_differ_ &&
             touches_name(package.ecosystem, "",
                          model::canonical_package_name(package.ecosystem, package.name));
    case Identity::Kind::cpe:
    case Identity::Kind::none:
      return touches_products(package);
  }
  check_failed("a known identity", __FILE__, __LINE__);
}

std::uint64_t fingerprint(const Index& index, const Package& package) {
  const Verdict verdict = match(index, package);
  ContentHash hash;
  hash.add(static_cast<std::uint64_t>(verdict.reason)).add(verdict.matches.size());
  for (const Match& match : verdict.matches) add_match(hash, match);
  hash.add(verdict.undetermined).add(verdict.incomparable).add(verdict.conditional.size());
  for (const std::uint32_t row : verdict.conditional) hash.add(index.cpe().row(row).content);
  return hash.add(identity_hash(package, index.cpe())).value();
}

}  // namespace muster::vuln
