// SPDX-License-Identifier: Apache-2.0
#include "agent/collectors/manifests.h"

#include <gtest/gtest.h>

namespace muster::agent {
namespace {

using Parse = void (*)(std::string_view, std::string_view, Found&);

/// "ecosystem name version" of each package, one a line.
std::string read(Parse parse, std::string_view text, std::string_view path = "a/b/c") {
  Found found;
  parse(text, path, found);
  std::string out;
  for (const model::Package& package : found.packages) {
    out += std::string(model::ecosystem_name(package.ecosystem)) + " " + package.name + " " +
           package.version + "\n";
  }
  if (found.malformed != 0) out += "malformed " + std::to_string(found.malformed) + "\n";
  return out;
}

TEST(PythonMetadata, NamesAreThoseOfTheIndex) {
  EXPECT_EQ(read(&parse_python_metadata,
                 "Metadata-Version: 2.1\nName: Zope.Interface\nVersion: 6.1\n"
                 "Summary: x\n\nName: in the description\nVersion: 9\n"),
            "pypi zope-interface 6.1\n");
  EXPECT_EQ(read(&parse_python_metadata, "Metadata-Version: 2.1\n"), "malformed 1\n");
}

TEST(NpmPackage, HasNameAndVersion) {
  EXPECT_EQ(read(&parse_npm_package, R"({"name": "@babel/core", "version": "7.24.0"})"),
            "npm @babel/core 7.24.0\n");
  EXPECT_EQ(read(&parse_npm_package, R"({"type": "module"})"), "");
  EXPECT_EQ(read(&parse_npm_package, R"({"name": "x", "version": 1})"), "malformed 1\n");
  EXPECT_EQ(read(&parse_npm_package, "[]"), "malformed 1\n");
  EXPECT_EQ(read(&parse_npm_package, "{"), "malformed 1\n");
}

TEST(Gemspec, IsReadAsItIsWrittenOnInstallation) {
  EXPECT_EQ(read(&parse_gemspec,
                 "# -*- encoding: utf-8 -*-\n# stub: rack 2.2.7 ruby lib\n\n"
                 "Gem::Specification.new do |s|\n  s.name = \"rack\".freeze\n"
                 "  s.version = \"2.2.7\"\n\n  s.summary = \"s.name\".freeze\nend\n"),
            "gem rack 2.2.7\n");
  EXPECT_EQ(read(&parse_gemspec, "  s.name = \"x"), "malformed 1\n");
}

TEST(CargoInstalls, AreKeysOfThreeWords) {
  EXPECT_EQ(read(&parse_cargo_installs,
                 R"j({"installs": {"ripgrep 14.1.0 (registry+x)": {"bins": []}, "broken": {}}})j"),
            "cargo ripgrep 14.1.0\nmalformed 1\n");
}

TEST(Snap, TopLevelMembersOnly) {
  EXPECT_EQ(read(&parse_snap,
                 "name: firefox\nversion: '126.0-2' # quoted\napps:\n  firefox:\n    name: no\n"),
            "generic firefox 126.0-2\n");
}

TEST(Metainfo, TheFirstReleaseIsTheNewest) {
  EXPECT_EQ(read(&parse_metainfo,
                 "<?xml version=\"1.0\"?>\n<component><id>org.gimp.GIMP</id>\n<releases>"
                 "<release date=\"2024-05-05\" version=\"2.10.38\"/>"
                 "<release version=\"2.10.36\"/></releases></component>"),
            "generic org.gimp.GIMP 2.10.38\n");
  // As older files and those with a line for each attribute have it.
  EXPECT_EQ(read(&parse_metainfo,
                 "<application><id type=\"desktop\">org.x.App.desktop</id><releases>"
                 "<release\n    version='1.4'\n    timestamp=\"1\"/></releases></application>"),
            "generic org.x.App.desktop 1.4\n");
  EXPECT_EQ(read(&parse_metainfo, "<id>x</id><release "), "malformed 1\n");
  EXPECT_EQ(read(&parse_metainfo, "<id>x</id><releases version=\"1\">"), "malformed 1\n");
}

TEST(Extensions, OfEditorsAndBrowsers) {
  EXPECT_EQ(read(&parse_editor_extension,
                 R"({"name": "Python", "publisher": "ms-python", "version": "2024.6.0"})"),
            "other ms-python.python 2024.6.0\n");
  EXPECT_EQ(read(&parse_chromium_extension, R"({"name": "__MSG_appName__", "version": "1.2"})",
                 "home/u/.config/chromium/Default/Extensions/cjpalhdlnbpafi/1.2_0/manifest.json"),
            "other cjpalhdlnbpafi 1.2\n");
  EXPECT_EQ(read(&parse_firefox_extensions,
                 R"({"addons": [
      {"id": "a@b", "type": "extension", "location": "app-profile", "version": "1.58",
       "defaultLocale": {"name": "uBlock Origin"}},
      {"id": "c@d", "type": "extension", "location": "app-builtin", "version": "1"},
      {"id": "t@d", "type": "theme", "location": "app-profile", "version": "1"}]})"),
            "other uBlock Origin 1.58\n");
}

TEST(Manifests, HostileTextIsCountedNotTaken) {
  const std::string control = "Name: a\tb\nVersion: 1\n";
  EXPECT_EQ(read(&parse_python_metadata, control), "malformed 1\n");
  const std::string longer = "Name: " + std::string(5000, 'x') + "\nVersion: 1\n";
  EXPECT_EQ(read(&parse_python_metadata, longer), "malformed 1\n");
  EXPECT_EQ(read(&parse_npm_package, std::string(100'000, '[')), "malformed 1\n");
  EXPECT_EQ(read(&parse_firefox_extensions, R"({"addons": "none"})"), "malformed 1\n");
  EXPECT_EQ(read(&parse_firefox_extensions, R"({"addons": [7, null, {"location": 1}]})"), "");
  EXPECT_EQ(read(&parse_cargo_installs, R"({"installs": ["ripgrep 14.1.0 registry"]
})"),
            "malformed 1\n");
}

}  // namespace
}  // namespace muster::agent
