// SPDX-License-Identifier: Apache-2.0
#include "model/package.h"

#include <algorithm>
#include <vector>

#include "base/check.h"
#include "base/text.h"

namespace muster::model {

namespace {

struct Synonym {
  std::string_view text;
  Ecosystem ecosystem;
};

/// What the fielded agents and common inventories call an ecosystem of ours. Extensions of
/// browsers and editors have no order of versions that we know, so they stay unknown.
constexpr Synonym synonyms[] = {
    {"apt", Ecosystem::deb},
    {"dpkg", Ecosystem::deb},
    {"debian", Ecosystem::deb},
    {"yum", Ecosystem::rpm},
    {"dnf", Ecosystem::rpm},
    {"zypper", Ecosystem::rpm},
    {"redhat", Ecosystem::rpm},
    {"alpine", Ecosystem::apk},
    {"alpm", Ecosystem::pacman},
    {"arch", Ecosystem::pacman},
    {"python", Ecosystem::pypi},
    {"pip", Ecosystem::pypi},
    {"node", Ecosystem::npm},
    {"nodejs", Ecosystem::npm},
    {"java", Ecosystem::maven},
    {"gradle", Ecosystem::maven},
    {"rubygems", Ecosystem::gem},
    {"ruby", Ecosystem::gem},
    {"golang", Ecosystem::go},
    {"gomod", Ecosystem::go},
    {"crates.io", Ecosystem::cargo},
    {"crates", Ecosystem::cargo},
    {"rust", Ecosystem::cargo},
    {"packagist", Ecosystem::composer},
    {"win", Ecosystem::windows},
    {"winget", Ecosystem::windows},
    {"chocolatey", Ecosystem::windows},
    {"msi", Ecosystem::windows},
    {"brew", Ecosystem::macos},
    {"homebrew", Ecosystem::macos},
    {"darwin", Ecosystem::macos},
    {"port", Ecosystem::macos},
    {"snap", Ecosystem::generic},
    {"flatpak", Ecosystem::generic},
    {"elixir", Ecosystem::hex},
    {"erlang", Ecosystem::hex},
    {"vscode", Ecosystem::other},
    {"openvsx", Ecosystem::other},
    {"chrome", Ecosystem::other},
    {"firefox", Ecosystem::other},
    {"edge", Ecosystem::other},
    {"jetbrains", Ecosystem::other},
    {"cocoapods", Ecosystem::other},
    {"cpan", Ecosystem::other},
    {"cran", Ecosystem::other},
    {"docker", Ecosystem::other},
    {"github", Ecosystem::other},
    {"githubactions", Ecosystem::other},
    {"hackage", Ecosystem::other},
    {"huggingface", Ecosystem::other},
    {"julia", Ecosystem::other},
    {"luarocks", Ecosystem::other},
    {"oci", Ecosystem::other},
    {"pub", Ecosystem::other},
    {"swift", Ecosystem::other},
};

/// How much of a release number names the release that has advisories of its own.
enum class Precision { none, major, minor };

struct Distribution {
  std::string_view name;
  Precision precision;
};

constexpr Distribution distributions[] = {
    {"debian", Precision::major},    {"ubuntu", Precision::minor},
    {"alpine", Precision::minor},    {"rhel", Precision::major},
    {"centos", Precision::major},    {"almalinux", Precision::major},
    {"rocky", Precision::major},     {"oracle", Precision::major},
    {"amazon", Precision::major},    {"fedora", Precision::major},
    {"sles", Precision::minor},      {"opensuse-leap", Precision::minor},
    {"arch", Precision::none},       {"wolfi", Precision::none},
    {"chainguard", Precision::none}, {"opensuse-tumbleweed", Precision::none},
};

struct Alias {
  std::string_view text;
  std::string_view name;
};

/// Other words for a distribution: ids of os-release(5), and names used by scanners.
constexpr Alias distribution_aliases[] = {
    {"redhat", "rhel"},
    {"red hat", "rhel"},
    {"alma", "almalinux"},
    {"rockylinux", "rocky"},
    {"rocky-linux", "rocky"},
    {"rocky linux", "rocky"},
    {"centos-stream", "centos"},
    {"ol", "oracle"},
    {"oraclelinux", "oracle"},
    {"oracle linux", "oracle"},
    {"amzn", "amazon"},
    {"amazonlinux", "amazon"},
    {"opensuse.leap", "opensuse-leap"},
    {"opensuse leap", "opensuse-leap"},
    {"opensuse tumbleweed", "opensuse-tumbleweed"},
    {"suse linux enterprise", "sles"},
    {"suse linux enterprise server", "sles"},
    {"sles_sap", "sles"},
    {"archlinux", "arch"},
};

struct Codename {
  std::string_view distribution;
  std::string_view codename;
  std::string_view release;
};

/// https://wiki.debian.org/DebianReleases and https://wiki.ubuntu.com/Releases
constexpr Codename codenames[] = {
    {"debian", "potato", "2"},       {"debian", "woody", "3.0"},
    {"debian", "sarge", "3.1"},      {"debian", "etch", "4"},
    {"debian", "lenny", "5"},        {"debian", "squeeze", "6"},
    {"debian", "wheezy", "7"},       {"debian", "jessie", "8"},
    {"debian", "stretch", "9"},      {"debian", "buster", "10"},
    {"debian", "bullseye", "11"},    {"debian", "bookworm", "12"},
    {"debian", "trixie", "13"},      {"debian", "forky", "14"},
    {"debian", "duke", "15"},        {"debian", "sid", "sid"},
    {"debian", "unstable", "sid"},   {"debian", "testing", "sid"},
    {"ubuntu", "precise", "12.04"},  {"ubuntu", "kinetic", "22.10"},
    {"ubuntu", "lunar", "23.04"},    {"ubuntu", "mantic", "23.10"},
    {"ubuntu", "resolute", "26.04"}, {"ubuntu", "trusty", "14.04"},
    {"ubuntu", "xenial", "16.04"},   {"ubuntu", "bionic", "18.04"},
    {"ubuntu", "focal", "20.04"},    {"ubuntu", "jammy", "22.04"},
    {"ubuntu", "noble", "24.04"},    {"ubuntu", "oracular", "24.10"},
    {"ubuntu", "plucky", "25.04"},   {"ubuntu", "questing", "25.10"},
};

const Distribution* find_distribution(std::string_view name) {
  for (const Alias& alias : distribution_aliases) {
    if (alias.text == name) name = alias.name;
  }
  for (const Distribution& each : distributions) {
    if (each.name == name) return &each;
  }
  return nullptr;
}

/// "12.5" with major -> "12"; nothing for text that is no dotted number.
std::optional<std::string> cut_release(std::string_view release, Precision precision) {
  if (!release.empty() && release.front() == 'v') release.remove_prefix(1);
  std::size_t length = 0;
  int dots = 0;
  const int dots_max = precision == Precision::minor ? 1 : 0;
  while (length < release.size() && (is_digit(release[length]) || release[length] == '.')) {
    if (release[length] == '.' && ++dots > dots_max) break;
    ++length;
  }
  const std::size_t end = release.find_first_not_of("0123456789.");
  if (length == 0 || !is_digit(release.front()) || end != std::string_view::npos) {
    return std::nullopt;
  }
  std::string cut(release.substr(0, length));
  if (cut.back() == '.') cut.pop_back();
  return cut;
}

/// The release that `text` (folded) names, by number or codename.
std::optional<std::string> read_release(const Distribution& distribution, std::string_view text) {
  // Debian 3.0 and 3.1 were releases of their own.
  if (distribution.name == "debian" && (text == "3.0" || text == "3.1")) return std::string(text);
  for (const Codename& each : codenames) {
    if (each.distribution == distribution.name && each.codename == text) {
      return std::string(each.release);
    }
  }
  // "trixie/sid" is what both testing and unstable call themselves.
  if (distribution.name == "debian" && text.ends_with("/sid")) return "sid";
  return cut_release(text, distribution.precision);
}

/// Words of an operating system's text: without brackets, commas and "gnu/linux".
std::vector<std::string> os_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  const auto finish = [&] {
    if (!word.empty() && word != "linux" && word != "gnu/linux") words.push_back(word);
    word.clear();
  };
  for (const char c : fold_case(text)) {
    if (std::string_view(" \t()[],;").find(c) != std::string_view::npos) {
      finish();
    } else {
      word += c;
    }
  }
  finish();
  return words;
}

/// The distribution that `text` begins with. A derivative that mentions its parent further on
/// ("Linux Mint 21 (Ubuntu 22.04)") has packages of its own and is none of ours.
const Distribution* leading_distribution(const std::vector<std::string>& words) {
  if (words.empty()) return nullptr;
  std::string joined;
  for (std::size_t i = 0; i < words.size() && i < 3; ++i) {
    if (i > 0) joined += ' ';
    joined += words[i];
    // "oracle linux" and "suse linux enterprise" lost their middle word above.
    if (joined == "suse enterprise") return find_distribution("sles");
    if (joined == "oracle") return find_distribution("oracle");
    if (const Distribution* found = find_distribution(joined)) return found;
  }
  return nullptr;
}

}  // namespace

