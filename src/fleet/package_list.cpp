// SPDX-License-Identifier: Apache-2.0
#include "fleet/package_list.h"

#include <array>

#include "base/check.h"

namespace muster::fleet {

namespace {
constexpr char separator = '\x1f';  // unit separator: control characters never enter a member
}

void PackageList::add(const View& package) {
  model::append_canonical(text_, package);
  ends_.push_back(static_cast<std::uint32_t>(text_.size()));
}

std::string with_distro(std::string_view canonical, std::string_view distro) {
  const model::Package package = parse_canonical(canonical);
  if (!package.distro.empty() || !model::is_of_distribution(package.ecosystem)) {
    return std::string(canonical);
  }
  PackageList list;
  list.add({package.name, package.version, package.vendor, package.ecosystem, distro,
            package.source_name, package.source_version, package.arch, package.cpe});
  return std::string(list.canonical(0));
}

model::Package parse_canonical(std::string_view text) {
  std::array<std::string_view, 9> parts;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto end = text.find(separator);
    CHECK((end == std::string_view::npos) == (i + 1 == parts.size()));
    parts[i] = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  model::Package package;
  package.name = parts[0];
  package.version = parts[1];
  package.vendor = parts[2];
  package.ecosystem = model::parse_ecosystem(parts[3]);
  package.distro = parts[4];
  package.source_name = parts[5];
  package.source_version = parts[6];
  package.arch = parts[7];
  package.cpe = parts[8];
  return package;
}

}  // namespace muster::fleet
