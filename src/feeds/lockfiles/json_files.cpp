// SPDX-License-Identifier: Apache-2.0
// Lock files that are JSON: npm's, Pipenv's, Composer's and NuGet's.
#include <set>

#include "feeds/lockfiles/readers.h"

namespace muster::feeds::lockfiles {

namespace {

/// What npm asks for in the project's own package.json, by the names that it uses.
constexpr std::string_view npm_dependencies[] = {"dependencies", "devDependencies",
                                                 "optionalDependencies", "peerDependencies"};

/// A version of npm's that is one, and no address, tag or folder.
bool is_npm_version(std::string_view version) {
  return version.find_first_of(":/") == std::string_view::npos;
}

void add_npm(Pins& pins, std::string_view name, std::string_view version, bool direct) {
  if (is_npm_version(version)) {
    pins.add(name, version, direct);
  } else {
    pins.skip();
  }
}

/// Version 1: a tree of `dependencies`. Which of the first level the project asks for itself is not
/// said.
void take_npm_tree(const Json& node, Pins& pins) {
  const auto children = node.find("dependencies");
  if (!children) return;
  children->for_each_member([&](std::string_view name, const Json& child) {
    std::string_view version = text_of(child, "version");
    // An alias: "npm:other@1.2.3".
    if (version.starts_with("npm:")) {
      version.remove_prefix(4);
      const std::size_t at = version.rfind('@');
      name = version.substr(0, at);
      version = at == std::string_view::npos ? std::string_view() : version.substr(at + 1);
    }
    add_npm(pins, name, version, false);
    take_npm_tree(child, pins);
  });
}

/// Versions 2 and 3: `packages` by the folder that each is in.
void take_npm_folders(const Json& packages, Pins& pins) {
  constexpr std::string_view folder = "node_modules/";
  std::set<std::string_view> wanted;
  packages.for_each_member([&](std::string_view path, const Json& package) {
    // The project, and the workspaces in it.
    if (path.find(folder) != std::string_view::npos) return;
    for (const std::string_view kind : npm_dependencies) {
      const auto names = package.find(kind);
      if (!names) continue;
      names->for_each_member([&](std::string_view name, const Json&) { wanted.insert(name); });
    }
  });
  packages.for_each_member([&](std::string_view path, const Json& package) {
    const std::size_t at = path.rfind(folder);
    const auto link = package.find("link");
    if (at == std::string_view::npos || (link && link->boolean() == true)) return;
    const std::string_view installed_as = path.substr(at + folder.size());
    const std::string_view own_name = text_of(package, "name");  // only of an alias
    const bool direct = at == 0 && wanted.contains(installed_as);
    add_npm(pins, own_name.empty() ? installed_as : own_name, text_of(package, "version"), direct);
  });
}

}  // namespace

// https://docs.npmjs.com/cli/v10/configuring-npm/package-lock-json
Result<void> read_package_lock(std::string_view content, Pins& pins) {
  JsonDocument document;
  const Json lock = TRY(parse_object(document, content));
  const auto packages = lock.find("packages");
  if (packages && packages->is_object()) {
    take_npm_folders(*packages, pins);
  } else {
    take_npm_tree(lock, pins);
  }
  return {};
}

// https://pipenv.pypa.io/en/latest/pipfile.html
Result<void> read_pipfile_lock(std::string_view content, Pins& pins) {
  JsonDocument document;
  const Json lock = TRY(parse_object(document, content));
  for (const std::string_view section : {"default", "develop"}) {
    const auto packages = lock.find(section);
    if (!packages) continue;
    packages->for_each_member([&](std::string_view name, const Json& package) {
      std::string_view version = text_of(package, "version");
      if (!version.starts_with("==")) return pins.skip();
      version.remove_prefix(version.starts_with("===") ? 3 : 2);
      // Pipenv names the index of what the Pipfile asks for.
      pins.add(name, version, package.find("index").has_value());
    });
  }
  return {};
}

// https://getcomposer.org/doc/01-basic-usage.md#composer-lock-the-lock-file
Result<void> read_composer_lock(std::string_view content, Pins& pins) {
  JsonDocument document;
  const Json lock = TRY(parse_object(document, content));
  for (const std::string_view section : {"packages", "packages-dev"}) {
    const auto packages = lock.find(section);
    if (!packages || !packages->is_array()) continue;
    packages->for_each([&](const Json& package) {
      pins.add(text_of(package, "name"), text_of(package, "version"), false);
    });
  }
  return {};
}

// https://learn.microsoft.com/nuget/consume-packages/package-references-in-project-files
Result<void> read_packages_lock(std::string_view content, Pins& pins) {
  JsonDocument document;
  const Json lock = TRY(parse_object(document, content));
  const auto frameworks = lock.find("dependencies");
  if (!frameworks) return {};
  frameworks->for_each_member([&](std::string_view, const Json& packages) {
    packages.for_each_member([&](std::string_view name, const Json& package) {
      const std::string_view type = text_of(package, "type");
      if (type == "Project") return;  // another project of the same solution
      pins.add(name, text_of(package, "resolved"), type == "Direct");
    });
  });
  return {};
}

}  // namespace muster::feeds::lockfiles
