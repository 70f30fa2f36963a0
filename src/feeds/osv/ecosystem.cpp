// SPDX-License-Identifier: Apache-2.0
#include "feeds/osv/ecosystem.h"

#include "base/text.h"

namespace muster::feeds {

namespace {

using model::Ecosystem;

struct Registry {
  std::string_view name;
  Ecosystem ecosystem;
};

constexpr Registry registries[] = {
    {"PyPI", Ecosystem::pypi},    {"npm", Ecosystem::npm},
    {"Go", Ecosystem::go},        {"crates.io", Ecosystem::cargo},
    {"Maven", Ecosystem::maven},  {"NuGet", Ecosystem::nuget},
    {"RubyGems", Ecosystem::gem}, {"Packagist", Ecosystem::composer},
};

struct Distribution {
  std::string_view prefix;  // what the release follows
  Ecosystem ecosystem;
  std::string_view name;  // ours
};

constexpr Distribution distributions[] = {
    {"Debian:", Ecosystem::deb, "debian"},
    {"Ubuntu:", Ecosystem::deb, "ubuntu"},
    {"Alpine:", Ecosystem::apk, "alpine"},
    {"AlmaLinux:", Ecosystem::rpm, "almalinux"},
    {"Rocky Linux:", Ecosystem::rpm, "rocky"},
    {"Red Hat:enterprise_linux:", Ecosystem::rpm, "rhel"},
    {"SUSE:Linux Enterprise Server ", Ecosystem::rpm, "sles"},
    {"openSUSE:Leap ", Ecosystem::rpm, "opensuse-leap"},
};

/// Distributions without releases.
constexpr Registry rolling[] = {{"Wolfi", Ecosystem::apk}, {"Chainguard", Ecosystem::apk}};

/// "22.04" of "22.04:LTS", "9" of "9::appstream", "15.5" of "15 SP5"; empty for anything else.
std::string release_of(std::string_view text) {
  if (text.starts_with('v')) text.remove_prefix(1);
  const auto end = text.find_first_not_of("0123456789.");
  std::string release(text.substr(0, end));
  if (end == std::string_view::npos) return release;
  std::string_view rest = text.substr(end);
  if (rest.starts_with(" SP")) {
    rest.remove_prefix(3);
    if (rest.find_first_not_of("0123456789") != std::string_view::npos) return {};
    return release + "." + std::string(rest);
  }
  const bool known = rest == ":LTS" || rest.starts_with("::");
  return known ? release : std::string();
}

}  // namespace

std::optional<OsvEcosystem> read_osv_ecosystem(std::string_view text) {
  for (const Distribution& each : distributions) {
    if (!text.starts_with(each.prefix)) continue;
    const std::string release = release_of(text.substr(each.prefix.size()));
    if (release.empty()) return std::nullopt;
    return OsvEcosystem{each.ecosystem,
                        model::canonical_distro(std::string(each.name) + ":" + release)};
  }
  for (const Registry& each : rolling) {
    if (text == each.name) return OsvEcosystem{each.ecosystem, fold_case(each.name)};
  }
  // A suffix of a registry names a mirror ("Maven:https://…").
  const std::string_view registry = text.substr(0, text.find(':'));
  for (const Registry& each : registries) {
    if (registry == each.name) return OsvEcosystem{each.ecosystem, {}};
  }
  return std::nullopt;
}

}  // namespace muster::feeds
