// SPDX-License-Identifier: Apache-2.0
#include "vuln/product_finder.h"

#include <algorithm>
#include <string>
#include <tuple>

#include "base/text.h"
#include "vuln/product_name.h"
#include "vuln/vocabulary.h"

namespace muster::vuln {

namespace {

using Program = Vocabulary::Program;

/// Vendors whose CPE name is no part of their own.
struct VendorName {
  std::string_view reported;
  std::string_view cpe;
};
constexpr VendorName vendor_names[] = {
    {"hewlettpackard", "hp"},
    {"hewlettpackardenterprise", "hp"},
    {"hewlettpackard", "hpe"},
    {"hpe", "hp"},
    {"hpinc", "hp"},
    {"internationalbusinessmachines", "ibm"},
    {"advancedmicrodevices", "amd"},
};

/// Words of a vendor's name that are its legal form or its trade.
bool is_trade(std::string_view word) {
  static constexpr std::string_view words[] = {"inc",
                                               "llc",
                                               "ltd",
                                               "limited",
                                               "gmbh",
                                               "co",
                                               "corp",
                                               "corporation",
                                               "company",
                                               "ag",
                                               "sa",
                                               "s.a",
                                               "s.r.o",
                                               "bv",
                                               "b.v",
                                               "ab",
                                               "oy",
                                               "pty",
                                               "plc",
                                               "lp",
                                               "the",
                                               "foundation",
                                               "software",
                                               "technologies",
                                               "technology",
                                               "system",
                                               "systems",
                                               "team",
                                               "project",
                                               "developers",
                                               "group",
                                               "labs",
                                               "lab",
                                               "studio",
                                               "studios",
                                               "solutions",
                                               "e.v",
                                               "network",
                                               "networks",
                                               "and",
                                               "&",
                                               "of",
                                               "authors",
                                               "contributors",
                                               "security",
                                               "community",
                                               "incorporated",
                                               "enterprise",
                                               "org",
                                               "digital",
                                               "interactive",
                                               "media",
                                               "international",
                                               "communications",
                                               "development"};
  while (word.ends_with('.')) word.remove_suffix(1);
  return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

/// What a domain or a second word makes of a vendor's name: "foxitsoftware", "videolan.org".
bool is_vendor_tail(std::string_view tail) {
  static constexpr std::string_view tails[] = {
      "software", "inc",     "llc",  "org",  "com", "io",   "hq",  "team",    "corp",
      "group",    "systems", "tech", "labs", "db",  "lang", "dev", "networks"};
  return std::find(std::begin(tails), std::end(tails), tail) != std::end(tails);
}

/// A reported vendor, taken apart once.
class Vendor {
 public:
  explicit Vendor(std::string_view reported) {
    std::string text = fold_case(reported.substr(0, reported.find('<')));
    for (char& c : text) {
      if (c == ',' || c == '(' || c == ')' || c == '/' || c == '\t') c = ' ';
    }
    std::string joined;
    std::string core;
    for (const std::string_view word : words_of(text)) {
      const std::string key = name_key(word);
      if (key.empty()) continue;
      words_.push_back(key);
      joined += key;
      if (!is_trade(word)) core += key;
      if (joined != "the") beginnings_.push_back(joined);
      if (!core.empty()) beginnings_.push_back(core);
      if (word != "the" && word != "of" && word != "and") initials_ += key.front();
    }
    core_ = core.empty() ? joined : core;
    whole_ = joined;
  }

  bool empty() const { return words_.empty(); }
  const std::vector<std::string>& words() const { return words_; }
  /// Without its legal form and trade.
  const std::string& core() const { return core_; }

  VendorFit fit(std::string_view cpe_vendor) const {
    if (empty()) return VendorFit::no;
    const std::string full = name_key(cpe_vendor);
    const std::string bare = vendor_key(cpe_vendor);
    VendorFit best = VendorFit::no;
    for (const std::string& form : {full, bare}) {
      if (form == whole_ || form == core_) return VendorFit::exactly;
      for (const VendorName& each : vendor_names) {
        const bool reported =
            each.reported == whole_ || each.reported == core_ || whole_.starts_with(each.reported);
        if (reported && form == each.cpe) return VendorFit::exactly;
      }
      const bool begins =
          std::find(beginnings_.begin(), beginnings_.end(), form) != beginnings_.end();
      const bool tailed = core_.size() >= 4 && form.starts_with(core_) &&
                          is_vendor_tail(std::string_view(form).substr(core_.size()));
      const bool initials = form.size() >= 2 && words_.size() >= 3 && initials_.starts_with(form);
      if (begins || tailed || initials) best = VendorFit::beginning;
    }
    return best;
  }

 private:
  std::vector<std::string> words_;       // keys
  std::vector<std::string> beginnings_;  // first words, and first words but trades, as one
  std::string initials_;
  std::string core_;
  std::string whole_;
};

/// What speaks for a product, in order of weight.
enum class Evidence : std::uint8_t {
  none,
  name_alone,     // two words or more that nobody else uses
  names_itself,   // vendor and product of one name that nobody else uses
  name_begins,    // the name begins with the vendor, and none is reported
  vendor_begins,  // the reported vendor's first words
  vendor,         // the reported vendor
};

struct Candidate {
  const Program* program;
  Evidence evidence;
};

/// Looks for one form of a name.
class Search {
 public:
  Search(const CpeIndex& index, const Vendor& vendor, std::string_view name, bool shortened)
      : index_(index), vendor_(vendor), words_(words_of(name)), shortened_(shortened) {}

  std::vector<Candidate> candidates() {
    whole_name();
    name_after_vendor();
    name_with_vendor();
    name_with_kind();
    std::sort(found_.begin(), found_.end(), [&](const Candidate& a, const Candidate& b) {
      const auto rank = [&](const Candidate& c) {
        return std::tuple(-static_cast<int>(c.evidence), -std::int64_t{c.program->advisories},
                          vendor_of(*c.program), product_of(*c.program));
      };
      return rank(a) < rank(b);
    });
    const auto repeats =
        std::unique(found_.begin(), found_.end(),
                    [](const auto& a, const auto& b) { return a.program == b.program; });
    found_.erase(repeats, found_.end());
    return std::move(found_);
  }

 private:
  std::string_view vendor_of(const Program& program) const { return index_.text(program.vendor); }
  std::string_view product_of(const Program& program) const { return index_.text(program.product); }

  /// The words from `first` until before `last`, as one.
  std::string key(std::size_t first, std::size_t last) const {
    std::string joined;
    for (std::size_t i = first; i < last; ++i) joined += name_key(words_[i]);
    return joined;
  }

  Evidence by_vendor(const Program& program) const {
    const VendorFit fit = vendor_.fit(vendor_of(program));
    if (fit == VendorFit::no) return Evidence::none;
    return fit == VendorFit::exactly ? Evidence::vendor : Evidence::vendor_begins;
  }

  void add(const Program& program, Evidence evidence) {
    // A shortened name is sure only with a vendor.
    if (evidence == Evidence::none || (shortened_ && evidence < Evidence::name_begins)) return;
    found_.push_back({&program, evidence});
  }

  void whole_name() {
    const std::string name = key(0, words_.size());
    for (const Program& program : index_.vocabulary().find(name)) {
      // A vendor that repeats the name tells nothing that the name does not.
      const bool repeats = vendor_.core() == name;
      if (repeats && program.shared) continue;
      const Evidence evidence = by_vendor(program);
      add(program, evidence != Evidence::none ? evidence : by_name(program, name));
    }
  }

  Evidence by_name(const Program& program, const std::string& name) const {
    const std::string vendor = vendor_key(vendor_of(program));
    const bool several = words_.size() > 1;
    if (several && vendor_.empty() && vendor == name_key(words_.front())) {
      return Evidence::name_begins;
    }
    constexpr std::size_t sure_bytes = 5;
    if (program.shared || (!several && name.size() < sure_bytes)) return Evidence::none;
    if (vendor == name || name_key(vendor_of(program)) == name) return Evidence::names_itself;
    if (vendor_.core() == name) return Evidence::name_alone;
    const std::string_view product = product_of(program);
    const auto breaks = std::count(product.begin(), product.end(), '_');
    const bool spelled_so = static_cast<std::size_t>(breaks) + 1 == words_.size();
    // Two everyday words ("Color Picker") may be anybody's: one advisory makes no name known.
    constexpr std::uint32_t well_known = 3;  // advisories
    const bool known = several && program.advisories >= well_known;
    return vendor_.empty() && spelled_so && known ? Evidence::name_alone : Evidence::none;
  }

  /// "Acme Burner" -> acme:burner, where Acme is who reported it or nobody is reported.
  void name_after_vendor() {
    constexpr std::size_t vendor_words_max = 3;
    for (std::size_t n = 1; n <= vendor_words_max && n < words_.size(); ++n) {
      const std::string head = key(0, n);
      const bool reported_head = n <= vendor_.words().size() && reports(n);
      for (const Program& program : index_.vocabulary().find(key(n, words_.size()))) {
        const bool named = is_called(program, head);
        const Evidence evidence = by_vendor(program);
        if (evidence != Evidence::none && (named || reported_head)) {
          add(program, evidence);
        } else if (named && vendor_.empty()) {
          add(program, Evidence::name_begins);
        }
      }
    }
  }

  bool reports(std::size_t n) const {
    for (std::size_t i = 0; i < n; ++i) {
      if (vendor_.words()[i] != name_key(words_[i])) return false;
    }
    return true;
  }

  bool is_called(const Program& program, std::string_view head) const {
    return head == vendor_key(vendor_of(program)) || head == name_key(vendor_of(program)) ||
           fit_vendor(vendor_of(program), head) == VendorFit::exactly;
  }

  /// "Burner" of Acme -> acme:acme_burner.
  void name_with_vendor() {
    const std::string name = key(0, words_.size());
    for (std::size_t n = 0; n < std::min<std::size_t>(2, vendor_.words().size()); ++n) {
      for (const Program& program : index_.vocabulary().find(vendor_.words()[n] + name)) {
        add(program, by_vendor(program));
      }
    }
  }

  /// "Acme Burner" -> acme:burner_agent, where nothing is called by the name itself.
  void name_with_kind() {
    if (!found_.empty() || vendor_.empty() || words_.size() < 2) return;
    for (const std::string_view kind : {"agent", "client", "desktop", "server"}) {
      for (std::size_t n = 0; n + 2 <= words_.size(); ++n) {
        for (const Program& program :
             index_.vocabulary().find(key(n, words_.size()) + std::string(kind))) {
          if (n == 0 || is_called(program, key(0, n))) add(program, by_vendor(program));
        }
      }
    }
  }

  const CpeIndex& index_;
  const Vendor& vendor_;
  std::vector<std::string_view> words_;
  bool shortened_;
  std::vector<Candidate> found_;
};

/// The best candidate and those that are as good, or nothing if several are and none stands out.
std::vector<CpeName> decide(const CpeIndex& index, const std::vector<Candidate>& candidates) {
  std::vector<CpeName> names;
  if (candidates.empty()) return names;
  const Candidate& best = candidates.front();
  const bool by_vendor = best.evidence >= Evidence::vendor_begins;
  constexpr std::uint32_t margin = 2;
  for (const Candidate& each : candidates) {
    const bool rival = &each != &best && each.evidence == best.evidence;
    if (!by_vendor && rival && best.program->advisories < margin * each.program->advisories) {
      return {};
    }
    // The same program of the same vendor, under another of his names.
    const bool same = each.evidence >= Evidence::vendor_begins && by_vendor &&
                      each.program->key == best.program->key;
    if (&each == &best || same) {
      names.push_back({index.text(each.program->vendor), index.text(each.program->product)});
    }
  }
  return names;
}

}  // namespace

VendorFit fit_vendor(std::string_view cpe_vendor, std::string_view reported) {
  return Vendor(reported).fit(cpe_vendor);
}

std::vector<CpeName> find_product(const CpeIndex& index, std::string_view name,
                                  std::string_view vendor) {
  const Vendor reported(vendor);
  const std::string whole = normalise_product_name(name);
  if (const auto found = Search(index, reported, whole, false).candidates(); !found.empty()) {
    return decide(index, found);
  }
  constexpr std::size_t cut_words_min = 3;
  for (const ShorterName& shorter : shorter_product_names(name)) {
    if (shorter.cut && words_of(shorter.name).size() < cut_words_min) break;
    const auto found = Search(index, reported, shorter.name, true).candidates();
    if (!found.empty()) return decide(index, found);
  }
  return {};
}

}  // namespace muster::vuln
