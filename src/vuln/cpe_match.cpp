// SPDX-License-Identifier: Apache-2.0
#include "vuln/cpe_match.h"

#include <algorithm>
#include <array>
#include <compare>
#include <optional>

#include "version/scheme.h"

namespace muster::vuln {

namespace {

using model::CpeAttribute;
using model::CpeRelation;
using model::Ecosystem;

Truth truth(bool value) {
  return value ? Truth::yes : Truth::no;
}

Truth negated(Truth value, bool negate) {
  if (!negate || value == Truth::unknown) return value;
  return value == Truth::yes ? Truth::no : Truth::yes;
}

bool is_logical(std::string_view value) {
  return value == "*" || value == "-";
}

bool covers(std::string_view criterion, std::string_view value) {
  const CpeRelation relation = model::relate_cpe_values(criterion, value);
  return relation == CpeRelation::equal || relation == CpeRelation::superset;
}

/// Compares the installed version with text of a criterion; nothing if one of them is no version.
std::optional<std::weak_ordering> order(const Product& product, std::string_view installed,
                                        std::string_view text) {
  const auto compared = version::compare(*product.scheme, installed, text);
  if (!compared.ok()) return std::nullopt;
  return *compared;
}

/// What a bound is compared with: a bound that names no patch is about all patches of its version.
std::string_view installed_for(const Product& product, std::string_view bound) {
  const ProductVersion& version = product.version;
  if (!version.patch || split_product_version(product.name, bound).patch) return version.whole;
  return version.base;
}

struct VersionOutcome {
  Truth truth = Truth::no;
  bool incomparable = false;
};

VersionOutcome in_range(const std::array<std::string_view, 4>& range, const Product& product) {
  if (product.version.whole.empty() || !product.scheme) return {Truth::unknown, false};
  if (product.version.not_applicable()) return {Truth::no, false};
  const auto& [introduced, fixed, last_affected, after] = range;
  bool inside = true;
  for (const auto& [bound, holds] :
       {std::pair{introduced, +[](std::weak_ordering o) { return o >= 0; }},
        std::pair{after, +[](std::weak_ordering o) { return o > 0; }},
        std::pair{fixed, +[](std::weak_ordering o) { return o < 0; }},
        std::pair{last_affected, +[](std::weak_ordering o) { return o <= 0; }}}) {
    if (bound.empty()) continue;
    const auto place = order(product, installed_for(product, bound), bound);
    if (!place) return {Truth::no, true};
    inside = inside && holds(*place);
  }
  return {truth(inside), false};
}

VersionOutcome is_version(std::string_view value, const Product& product) {
  if (product.version.whole.empty() || !product.scheme) return {Truth::unknown, false};
  if (product.version.not_applicable()) return {Truth::no, false};
  if (!model::is_literal_cpe_value(value)) {
    return {truth(covers(value, model::escape_cpe_value(product.version.whole)) ||
                  covers(value, model::escape_cpe_value(product.version.base))),
            false};
  }
  const std::string text = model::unescape_cpe_value(value);
  const auto whole = order(product, product.version.whole, text);
  if (!whole) return {Truth::no, true};
  const auto base = order(product, product.version.base, text);
  return {truth(*whole == 0 || (base && *base == 0)), false};
}

VersionOutcome compare_version(const CpeIndex& index, const CpeIndex::Criterion& criterion,
                               const Product& product) {
  if (index.has_range(criterion)) return in_range(index.range(criterion), product);
  const std::string_view value = index.value(criterion, CpeAttribute::version);
  const bool any = value == "*" || (value == "-" && !criterion.vulnerable);
  if (any && !criterion.vulnerable) return {Truth::yes, false};
  if (any) return {product.version.whole.empty() ? Truth::unknown : Truth::yes, false};
  if (value == "-") return {truth(product.version.not_applicable()), false};
  return is_version(value, product);
}

bool update_fits(std::string_view criterion, const Product& product) {
  if (criterion == "*") return true;
  const std::string& update = product.version.update;
  if (criterion == "-") return update.empty();
  if (!model::is_literal_cpe_value(criterion)) {
    return !update.empty() && covers(criterion, model::escape_cpe_value(update));
  }
  return normalise_cpe_update(model::unescape_cpe_value(criterion)) == update;
}

/// A name whose version has the update in it ("7.9p1" as a version, update ANY or NA).
bool version_includes_update(const CpeIndex& index, const CpeIndex::Criterion& criterion,
                             const Product& product) {
  if (index.has_range(criterion)) return false;
  const std::string_view value = index.value(criterion, CpeAttribute::version);
  if (!model::is_literal_cpe_value(value) || product.version.update.empty()) return false;
  const auto whole = order(product, product.version.whole, model::unescape_cpe_value(value));
  return whole && *whole == 0 && index.value(criterion, CpeAttribute::update) == "-";
}

bool among(std::string_view value, std::initializer_list<std::string_view> set) {
  return std::find(set.begin(), set.end(), value) != set.end();
}

SystemFamily family_of_target(std::string_view target) {
  if (among(target, {"windows", "windows_nt", "win32", "win64", "windows_10", "windows_7"})) {
    return SystemFamily::windows;
  }
  if (among(target, {"macos", "mac_os", "mac_os_x", "mac", "macosx", "os_x"})) {
    return SystemFamily::macos;
  }
  if (among(target, {"linux", "linux_kernel", "unix"})) return SystemFamily::linux_kernel;
  return SystemFamily::unknown;
}

/// Whether software of this kind can be what a criterion's target_sw says.
Truth target_fits(std::string_view target, const Product& product, SystemFamily family) {
  if (product.ecosystem == Ecosystem::windows) family = SystemFamily::windows;
  if (product.ecosystem == Ecosystem::macos) family = SystemFamily::macos;
  const SystemFamily wanted = family_of_target(target);
  if (wanted != SystemFamily::unknown) {
    return family == SystemFamily::unknown ? Truth::unknown : truth(family == wanted);
  }
  // Hosts with an agent are no phones. A plugin or library is one only if its reporter, who did not
  // say what kind of package it is, gave the product's own CPE, or an operator did.
  const bool mobile = among(target, {"android", "iphone_os", "ios", "ipados", "ipad_os", "tvos",
                                     "watchos", "blackberry", "windows_phone"});
  const bool may_be =
      (product.source == Identity::Source::reported ||
       product.source == Identity::Source::overridden) &&
      (product.ecosystem == Ecosystem::unknown || product.ecosystem == Ecosystem::generic ||
       product.ecosystem == Ecosystem::other);
  return mobile || !may_be ? Truth::no : Truth::unknown;
}

constexpr std::pair<CpeAttribute, std::string_view> qualifiers[] = {
    {CpeAttribute::edition, "edition"},           {CpeAttribute::language, "language"},
    {CpeAttribute::sw_edition, "edition"},        {CpeAttribute::target_sw, "target software"},
    {CpeAttribute::target_hw, "target hardware"}, {CpeAttribute::other, "variant"},
};

/// No if the criterion is about another edition, language or target; unknown if that depends on the
/// host's system.
Truth qualifiers_fit(const CpeIndex& index, const CpeIndex::Criterion& criterion,
                     const Product& product, SystemFamily family,
                     std::vector<std::string>& caveats) {
  Truth sum = Truth::yes;
  for (const auto& [attribute, word] : qualifiers) {
    const std::string_view wanted = index.value(criterion, attribute);
    const std::string& has = product.name[attribute];
    if (attribute == CpeAttribute::sw_edition && product.edition_only && wanted != has) {
      return Truth::no;
    }
    if (is_logical(wanted) && is_logical(has)) continue;
    if (has != "*") {
      if (!covers(wanted, has)) return Truth::no;
      continue;
    }
    Truth fits = Truth::unknown;
    if (attribute == CpeAttribute::target_sw) {
      fits = target_fits(wanted, product, family);
      if (fits == Truth::no) return Truth::no;
      if (family_of_target(wanted) != SystemFamily::unknown) sum = std::min(sum, fits);
    }
    if (fits == Truth::unknown) {
      caveats.push_back("the " + std::string(word) + " is not known; the advisory is about \"" +
                        model::unescape_cpe_value(wanted) + "\"");
    }
  }
  return sum;
}

void add_version_caveats(const CpeIndex& index, const CpeIndex::Criterion& criterion,
                         std::vector<std::string>& caveats) {
  if (index.has_range(criterion)) {
    const auto [introduced, fixed, last_affected, after] = index.range(criterion);
    if (fixed.empty() && last_affected.empty()) {
      caveats.emplace_back("the advisory names no last version, so later fixes are not known");
    }
  } else if (index.value(criterion, CpeAttribute::version) == "*") {
    caveats.emplace_back("the advisory names every version of the product");
  }
}

bool is_named(const CpeIndex& index, const CpeIndex::Criterion& criterion, const Product& product) {
  return covers(index.value(criterion, CpeAttribute::part), product.name[CpeAttribute::part]) &&
         covers(index.value(criterion, CpeAttribute::vendor), product.name[CpeAttribute::vendor]) &&
         covers(index.value(criterion, CpeAttribute::product), product.name[CpeAttribute::product]);
}

/// Evaluates the criteria of one configuration for one host.
class Evaluation {
 public:
  Evaluation(const CpeIndex& index, std::optional<std::uint32_t> held,
             const std::vector<Product>& subject, const Surroundings& surroundings,
             std::vector<std::string>& missing)
      : index_(index),
        held_(held),
        subject_(subject),
        surroundings_(surroundings),
        missing_(missing) {}

