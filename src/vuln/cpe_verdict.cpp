// SPDX-License-Identifier: Apache-2.0
#include "vuln/cpe_verdict.h"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <tuple>

#include "vuln/cpe_match.h"

namespace muster::vuln {

namespace {

using model::CpeAttribute;
using model::Package;
using Posting = CpeIndex::Posting;

/// A criterion of an advisory that is about one of the package's names and holds its version.
struct Candidate {
  Posting posting;
  std::size_t product;
  CriterionOutcome outcome;
};

/// What the advisories say, one row after another.
struct Findings {
  std::vector<Match> matches;
  std::vector<std::uint32_t> conditional;
  std::uint32_t incomparable = 0;
  bool product_known = false;
};

/// In one piece: a verdict may have hundreds of such texts.
std::string join(std::initializer_list<std::string_view> parts) {
  std::size_t size = 0;
  for (const std::string_view part : parts) size += part.size();
  std::string text;
  text.reserve(size);
  for (const std::string_view part : parts) text += part;
  return text;
}

std::string sentence_of(const CpeIndex& index, const CpeIndex::Criterion& criterion,
                        const Product& product) {
  const std::string_view installed = product.version.whole;
  const std::string_view scheme = version::scheme_name(*product.scheme);
  if (!index.has_range(criterion)) {
    const std::string_view value = index.value(criterion, CpeAttribute::version);
    if (value == "-") return "the product is named without a version";
    if (value == "*") return join({installed, " is one of all versions (", scheme, ")"});
    const std::string_view update = index.value(criterion, CpeAttribute::update);
    const bool updated = model::is_literal_cpe_value(update);
    return join({installed, " is ", model::unescape_cpe_value(value), updated ? " " : "",
                 updated ? model::unescape_cpe_value(update) : "", " (", scheme, ")"});
  }
  const auto [introduced, fixed, last_affected, after] = index.range(criterion);
  return join({introduced, introduced.empty() ? "" : " <= ", after, after.empty() ? "" : " < ",
               installed, fixed.empty() ? "" : " < ", fixed,
               last_affected.empty() ? "" : " <= ", last_affected, " (", scheme, ")"});
}

void fill_match(Match& match, const CpeIndex& index, Candidate& candidate, const Product& product,
                const std::vector<std::string>& missing) {
  const CpeIndex::Row& row = index.row(candidate.posting.row);
  const CpeIndex::Criterion& criterion = index.criterion(candidate.posting.criterion);
  match.feed = index.text(row.feed);
  match.id = index.text(row.id);
  match.aliases = index.aliases(row);
  match.severity = row.severity;
  match.score_tenths = row.score_tenths;
  match.disputed = row.disputed;
  match.urgency = index.text(row.urgency);
  match.summary = index.text(row.summary);
  if (model::is_cve_id(match.id)) {
    match.cve = match.id;
  } else if (const auto cve =
                 std::find_if(match.aliases.begin(), match.aliases.end(), model::is_cve_id);
             cve != match.aliases.end()) {
    match.cve = *cve;
  }
  Evidence& evidence = match.evidence;
  evidence.feed = match.feed;
  evidence.advisory_id = match.id;
  evidence.package =
      join({product.name[CpeAttribute::vendor], ":", product.name[CpeAttribute::product]});
  evidence.scheme = version::scheme_name(*product.scheme);
  evidence.installed = product.version.whole;
  const auto [introduced, fixed, last_affected, after] = index.range(criterion);
  evidence.range.introduced = introduced;
  evidence.range.fixed = fixed;
  evidence.range.last_affected = last_affected;
  evidence.range.after = after;
  evidence.sentence = sentence_of(index, criterion, product);
  evidence.criteria = index.name(criterion);
  evidence.caveats = std::move(candidate.outcome.caveats);
  if (product.source == Identity::Source::vocabulary) {
    evidence.caveats.emplace_back("the product was found by the program's name and vendor");
  }
  if (product.source == Identity::Source::overridden) {
    evidence.caveats.emplace_back("an operator said which product this is");
  }
  if (row.disputed) evidence.caveats.emplace_back("the flaw is disputed");
  for (const std::string& name : missing) {
    evidence.caveats.push_back("it is not known whether the host has " + name);
  }
}

/// Decides rows for one package. With `only`, for these rows, and then what stays unknown is
/// reported; without it, kept as conditional.
class Judge {
 public:
  Judge(const CpeIndex& index, const std::vector<Product>& products,
        const Surroundings& surroundings, const std::vector<std::uint32_t>* only)
      : index_(index), products_(products), surroundings_(surroundings), only_(only) {}

