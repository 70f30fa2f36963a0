// SPDX-License-Identifier: Apache-2.0
#include "feeds/osv/ecosystem.h"

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
    {"Hex", Ecosystem::hex},
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
    {"openSUSE:Leap ", Ecosystem::rpm, "opensuse-leap"},
};

struct Rolling {
  std::string_view name;
  Ecosystem ecosystem;
  std::string_view distro;
};

/// Distributions without releases.
constexpr Rolling rolling[] = {
    {"Wolfi", Ecosystem::apk, "wolfi"},
    {"Chainguard", Ecosystem::apk, "chainguard"},
    {"openSUSE:Tumbleweed", Ecosystem::rpm, "opensuse-tumbleweed"},
};

/// What SUSE's bulletins call the parts of the enterprise server. Since version 15 hardly a package
/// is of the server itself: the rest are of modules and extensions that all of its releases have.
constexpr std::string_view suse_parts[] = {
    "Server ",
    "Server for SAP Applications ",
    "Desktop ",
    "High Performance Computing ",
    "High Availability Extension ",
    "Live Patching ",
    "Software Development Kit ",
    "Workstation Extension ",
};

/// "22.04" of "22.04:LTS", "9" of "9::appstream"; empty for anything else.
std::string release_of(std::string_view text) {
  if (text.starts_with('v')) text.remove_prefix(1);
  const auto end = text.find_first_not_of("0123456789.");
  std::string release(text.substr(0, end));
  if (end == std::string_view::npos) return release;
  const std::string_view rest = text.substr(end);
  const bool known = rest == ":LTS" || rest.starts_with("::");
  return known ? release : std::string();
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// "15.5" of "15 SP5", "12" of "12"; empty for anything else.
std::string suse_release_of(std::string_view text) {
  const auto space = text.find(' ');
  std::string release(text.substr(0, space));
  if (!is_number(release)) return {};
  if (space == std::string_view::npos) return release;
  const std::string_view pack = text.substr(space + 1);
  if (!pack.starts_with("SP") || !is_number(pack.substr(2))) return {};
  return release.append(".").append(pack.substr(2));
}

/// The release of the server that a part is of: "Module for Python 3 15 SP5" -> "15.5".
std::string suse_server_release(std::string_view part) {
  for (const std::string_view each : suse_parts) {
    if (!part.starts_with(each)) continue;
    if (auto release = suse_release_of(part.substr(each.size())); !release.empty()) return release;
  }
  if (!part.starts_with("Module for ")) return {};
  // Names of modules may have numbers in them: the release is the last that can be read.
  const auto last = part.rfind(' ');
  const auto words = part.substr(last + 1).starts_with("SP") ? part.rfind(' ', last - 1) : last;
  return suse_release_of(part.substr(words + 1));
}

}  // namespace

std::optional<OsvEcosystem> read_osv_ecosystem(std::string_view text) {
  constexpr std::string_view pro = "Ubuntu:Pro:";
  if (text.starts_with(pro)) {
    auto release = read_osv_ecosystem("Ubuntu:" + std::string(text.substr(pro.size())));
    if (release) release->subscription = true;
    return release;
  }
  constexpr std::string_view suse = "SUSE:Linux Enterprise ";
  if (text.starts_with(suse)) {
    const std::string release = suse_server_release(text.substr(suse.size()));
    if (release.empty()) return std::nullopt;
    return OsvEcosystem{Ecosystem::rpm, model::canonical_distro("sles:" + release)};
  }
  for (const Distribution& each : distributions) {
    if (!text.starts_with(each.prefix)) continue;
    const std::string release = release_of(text.substr(each.prefix.size()));
    if (release.empty()) return std::nullopt;
    return OsvEcosystem{each.ecosystem,
                        model::canonical_distro(std::string(each.name) + ":" + release)};
  }
  for (const Rolling& each : rolling) {
    if (text == each.name) return OsvEcosystem{each.ecosystem, std::string(each.distro)};
  }
  // A suffix of a registry names a mirror ("Maven:https://…").
  const std::string_view registry = text.substr(0, text.find(':'));
  for (const Registry& each : registries) {
    if (registry == each.name) return OsvEcosystem{each.ecosystem, {}};
  }
  return std::nullopt;
}

}  // namespace muster::feeds