  Truth of(const CpeIndex::Configuration& configuration) {
    const auto nodes = index_.nodes(configuration);
    return negated(
        combine(nodes, configuration.all, [&](const CpeIndex::Node& node) { return of(node); }),
        configuration.negate);
  }

 private:
  template <typename Parts, typename Evaluate>
  static Truth combine(const Parts& parts, bool all, const Evaluate& evaluate) {
    Truth sum = truth(all && !parts.empty());
    for (const auto& part : parts) {
      const Truth each = evaluate(part);
      sum = all ? std::min(sum, each) : std::max(sum, each);
      if (sum == truth(!all)) break;
    }
    return sum;
  }

  Truth of(const CpeIndex::Node& node) {
    if (held_ && !node.all && node.contains(*held_)) return truth(!node.negate);
    std::vector<std::string> unknown;
    const Truth sum = combine(index_.criteria(node), node.all, [&](const auto& criterion) {
      const Truth each = of(criterion);
      if (each == Truth::unknown) unknown.push_back(index_.name(criterion));
      return each;
    });
    if (sum == Truth::unknown) missing_.insert(missing_.end(), unknown.begin(), unknown.end());
    return negated(sum, node.negate);
  }

  Truth of(const CpeIndex::Criterion& criterion) {
    Truth best = any_of(criterion, subject_);
    const std::string_view part = index_.value(criterion, CpeAttribute::part);
    if (best == Truth::yes) return best;
    if (part == "h") {
      const bool firmware = subject_.front().name[CpeAttribute::part] == "o";
      return firmware ? Truth::yes : Truth::unknown;
    }
    const auto& software = surroundings_.software(index_.value(criterion, CpeAttribute::vendor),
                                                  index_.value(criterion, CpeAttribute::product));
    best = std::max(best, any_of(criterion, software));
    if (part == "o") {
      best = std::max(best, any_of(criterion, surroundings_.systems()));
      const bool may_be =
          surroundings_.may_be_system(index_.value(criterion, CpeAttribute::vendor),
                                      index_.value(criterion, CpeAttribute::product));
      if (may_be) best = std::max(best, Truth::unknown);
    } else if (!surroundings_.knows_software()) {
      best = std::max(best, Truth::unknown);
    }
    return best;
  }

