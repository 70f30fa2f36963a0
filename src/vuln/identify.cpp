// SPDX-License-Identifier: Apache-2.0
#include "vuln/identify.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "model/cpe.h"

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

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// "22.01", "v3.0.2", "7.1.1-21", "8u351", "2023-10-21"; a year alone is no version.
bool is_version_word(std::string_view word) {
  if (word.size() > 1 && word.front() == 'v' && is_digit(word[1])) word.remove_prefix(1);
  if (word.empty() || !is_digit(word.front())) return false;
  const bool year = word.size() == 4 && (word.starts_with("19") || word.starts_with("20")) &&
                    is_digit(word[2]) && is_digit(word[3]);
  if (year) return false;
  std::size_t letters = 0;
  for (const char c : word) {
    if (c >= 'a' && c <= 'z') ++letters;
    if (!is_digit(c) && !(c >= 'a' && c <= 'z') && c != '.' && c != '-' && c != '_' && c != '+') {
      return false;
    }
  }
  // "7-zip" and "3d" are names, "4.2.8p15" and "8u351" versions.
  return letters == 0 || (letters <= 2 && word.size() >= 4);
}

bool is_noise_word(std::string_view word) {
  static constexpr std::string_view noise[] = {
      "x64",     "x86",     "x86_64", "amd64",   "arm64",    "aarch64", "win64",  "win32",
      "64-bit",  "32-bit",  "64bit",  "32bit",   "64",       "32",      "bit",    "bits",
      "version", "release", "user",   "deutsch", "english",  "french",  "german", "spanish",
      "mui",     "machine", "-",      "hdri",    "q16-hdri", "q16",     "q8",     "build"};
  if (std::find(std::begin(noise), std::end(noise), word) != std::end(noise)) return true;
  // A language tag: "en-us", "zh-cn".
  return word.size() == 5 && word[2] == '-' && !is_digit(word[0]) && !is_digit(word[4]);
}

/// Text without trademark signs; brackets and separators become spaces.
std::string without_signs(std::string_view name) {
  std::string text = fold_case(name);
  for (const std::string_view sign :
       {std::string_view("®"), std::string_view("™"), std::string_view("©"),
        std::string_view("(r)"), std::string_view("(tm)"), std::string_view("(c)")}) {
    for (auto at = text.find(sign); at != std::string::npos; at = text.find(sign)) {
      text.erase(at, sign.size());
    }
  }
  if (text.ends_with(".app")) text.resize(text.size() - 4);
  return text;
}

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

const Alias* find_alias(const model::Package& package) {
  const std::string name = normalise_product_name(package.name);
  const auto [first, last] =
      std::equal_range(aliases.begin(), aliases.end(), Alias{name, {}, {}},
                       [](const Alias& a, const Alias& b) { return a.name < b.name; });
  for (const Alias* alias = first; alias != last; ++alias) {
    if (vendor_fits(alias->vendors, package.vendor)) return alias;
  }
  return nullptr;
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
         ecosystem != Ecosystem::windows && ecosystem != Ecosystem::macos;
}

/// Fills in the CPE, reported or from the table.
void set_cpe(Identity& identity, const model::Package& package) {
  const std::string version = model::escape_cpe_value(version_within(package.version));
  if (auto reported = model::parse_cpe(package.cpe); reported.ok()) {
    identity.cpe_source = Identity::Source::reported;
    std::string& stated = (*reported)[model::CpeAttribute::version];
    if (!version.empty() && !model::is_literal_cpe_value(stated)) stated = version;
    identity.cpe = model::bind_to_formatted_string(*reported);
    return;
  }
  if (!may_be_product(package.ecosystem)) return;
  const Alias* alias = find_alias(package);
  if (alias == nullptr) return;
  identity.others = split_names(alias->names);
  const CpeName main = identity.others.front();
  identity.others.erase(identity.others.begin());
  identity.cpe_source = Identity::Source::table;
  identity.cpe = model::make_cpe(main.vendor, main.product, version);
}

}  // namespace

std::string_view identity_kind_name(Identity::Kind kind) {
  static constexpr std::string_view names[] = {"distribution", "ecosystem", "cpe", "none"};
  return names[static_cast<std::size_t>(kind)];
}

std::string_view cpe_source_name(Identity::Source source) {
  static constexpr std::string_view names[] = {"none", "reported", "table"};
  return names[static_cast<std::size_t>(source)];
}

std::string normalise_product_name(std::string_view name) {
  const std::string text = without_signs(name);
  std::string out;
  bool after_architecture = false;
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto begin = rest.find_first_not_of(" \t\r\n()[]{},;|");
    if (begin == std::string_view::npos) break;
    rest.remove_prefix(begin);
    const auto end = std::min(rest.find_first_of(" \t\r\n()[]{},;|"), rest.size());
    std::string_view word = rest.substr(0, end);
    rest.remove_prefix(end);
    // Homebrew's versioned names: "openssl@3".
    if (const auto at = word.find('@'); at != 0 && at != std::string_view::npos) {
      if (is_digit(word.substr(at + 1).empty() ? ' ' : word[at + 1])) word = word.substr(0, at);
    }
    const bool first = out.empty();
    // "(x64 de)": what follows an architecture is a language.
    const bool language = after_architecture && word.size() == 2;
    after_architecture = word == "x64" || word == "x86" || word == "arm64" || word == "aarch64";
    if (!first && (language || is_noise_word(word) || is_version_word(word))) continue;
    if (!first) out += ' ';
    out += word;
  }
  return out;
}

Identity::Kind identity_kind(const model::Package& package) {
  if (has_distributions(package.ecosystem) && !package.distro.empty()) {
    return Identity::Kind::distribution;
  }
  if (has_own_advisories(package.ecosystem)) return Identity::Kind::ecosystem;
  if (model::parse_cpe(package.cpe).ok() || find_alias(package) != nullptr)
    return Identity::Kind::cpe;
  return Identity::Kind::none;
}

Identity identify(const model::Package& package) {
  Identity identity;
  identity.kind = identity_kind(package);
  set_cpe(identity, package);
  return identity;
}

}  // namespace muster::vuln
