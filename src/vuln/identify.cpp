// SPDX-License-Identifier: Apache-2.0
#include "vuln/identify.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "model/cpe.h"
#include "vuln/product_finder.h"
#include "vuln/product_name.h"

namespace muster::vuln {

namespace {

using model::Ecosystem;

struct Alias {
  std::string_view name;     // normalised
  std::string_view vendors;  // words of which one must be in the vendor; empty: any vendor
  std::string_view names;    // "vendor:product", more after spaces
};

consteval auto sorted_aliases() {
  auto table = std::to_array<Alias>({
#define ALIAS(name, vendors, names) Alias{name, vendors, names},
#include "vuln/aliases.def"
#undef ALIAS
  });
  std::sort(table.begin(), table.end(),
            [](const Alias& a, const Alias& b) { return a.name < b.name; });
  return table;
}
constexpr auto aliases = sorted_aliases();

bool vendor_fits(std::string_view vendors, std::string_view vendor) {
  if (vendors.empty()) return true;
  const std::string folded = fold_case(vendor);
  while (!vendors.empty()) {
    const auto end = vendors.find('|');
    if (folded.find(vendors.substr(0, end)) != std::string::npos) return true;
    vendors.remove_prefix(end == std::string_view::npos ? vendors.size() : end + 1);
  }
  return false;
}

/// What an alias's vendor words are compared with: the vendor, or that there is none.
std::string reported_vendor(const model::Package& package) {
  if (!package.vendor.empty()) return package.vendor;
  const bool mac = package.ecosystem == Ecosystem::macos || package.name.ends_with(".app");
  return mac ? "?macos" : "?";
}

const Alias* find_alias(std::string_view name, std::string_view vendor) {
  const auto [first, last] =
      std::equal_range(aliases.begin(), aliases.end(), Alias{name, {}, {}},
                       [](const Alias& a, const Alias& b) { return a.name < b.name; });
  for (const Alias* alias = first; alias != last; ++alias) {
    if (vendor_fits(alias->vendors, vendor)) return alias;
  }
  return nullptr;
}

/// "postgresql-15", "php8.2": a packager's name for one of several releases that can be installed
/// at once, and the program's own without the number. Empty for any other name: a single digit is
/// often part of it (Wget2 is another program than Wget).
std::string_view without_number(std::string_view name) {
  constexpr std::size_t digits_min = 2;
  const auto last = name.find_last_not_of("0123456789.");
  const bool spaced = name.find(' ') != std::string_view::npos;
  if (spaced || last == std::string_view::npos || name.size() - last - 1 < digits_min) return {};
  return name.substr(0, last + (name[last] == '-' ? 0 : 1));
}

/// By the name, or by the name without its edition or its number.
const Alias* find_alias(const model::Package& package) {
  const std::string vendor = reported_vendor(package);
  const Alias* found = find_alias(normalise_product_name(package.name), vendor);
  for (const ShorterName& shorter : shorter_product_names(package.name)) {
    if (found != nullptr || shorter.cut) break;
    found = find_alias(shorter.name, vendor);
  }
  const std::string_view bare = without_number(package.name);
  if (found == nullptr && !bare.empty()) found = find_alias(fold_case(bare), vendor);
  return found;
}

std::vector<CpeName> split_names(std::string_view names) {
  std::vector<CpeName> out;
  while (!names.empty()) {
    const auto end = names.find(' ');
    const std::string_view each = names.substr(0, end);
    const auto colon = each.find(':');
    out.push_back({each.substr(0, colon), each.substr(colon + 1)});
    names.remove_prefix(end == std::string_view::npos ? names.size() : end + 1);
  }
  return out;
}

/// The version inside a version text: "22.01 (x64)" -> "22.01", "Python 3.11.4 (64-bit)" ->
/// "3.11.4". Empty if there is none to be sure of.
std::string_view version_within(std::string_view text) {
  while (!text.empty()) {
    const auto begin = text.find_first_not_of(" \t()");
    if (begin == std::string_view::npos) break;
    text.remove_prefix(begin);
    const auto end = text.find_first_of(" \t()");
    std::string_view word = text.substr(0, end);
    if (word.size() > 1 && (word.front() == 'v' || word.front() == 'V')) word.remove_prefix(1);
    if (is_digit(word.front())) return word;
    text.remove_prefix(end == std::string_view::npos ? text.size() : end);
  }
  return {};
}

/// Software whose name the table may speak about: programs, and packages of a system's package
/// manager. A language's package called "docker" or "git" is another thing.
bool may_be_product(Ecosystem ecosystem) {
  switch (ecosystem) {
    case Ecosystem::unknown:
    case Ecosystem::generic:
    case Ecosystem::windows:
    case Ecosystem::macos:
    case Ecosystem::deb:
    case Ecosystem::rpm:
    case Ecosystem::apk:
    case Ecosystem::pacman:
      return true;
    default:
      return false;
  }
}

bool has_distributions(Ecosystem ecosystem) {
  return ecosystem == Ecosystem::deb || ecosystem == Ecosystem::rpm ||
         ecosystem == Ecosystem::apk || ecosystem == Ecosystem::pacman;
}

bool has_own_advisories(Ecosystem ecosystem) {
  return ecosystem != Ecosystem::unknown && ecosystem != Ecosystem::generic &&
         ecosystem != Ecosystem::windows && ecosystem != Ecosystem::macos &&
         ecosystem != Ecosystem::other;
}

/// Programs that somebody installed. Another source of packages is the one to ask for their
/// product.
bool is_program(Ecosystem ecosystem) {
  return ecosystem == Ecosystem::unknown || ecosystem == Ecosystem::generic ||
         ecosystem == Ecosystem::windows || ecosystem == Ecosystem::macos;
}

/// Whether `text` names a product, which `cpe` then is.
bool parse_into(std::optional<model::Cpe>& cpe, std::string_view text) {
  cpe.reset();
  if (text.empty()) return false;
  auto parsed = model::parse_cpe(text);
  if (parsed.ok()) cpe = std::move(*parsed);
  return cpe.has_value();
}

/// Makes the first of the names the main one; there is none if there are none.
void take_main(ProductNames& names, std::string_view version) {
  if (names.others.empty()) {
    names.source = Identity::Source::none;
    return;
  }
  const CpeName main = names.others.front();
  names.others.erase(names.others.begin());
  if (!parse_into(names.main, model::make_cpe(main.vendor, main.product, version))) {
    names.source = Identity::Source::none;
  }
}

}  // namespace

std::string_view identity_kind_name(Identity::Kind kind) {
  static constexpr std::string_view names[] = {"distribution", "ecosystem", "cpe", "none"};
  return names[static_cast<std::size_t>(kind)];
}

std::string_view cpe_source_name(Identity::Source source) {
  static constexpr std::string_view names[] = {"none", "reported", "table", "vocabulary",
                                               "override"};
  return names[static_cast<std::size_t>(source)];
}

Identity::Kind identity_kind(const model::Package& package) {
  if (has_distributions(package.ecosystem) && !package.distro.empty()) {
    return Identity::Kind::distribution;
  }
  return has_own_advisories(package.ecosystem) ? Identity::Kind::ecosystem : Identity::Kind::cpe;
}

ProductNames find_product_names(const model::Package& package, const CpeIndex& index) {
  ProductNames names;
  const auto version = [&] { return model::escape_cpe_value(version_within(package.version)); };
  if (package.identity && identity_kind(package) == Identity::Kind::cpe) {
    for (const model::ProductName& each : package.identity->products) {
      names.others.push_back({each.vendor, each.product});
    }
    take_main(names, version());
    names.source = Identity::Source::overridden;
    return names;
  }
  if (parse_into(names.main, package.cpe)) {
    names.source = Identity::Source::reported;
    std::string& stated = (*names.main)[model::CpeAttribute::version];
    names.states_version = model::is_literal_cpe_value(stated);
    if (names.states_version) return names;
    std::string found = version();
    if (found.empty()) return names;
    stated = std::move(found);
    if (!parse_into(names.main, model::bind_to_formatted_string(*names.main))) {
      names.source = Identity::Source::none;
    }
    return names;
  }
  if (!may_be_product(package.ecosystem)) return names;
  if (const Alias* alias = find_alias(package)) {
    names.others = split_names(alias->names);
    names.source = Identity::Source::table;
  } else if (is_program(package.ecosystem)) {
    names.others = find_product(index, package.name, package.vendor);
    names.source = Identity::Source::vocabulary;
  }
  take_main(names, version());
  return names;
}

Identity identify(const model::Package& package, const CpeIndex& index) {
  Identity identity;
  identity.kind = identity_kind(package);
  ProductNames names = find_product_names(package, index);
  identity.cpe_source = names.source;
  identity.others = std::move(names.others);
  if (names.main) identity.cpe = model::bind_to_formatted_string(*names.main);
  if (identity.kind == Identity::Kind::cpe && identity.cpe.empty()) {
    identity.kind = Identity::Kind::none;
  }
  return identity;
}

}  // namespace muster::vuln