  Truth any_of(const CpeIndex::Criterion& criterion, const std::vector<Product>& products) {
    Truth best = Truth::no;
    for (const Product& product : products) {
      best = std::max(best,
                      compare_criterion(index_, criterion, product, surroundings_.family()).truth);
    }
    return best;
  }

  const CpeIndex& index_;
  std::optional<std::uint32_t> held_;
  const std::vector<Product>& subject_;
  const Surroundings& surroundings_;
  std::vector<std::string>& missing_;
};

}  // namespace

CriterionOutcome compare_criterion(const CpeIndex& index, const CpeIndex::Criterion& criterion,
                                   const Product& product, SystemFamily family) {
  CriterionOutcome outcome;
  if (!is_named(index, criterion, product)) return outcome;
  const Truth fits = qualifiers_fit(index, criterion, product, family, outcome.caveats);
  if (fits == Truth::no) return outcome;
  const VersionOutcome version = compare_version(index, criterion, product);
  outcome.incomparable = version.incomparable;
  outcome.truth = std::min(version.truth, fits);
  if (outcome.truth == Truth::no) return outcome;
  // Where no version is known, no update is either.
  if (!product.version.whole.empty() &&
      !update_fits(index.value(criterion, CpeAttribute::update), product) &&
      !version_includes_update(index, criterion, product)) {
    outcome.truth = Truth::no;
    return outcome;
  }
  add_version_caveats(index, criterion, outcome.caveats);
  return outcome;
}

bool is_plain(const Product& product) {
  const ProductVersion& version = product.version;
  return !product.edition_only && !version.not_applicable() && version.update.empty() &&
         !version.patch && version.whole == version.base &&
         std::all_of(std::begin(qualifiers), std::end(qualifiers),
                     [&](const auto& each) { return is_logical(product.name[each.first]); });
}

CriterionOutcome plain_outcome(const CpeIndex& index, const CpeIndex::Criterion& criterion) {
  CriterionOutcome outcome;
  outcome.truth = Truth::yes;
  add_version_caveats(index, criterion, outcome.caveats);
  return outcome;
}

Truth evaluate_configuration(const CpeIndex& index, const CpeIndex::Configuration& configuration,
                             std::optional<std::uint32_t> held, const std::vector<Product>& subject,
                             const Surroundings& surroundings, std::vector<std::string>& missing) {
  return Evaluation(index, held, subject, surroundings, missing).of(configuration);
}

}  // namespace muster::vuln
