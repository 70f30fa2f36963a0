// SPDX-License-Identifier: Apache-2.0
#include "vuln/source_package.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "vuln/debian_sources.h"

namespace muster::vuln {

namespace {

using model::Ecosystem;
using model::Package;

constexpr std::string_view digits = "0123456789";

/// Releases whose binary names debian_sources.def knows.
bool has_source_table(std::string_view distro) {
  static constexpr std::string_view known[] = {"debian:7",  "debian:8",  "debian:9",
                                               "debian:10", "debian:11", "debian:12"};
  return std::find(std::begin(known), std::end(known), distro) != std::end(known);
}

/// "libssl3t64": hardly any library's source package is called like the binary with its number.
bool looks_like_library(std::string_view name) {
  return name.starts_with("lib") && name.find_first_of(digits) != std::string_view::npos;
}

/// Without "+b1", which a rebuild adds to the binary's version and the source does not have.
std::string_view without_rebuild(std::string_view version) {
  const auto plus = version.rfind("+b");
  if (plus == std::string_view::npos || plus + 2 == version.size()) return version;
  const bool number = version.find_first_not_of(digits, plus + 2) == std::string_view::npos;
  return number ? version.substr(0, plus) : version;
}

/// dpkg qualifies a name by its architecture where several are installed: "libc6:amd64".
std::string_view without_architecture(std::string_view name) {
  return name.substr(0, name.find(':'));
}

/// yum and dnf list every rpm so: "openssl-libs.x86_64".
std::string_view without_rpm_architecture(std::string_view name) {
  static constexpr std::string_view architectures[] = {".x86_64",  ".noarch", ".i686", ".aarch64",
                                                       ".ppc64le", ".s390x",  ".i386", ".armv7hl"};
  for (const std::string_view each : architectures) {
    if (name.ends_with(each)) return name.substr(0, name.size() - each.size());
  }
  return name;
}

constexpr std::string_view signed_architectures[] = {"-amd64", "-arm64", "-i386", "-armhf",
                                                     "-ia32"};

/// "linux-signed-amd64" (Debian) -> "linux", "linux-signed-hwe-6.5" (Ubuntu) -> "linux-hwe-6.5".
std::optional<std::string> kernel_of_signer(std::string_view source) {
  constexpr std::string_view signer = "linux-signed";
  if (!source.starts_with(signer)) return std::nullopt;
  std::string_view flavour = source.substr(signer.size());
  if (!flavour.empty() && flavour.front() != '-') return std::nullopt;
  for (const std::string_view architecture : signed_architectures) {
    if (flavour.ends_with(architecture)) flavour.remove_suffix(architecture.size());
  }
  return std::string("linux").append(flavour);
}

/// "grub-efi-amd64-signed": the version is the signed one's in another spelling.
bool signs_another(std::string_view source) {
  constexpr std::string_view mark = "-signed";
  if (!source.ends_with(mark)) return false;
  source.remove_suffix(mark.size());
  return std::any_of(std::begin(signed_architectures), std::end(signed_architectures),
                     [&](std::string_view each) { return source.ends_with(each); });
}

/// "linux-image-6.1.0-18-amd64", and what else has the kernel's number in its name.
bool is_of_kernel(std::string_view name) {
  for (const std::string_view kind : {"linux-image-", "linux-modules-", "linux-headers-"}) {
    if (name.starts_with(kind) && name.size() > kind.size() && is_digit(name[kind.size()])) {
      return true;
    }
  }
  return false;
}

/// "6.12.57-1" -> "linux-6.12": what a release calls a kernel that is newer than its own.
std::string newer_kernel(std::string_view version) {
  const auto dot = version.find('.');
  const auto end = version.find_first_not_of(digits, std::min(dot, version.size() - 1) + 1);
  return "linux-" + std::string(version.substr(0, end));
}

/// Whether a distribution's bulletins list the packages that were built, by their own names. The
/// others' (Rocky Linux, SUSE) name what they were built from.
bool lists_built_packages(std::string_view distro) {
  return distro.starts_with("almalinux:") || distro.starts_with("rhel:");
}

/// Alpine builds "musl-utils" from "musl": such a name may be a part of what has advisories.
bool may_be_a_part(const Index& index, const Package& package, std::string_view distro) {
  std::string_view whole = without_architecture(package.name);
  for (auto dash = whole.rfind('-'); dash != std::string_view::npos; dash = whole.rfind('-')) {
    whole = whole.substr(0, dash);
    if (!index.find(package.ecosystem, distro, whole).empty()) return true;
  }
  return false;
}

/// Of a deb whose source was not reported.
std::variant<SourcePackage, Reason> guess_debian_source(const Index& index, const Package& package,
                                                        std::string_view distro,
                                                        std::string_view version) {
  const std::string_view name = without_architecture(package.name);
  version = without_rebuild(version);
  const auto is_known = [&](std::string_view source) {
    return !index.find(package.ecosystem, distro, source).empty();
  };
  if (is_of_kernel(name) && !is_known(name)) {
    // Ubuntu has a kernel for each cloud, and their images' names do not tell which.
    if (!distro.starts_with("debian:") || version.empty()) return Reason::source_unknown;
    const std::string newer = newer_kernel(version);
    return SourcePackage{is_known(newer) ? newer : "linux", version};
  }
  if (has_source_table(distro)) {
    if (const auto source = debian_source_of(name)) {
      if (source->empty()) return Reason::source_unknown;
      return SourcePackage{std::string(*source), version};
    }
  }
  const bool may_be_built_from_another =
      looks_like_library(name) ||
      (!has_source_table(distro) && may_be_a_part(index, package, distro));
  if (may_be_built_from_another && !is_known(name)) return Reason::source_unknown;
  return SourcePackage{std::string(name), version};
}

/// A package that nobody named the source of is its own only where the bulletins list what was
/// built, or name it: "openssl-libs" has the flaws of a bulletin about "openssl".
std::variant<SourcePackage, Reason> find_rpm_source(const Index& index, const Package& package,
                                                    std::string_view distro) {
  const auto is_known = [&](std::string_view name) {
    return !index.find(package.ecosystem, distro, name).empty();
  };
  const std::string_view name = without_rpm_architecture(package.name);
  const bool built = lists_built_packages(distro);
  const bool by_source = !package.source_name.empty() &&
                         !(is_known(name) && (built || !is_known(package.source_name)));
  if (by_source) {
    return SourcePackage{package.source_name, package.source_version.empty()
                                                  ? std::string_view(package.version)
                                                  : package.source_version};
  }
  if (!built && !is_known(name)) return Reason::source_unknown;
  return SourcePackage{std::string(name), package.version};
}

}  // namespace

std::variant<SourcePackage, Reason> find_source_package(const Index& index, const Package& package,
                                                        std::string_view distro) {
  const auto is_known = [&](std::string_view name) {
    return !index.find(package.ecosystem, distro, name).empty();
  };
  if (package.ecosystem == Ecosystem::rpm) return find_rpm_source(index, package, distro);
  const std::string_view version =
      package.source_version.empty() ? package.version : package.source_version;
  if (package.source_name.empty()) {
    if (package.ecosystem == Ecosystem::deb) {
      return guess_debian_source(index, package, distro, version);
    }
    const bool built_from_another =
        package.ecosystem == Ecosystem::apk && !is_known(package.name) &&
        (looks_like_library(package.name) || may_be_a_part(index, package, distro));
    if (built_from_another) return Reason::source_unknown;
    return SourcePackage{package.name, version};
  }
  if (package.ecosystem == Ecosystem::deb) {
    auto kernel = kernel_of_signer(package.source_name);
    if (kernel && !is_known(package.source_name)) {
      return SourcePackage{*std::move(kernel), without_rebuild(package.version)};
    }
    if (signs_another(package.source_name) && !is_known(package.source_name)) {
      return Reason::source_unknown;
    }
  }
  return SourcePackage{package.source_name, package.source_version.empty()
                                                ? without_rebuild(package.version)
                                                : package.source_version};
}

std::vector<std::string> source_package_names(const Package& package) {
  std::vector<std::string> names = {package.name, package.source_name};
  if (package.ecosystem == Ecosystem::deb) {
    const std::string_view name = without_architecture(package.name);
    names.emplace_back(name);
    names.emplace_back(debian_source_of(name).value_or(""));
    names.push_back(kernel_of_signer(package.source_name).value_or(""));
    if (is_of_kernel(name) && !package.version.empty()) {
      names.emplace_back("linux");
      for (const std::string& version : {package.version, package.source_version}) {
        if (!version.empty()) names.push_back(newer_kernel(version));
      }
    }
  }
  if (package.ecosystem == Ecosystem::rpm) {
    names.emplace_back(without_rpm_architecture(package.name));
  } else if (package.source_name.empty()) {
    const std::string_view name = without_architecture(package.name);
    for (auto dash = name.rfind('-'); dash != std::string_view::npos && dash > 0;
         dash = name.rfind('-', dash - 1)) {
      names.emplace_back(name.substr(0, dash));
    }
  }
  std::erase(names, "");
  return names;
}

}  // namespace muster::vuln