std::string_view ecosystem_name(Ecosystem ecosystem) {
  switch (ecosystem) {
    case Ecosystem::unknown:
      return "";
#define ECOSYSTEM(name, scheme) \
  case Ecosystem::name:         \
    return #name;
#include "model/ecosystems.def"
#undef ECOSYSTEM
  }
  check_failed("a known ecosystem", __FILE__, __LINE__);
}

std::string_view ecosystem_scheme(Ecosystem ecosystem) {
  switch (ecosystem) {
    case Ecosystem::unknown:
      return "";
#define ECOSYSTEM(name, scheme) \
  case Ecosystem::name:         \
    return #scheme;
#include "model/ecosystems.def"
#undef ECOSYSTEM
  }
  check_failed("a known ecosystem", __FILE__, __LINE__);
}

bool is_of_distribution(Ecosystem ecosystem) {
  return ecosystem == Ecosystem::deb || ecosystem == Ecosystem::rpm ||
         ecosystem == Ecosystem::apk || ecosystem == Ecosystem::pacman;
}

Ecosystem parse_ecosystem(std::string_view text) {
  text = trim(text);
#define ECOSYSTEM(name, scheme) \
  if (equal_folded(text, #name)) return Ecosystem::name;
#include "model/ecosystems.def"
#undef ECOSYSTEM
  for (const Synonym& each : synonyms) {
    if (equal_folded(text, each.text)) return each.ecosystem;
  }
  return Ecosystem::unknown;
}

std::string canonical_package_name(Ecosystem ecosystem, std::string_view name) {
  const bool folds = ecosystem == Ecosystem::pypi || ecosystem == Ecosystem::nuget ||
                     ecosystem == Ecosystem::composer || ecosystem == Ecosystem::cargo ||
                     ecosystem == Ecosystem::go;
  if (ecosystem == Ecosystem::maven) {
    std::string whole(name);
    if (const auto slash = whole.find('/'); slash != std::string::npos) whole[slash] = ':';
    return whole;
  }
  if (!folds) return std::string(name);
  if (ecosystem == Ecosystem::pypi) name = trim(name.substr(0, name.find('[')));
  std::string folded = fold_case(name);
  if (ecosystem == Ecosystem::cargo) std::replace(folded.begin(), folded.end(), '_', '-');
  if (ecosystem != Ecosystem::pypi) return folded;
  std::string out;
  for (const char c : folded) {
    const bool separates = c == '-' || c == '_' || c == '.';
    if (!separates) {
      out += c;
    } else if (!out.ends_with('-')) {
      out += '-';
    }
  }
  return out;
}

PackageView view_of(const Package& package) {
  return {package.name,           package.version, package.vendor,
          package.ecosystem,      package.distro,  package.source_name,
          package.source_version, package.arch,    package.cpe};
}

void append_canonical(std::string& out, const PackageView& package) {
  constexpr char separator = '\x1f';
  const std::string_view source =
      package.source_name == package.name ? std::string_view() : package.source_name;
  const std::string_view source_version =
      package.source_version == package.version ? std::string_view() : package.source_version;
  const std::string_view parts[] = {
      package.name,   package.version, package.vendor, ecosystem_name(package.ecosystem),
      package.distro, source,          source_version, package.arch,
      package.cpe};
  bool first = true;
  for (const std::string_view part : parts) {
    if (!first) out.push_back(separator);
    first = false;
    out.append(part);
  }
}

std::string distro_of_os(std::string_view os_name, std::string_view os_version) {
  std::vector<std::string> words = os_words(os_name);
  const Distribution* distribution = leading_distribution(words);
  if (distribution == nullptr) return {};
  for (std::string& word : os_words(os_version)) words.push_back(std::move(word));
  if (distribution->precision == Precision::none) return std::string(distribution->name);
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (auto release = read_release(*distribution, words[i])) {
      // "15 SP5" is the release that everybody else writes 15.5.
      const bool has_pack =
          distribution->name == "sles" && i + 1 < words.size() && words[i + 1].starts_with("sp");
      if (has_pack) *release += "." + words[i + 1].substr(2);
      return std::string(distribution->name) + ":" + *release;
    }
  }
  return {};
}

std::string canonical_distro(std::string_view distro) {
  std::string folded = fold_case(trim(distro));
  const auto colon = folded.find(':');
  const std::string_view name = std::string_view(folded).substr(0, colon);
  const Distribution* distribution = find_distribution(name);
  if (distribution == nullptr) return folded;
  if (distribution->precision == Precision::none) return std::string(distribution->name);
  if (colon == std::string::npos) return folded;
  const auto release = read_release(*distribution, std::string_view(folded).substr(colon + 1));
  if (!release) return folded;
  return std::string(distribution->name) + ":" + *release;
}

}  // namespace muster::model
