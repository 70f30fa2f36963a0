// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "agent/collectors/found.h"

namespace muster::agent {

/// What one piece of software says of itself, in the file that its packager puts beside it. Each
/// function reads one whole file that stands at `path` (relative, for what only the path says);
/// what cannot be read is counted; none fails.

/// *.dist-info/METADATA and *.egg-info/PKG-INFO (core metadata, PEP 566): Name and Version.
void parse_python_metadata(std::string_view text, std::string_view path, Found& found);
/// package.json of npm.
void parse_npm_package(std::string_view text, std::string_view path, Found& found);
/// *.gemspec as RubyGems writes it on installation: s.name and s.version.
void parse_gemspec(std::string_view text, std::string_view path, Found& found);
/// .crates2.json of `cargo install`: "name version (source)" each.
void parse_cargo_installs(std::string_view text, std::string_view path, Found& found);
/// meta/snap.yaml: the top-level name and version.
void parse_snap(std::string_view text, std::string_view path, Found& found);
/// AppStream metainfo of a Flatpak: <id> and the newest <release version="…">.
void parse_metainfo(std::string_view text, std::string_view path, Found& found);
/// package.json of a VS Code extension: "publisher.name".
void parse_editor_extension(std::string_view text, std::string_view path, Found& found);
/// manifest.json of an extension of Chromium and its like, at Extensions/<id>/<version>/.
void parse_chromium_extension(std::string_view text, std::string_view path, Found& found);
/// extensions.json of a Firefox profile: its add-ons that are no part of Firefox itself.
void parse_firefox_extensions(std::string_view text, std::string_view path, Found& found);

}  // namespace muster::agent
