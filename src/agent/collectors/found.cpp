// SPDX-License-Identifier: Apache-2.0
#include "agent/collectors/found.h"

#include "base/limits.h"
#include "base/text.h"

namespace muster::agent {

namespace {

bool usable(std::string_view text, std::size_t bytes_max) {
  return text.size() <= bytes_max && is_plain_text(text);
}

}  // namespace

void Found::add(model::Package package) {
  if (package.name.empty() || package.version.empty() ||
      !usable(package.name, limits::name_bytes) ||
      !usable(package.version, limits::version_bytes) ||
      !usable(package.source_name, limits::name_bytes) ||
      !usable(package.source_version, limits::version_bytes) ||
      !usable(package.arch, limits::name_bytes)) {
    ++malformed;
  } else if (packages.size() >= limits::software_items) {
    ++beyond_limit;
  } else {
    packages.push_back(std::move(package));
  }
}

void Found::add(model::Ecosystem ecosystem, std::string_view name, std::string_view version) {
  model::Package package;
  package.ecosystem = ecosystem;
  package.name = trim(name);
  package.version = trim(version);
  add(std::move(package));
}

}  // namespace muster::agent