  Findings judge() {
    collect();
    const auto precedes = [](const Candidate& a, const Candidate& b) {
      return std::tie(a.posting.row, a.product) < std::tie(b.posting.row, b.product);
    };
    // Those of one product come in order.
    if (!std::is_sorted(candidates_.begin(), candidates_.end(), precedes)) {
      std::stable_sort(candidates_.begin(), candidates_.end(), precedes);
    }
    findings_.matches.reserve(candidates_.size());
    for (std::size_t first = 0; first < candidates_.size();) {
      std::size_t last = first;
      while (last < candidates_.size() &&
             candidates_[last].posting.row == candidates_[first].posting.row) {
        ++last;
      }
      judge_row(first, last);
      first = last;
    }
    return std::move(findings_);
  }

 private:
  void collect() {
    for (std::size_t at = 0; at < products_.size(); ++at) {
      const Product& product = products_[at];
      const CpeIndex::Group* group = index_.find(product.name);
      findings_.product_known |= group != nullptr;
      const ProductVersion& version = product.version;
      if (version.whole.empty()) continue;
      if (group != nullptr) {
        const CpeIndex::Span place =
            version.not_applicable()
                ? CpeIndex::no_version
                : index_.place_of(*group, {*product.scheme, version.whole, version.base});
        const bool plain = place.low == place.high && is_plain(product);
        index_.for_each_near(*group, place,
                             [&](const Posting& posting) { consider(posting, at, plain); });
      }
      for (const Posting& posting : index_.wildcards()) consider(posting, at, false);
    }
  }

  /// `plain`: a plain criterion that is near holds.
  void consider(const Posting& posting, std::size_t product, bool plain) {
    if (only_ != nullptr && !std::binary_search(only_->begin(), only_->end(), posting.row)) return;
    if (is_decided(posting.row, product)) return;
    const CpeIndex::Criterion& criterion = index_.criterion(posting.criterion);
    CriterionOutcome outcome =
        plain && criterion.plain
            ? plain_outcome(index_, criterion)
            : compare_criterion(index_, criterion, products_[product], surroundings_.family());
    if (outcome.truth == Truth::no && !outcome.incomparable) return;
    candidates_.push_back({posting, product, std::move(outcome)});
  }

  /// Whether what was found last is enough for the row, so that what follows there tells no more.
  bool is_decided(std::uint32_t row, std::size_t product) const {
    if (candidates_.empty()) return false;
    const Candidate& last = candidates_.back();
    return last.posting.row == row && last.product == product && is_enough(last);
  }

  /// Whether a criterion holds, and its configuration with it.
  bool is_enough(const Candidate& candidate) const {
    return candidate.outcome.truth == Truth::yes &&
           index_.criterion(candidate.posting.criterion).enough;
  }

  /// A configuration and what came of it: the same for all of its criteria that hold.
  struct Evaluated {
    std::optional<std::uint32_t> configuration;
    Truth holds = Truth::no;
    std::vector<std::string> missing;
  };

  Truth truth_of(const Candidate& candidate, Evaluated& evaluated) const {
    if (is_enough(candidate)) return Truth::yes;
    const std::uint32_t number = candidate.posting.configuration;
    if (evaluated.configuration != number) {
      evaluated = {number, Truth::no, {}};
      std::optional<std::uint32_t> held;
      if (candidate.outcome.truth == Truth::yes) held = candidate.posting.criterion;
      evaluated.holds = evaluate_configuration(index_, index_.configuration(number), held,
                                               products_, surroundings_, evaluated.missing);
    }
    return evaluated.holds;
  }

