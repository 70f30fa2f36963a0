// SPDX-License-Identifier: Apache-2.0
#include "vuln/surroundings.h"

#include <algorithm>

#include "base/check.h"
#include "base/text.h"

namespace muster::vuln {

namespace {

using model::Cpe;
using model::CpeAttribute;

struct WindowsBuild {
  std::string_view build;
  std::string_view client;  // CPE product
  std::string_view server;
};

/// https://learn.microsoft.com/windows/release-health/release-information, and the names of the CPE
/// dictionary.
constexpr WindowsBuild windows_builds[] = {
    {"7601", "windows_7", "windows_server_2008"},
    {"9200", "windows_8", "windows_server_2012"},
    {"9600", "windows_8.1", "windows_server_2012"},
    {"10240", "windows_10_1507", ""},
    {"10586", "windows_10_1511", ""},
    {"14393", "windows_10_1607", "windows_server_2016"},
    {"15063", "windows_10_1703", ""},
    {"16299", "windows_10_1709", ""},
    {"17134", "windows_10_1803", ""},
    {"17763", "windows_10_1809", "windows_server_2019"},
    {"18362", "windows_10_1903", ""},
    {"18363", "windows_10_1909", ""},
    {"19041", "windows_10_2004", ""},
    {"19042", "windows_10_20h2", ""},
    {"19043", "windows_10_21h1", ""},
    {"19044", "windows_10_21h2", ""},
    {"19045", "windows_10_22h2", ""},
    {"20348", "", "windows_server_2022"},
    {"22000", "windows_11_21h2", ""},
    {"22621", "windows_11_22h2", ""},
    {"22631", "windows_11_23h2", ""},
    {"25398", "", "windows_server_2022_23h2"},
    {"26100", "windows_11_24h2", "windows_server_2025"},
    {"26200", "windows_11_25h2", ""},
};

struct DistributionName {
  std::string_view distro;
  std::string_view vendor;
  std::string_view product;
};

constexpr DistributionName distribution_names[] = {
    {"debian", "debian", "debian_linux"},
    {"ubuntu", "canonical", "ubuntu_linux"},
    {"alpine", "alpinelinux", "alpine_linux"},
    {"rhel", "redhat", "enterprise_linux"},
    {"centos", "centos", "centos"},
    {"almalinux", "almalinux", "almalinux"},
    {"rocky", "rocky", "linux"},
    {"oracle", "oracle", "linux"},
    {"amazon", "amazon", "linux"},
    {"fedora", "fedoraproject", "fedora"},
    {"sles", "suse", "linux_enterprise_server"},
    {"opensuse-leap", "opensuse", "leap"},
    {"opensuse-tumbleweed", "opensuse", "tumbleweed"},
    {"arch", "archlinux", "arch_linux"},
};

Product system_named(std::string_view vendor, std::string_view product, std::string_view version) {
  Product out;
  out.name[CpeAttribute::part] = "o";
  out.name[CpeAttribute::vendor] = vendor;
  out.name[CpeAttribute::product] = product;
  out.version.whole = out.version.base = version;
  out.scheme = version::parse_scheme("generic");
  return out;
}

bool contains(std::string_view text, std::string_view word) {
  return text.find(word) != std::string_view::npos;
}

/// "10.0.19045.4046" and "19045" -> "19045".
std::string_view build_of(std::string_view version) {
  for (const std::string_view kernel : {"10.0.", "6.1.", "6.2.", "6.3."}) {
    if (version.starts_with(kernel)) version.remove_prefix(kernel.size());
  }
  return version.substr(0, version.find_first_of(". ("));
}

std::vector<Product> windows_systems(std::string_view name, std::string_view version) {
  std::vector<Product> systems{system_named("microsoft", "windows", "")};
  const bool server = contains(name, "server");
  const auto known =
      std::find_if(std::begin(windows_builds), std::end(windows_builds),
                   [&](const WindowsBuild& each) { return each.build == build_of(version); });
  if (known != std::end(windows_builds)) {
    const std::string_view product = server ? known->server : known->client;
    // NVD numbers the releases since 10 by their builds, and older ones not at all.
    const bool by_build = version.starts_with("10.0.");
    if (!product.empty())
      systems.push_back(system_named("microsoft", product, by_build ? version : ""));
  }
  // Advisories that are about all of its releases name the system without one.
  const std::string release = systems.back().name[CpeAttribute::product];
  for (const std::string_view each : {"windows_10", "windows_11", "windows_7", "windows_8"}) {
    std::string spaced(each);
    spaced[spaced.find('_')] = ' ';
    const bool is_release =
        release.size() > each.size() && release.starts_with(each) && release[each.size()] == '_';
    if (contains(name, spaced) || is_release) {
      systems.push_back(system_named("microsoft", each, ""));
    }
  }
  return systems;
}

std::vector<Product> linux_systems(std::string_view distro) {
  std::vector<Product> systems{system_named("linux", "linux_kernel", "")};
  const auto colon = std::min(distro.find(':'), distro.size());
  for (const DistributionName& each : distribution_names) {
    if (each.distro != distro.substr(0, colon)) continue;
    systems.push_back(
        system_named(each.vendor, each.product, distro.substr(std::min(colon + 1, distro.size()))));
  }
  return systems;
}

bool is_linux(std::string_view name) {
  return contains(name, "linux") || contains(name, "ubuntu") || contains(name, "debian") ||
         contains(name, "fedora") || contains(name, "centos") || contains(name, "red hat") ||
         contains(name, "suse");
}

std::string key_of(std::string_view vendor, std::string_view product) {
  return std::string(vendor).append(":").append(product);
}

void set_version(Product& product, ProductVersion version) {
  if (!product.scheme) return;
  if (!version::validate(*product.scheme, version.whole).ok()) return;
  product.version = std::move(version);
}

/// That there is no version, and the update that a name states none the less:
/// "cpe:2.3:o:microsoft:windows_7:-:sp1".
ProductVersion no_version(const Cpe& name) {
  ProductVersion version{"-", "-", {}};
  const std::string& update = name[CpeAttribute::update];
  if (model::is_literal_cpe_value(update)) {
    version.update = normalise_cpe_update(model::unescape_cpe_value(update));
  }
  return version;
}

/// A version and an update that the name itself states: "cpe:2.3:a:openbsd:openssh:9.3:p2".
ProductVersion stated_version(const Cpe& name) {
  const std::string version = model::unescape_cpe_value(name[CpeAttribute::version]);
  const std::string& update = name[CpeAttribute::update];
  if (!model::is_literal_cpe_value(update)) return split_product_version(name, version);
  return join_product_version(name, version, model::unescape_cpe_value(update));
}

}  // namespace

std::vector<Product> products_of(const model::Package& package, const CpeIndex& index) {
  std::vector<Product> products;
  ProductNames names = find_product_names(package, index);
  if (!names.main) return products;
  products.reserve(1 + names.others.size());
  const auto add = [&](Cpe&& name) {
    Product& product = products.emplace_back();
    product.name = std::move(name);
    product.ecosystem = package.ecosystem;
    product.source = names.source;
    product.scheme = product_scheme(product.name, package.ecosystem);
    // The whole text if the scheme can read it ("10 SP2", "RELEASE.2024-06-26T01-06-18Z"), else the
    // version that identify() found in it.
    if (!names.states_version && !package.version.empty()) {
      set_version(product, split_product_version(product.name, package.version));
    }
    const std::string& stated = product.name[CpeAttribute::version];
    if (product.version.whole.empty() && model::is_literal_cpe_value(stated)) {
      set_version(product, stated_version(product.name));
    } else if (product.scheme && package.version.empty() && stated == "-") {
      product.version = no_version(product.name);
    }
  };
  add(*std::move(names.main));
  for (const CpeName& other : names.others) {
    Cpe name = products.front().name;
    name[CpeAttribute::vendor] = other.vendor;
    name[CpeAttribute::product] = other.product;
    add(std::move(name));
    // An extended support release has advisories under the product's own name too, but only those
    // that say so are about it.
    const bool esr = products.front().name[CpeAttribute::product].ends_with("_esr");
    if (esr && !other.product.ends_with("_esr")) {
      products.back().name[CpeAttribute::sw_edition] = "esr";
      products.back().edition_only = true;
    }
  }
  return products;
}

Surroundings::Surroundings(std::string_view os_name, std::string_view os_version,
                           const std::vector<model::Package>& packages, const CpeIndex& index)
    : knows_software_(true) {
  const std::string name = fold_case(os_name);
  const std::string version(trim(os_version));
  if (contains(name, "windows")) {
    family_ = SystemFamily::windows;
    systems_ = windows_systems(name, version);
    release_known_ = systems_.size() > 1;
  } else if (contains(name, "macos") || contains(name, "mac os") || contains(name, "os x") ||
             name == "darwin") {
    family_ = SystemFamily::macos;
    systems_ = {system_named("apple", "macos", version),
                system_named("apple", "mac_os_x", version)};
  } else if (const std::string distro = model::distro_of_os(os_name, os_version);
             !distro.empty() || is_linux(name)) {
    family_ = SystemFamily::linux_kernel;
    systems_ = linux_systems(distro);
    release_known_ = systems_.size() > 1;
  }
  for (const model::Package& package : packages) {
    for (Product& product : products_of(package, index)) {
      std::string key =
          key_of(product.name[CpeAttribute::vendor], product.name[CpeAttribute::product]);
      software_[std::move(key)].push_back(std::move(product));
    }
  }
}

bool Surroundings::may_be_system(std::string_view vendor, std::string_view product) const {
  switch (family_) {
    case SystemFamily::unknown:
      return true;
    case SystemFamily::windows:
      return !release_known_ && vendor == "microsoft" && product.starts_with("windows");
    case SystemFamily::linux_kernel:
      return !release_known_ && vendor != "microsoft" && vendor != "apple";
    case SystemFamily::macos:
      return false;
  }
  check_failed("a known family", __FILE__, __LINE__);
}

const std::vector<Product>& Surroundings::software(std::string_view vendor,
                                                   std::string_view product) const {
  static const std::vector<Product> none;
  const auto found = software_.find(key_of(vendor, product));
  return found == software_.end() ? none : found->second;
}

}  // namespace muster::vuln