  void judge_row(std::size_t first, std::size_t last) {
    Candidate* open = nullptr;
    std::vector<std::string> missing_for_open;
    bool incomparable = false;
    Evaluated evaluated;
    for (std::size_t at = first; at < last; ++at) {
      Candidate& candidate = candidates_[at];
      incomparable |= candidate.outcome.incomparable;
      if (candidate.outcome.truth == Truth::no) continue;
      const Truth holds = truth_of(candidate, evaluated);
      if (holds == Truth::yes && candidate.outcome.truth == Truth::yes) {
        fill_match(findings_.matches.emplace_back(), index_, candidate,
                   products_[candidate.product], {});
        return;
      }
      if (holds != Truth::no && open == nullptr) {
        open = &candidate;
        missing_for_open = evaluated.missing;
      }
    }
    if (open == nullptr) {
      findings_.incomparable += incomparable ? 1 : 0;
    } else if (only_ == nullptr) {
      findings_.conditional.push_back(open->posting.row);
    } else {
      // The candidate's own target is among its caveats already.
      const std::string own = index_.name(index_.criterion(open->posting.criterion));
      std::erase(missing_for_open, own);
      fill_match(findings_.matches.emplace_back(), index_, *open, products_[open->product],
                 missing_for_open);
    }
  }

  const CpeIndex& index_;
  const std::vector<Product>& products_;
  const Surroundings& surroundings_;
  const std::vector<std::uint32_t>* only_;
  std::vector<Candidate> candidates_;
  Findings findings_;
};

Verdict not_assessed(Reason reason) {
  Verdict verdict;
  verdict.reason = reason;
  verdict.state = state_of(reason);
  return verdict;
}

void conclude(Verdict& verdict, bool had_conditions) {
  verdict.reason = !verdict.matches.empty()       ? Reason::in_range
                   : !verdict.conditional.empty() ? Reason::depends_on_host
                   : verdict.incomparable > 0     ? Reason::advisory_invalid
                   : had_conditions               ? Reason::platform_absent
                                                  : Reason::outside_ranges;
  verdict.state = state_of(verdict.reason);
}

}  // namespace

Verdict match_cpe(const CpeIndex& index, const Package& package) {
  const std::vector<Product> products = products_of(package, index);
  if (products.empty()) {
    const bool skipped = package.identity && package.identity->skipped;
    return not_assessed(skipped ? Reason::skipped : Reason::no_identity);
  }
  if (index.empty()) return not_assessed(Reason::cpe_not_covered);
  const bool readable = std::any_of(products.begin(), products.end(), [](const Product& product) {
    return !product.version.whole.empty();
  });
  if (!readable) {
    if (!products.front().scheme) return not_assessed(Reason::scheme_unsupported);
    const bool stated = !package.version.empty() ||
                        model::is_literal_cpe_value(products.front().name[CpeAttribute::version]);
    return not_assessed(stated ? Reason::version_invalid : Reason::version_missing);
  }
  Findings findings = Judge(index, products, Surroundings(), nullptr).judge();
  if (!findings.product_known && findings.matches.empty() && findings.conditional.empty()) {
    return not_assessed(Reason::product_unknown);
  }
  Verdict verdict;
  verdict.matches = std::move(findings.matches);
  verdict.conditional = std::move(findings.conditional);
  verdict.incomparable = findings.incomparable;
  conclude(verdict, false);
  return verdict;
}

Verdict settle_cpe(const CpeIndex& index, const Package& package, Verdict verdict,
                   const Surroundings& surroundings) {
  const std::vector<Product> products = products_of(package, index);
  Findings findings = Judge(index, products, surroundings, &verdict.conditional).judge();
  for (Match& match : findings.matches) verdict.matches.push_back(std::move(match));
  std::stable_sort(verdict.matches.begin(), verdict.matches.end(),
                   [](const Match& a, const Match& b) {
                     return std::tie(a.id, a.feed) < std::tie(b.id, b.feed);
                   });
  verdict.incomparable += findings.incomparable;
  verdict.conditional.clear();
  conclude(verdict, true);
  return verdict;
}

}  // namespace muster::vuln
