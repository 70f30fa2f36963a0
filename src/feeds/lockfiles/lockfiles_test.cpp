// SPDX-License-Identifier: Apache-2.0
#include "feeds/lockfiles/lockfiles.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace muster::feeds {
namespace {

/// "name version", with a star for what the project asks for itself.
std::vector<std::string> pins(std::string_view filename, std::string_view content,
                              std::size_t skipped = 0) {
  const auto lockfile = read_lockfile(filename, content);
  EXPECT_TRUE(lockfile.ok()) << lockfile.error().message;
  if (!lockfile.ok()) return {};
  EXPECT_EQ(lockfile->skipped, skipped);
  std::vector<std::string> out;
  for (const LockedPackage& package : lockfile->packages) {
    out.push_back(package.name + " " + package.version + (package.direct ? "*" : ""));
  }
  return out;
}

using Pins = std::vector<std::string>;

TEST(PackageLock, VersionThreeNamesFoldersAndWhatTheProjectAsksFor) {
  EXPECT_EQ(pins("package-lock.json", R"({
    "name": "app", "lockfileVersion": 3, "packages": {
      "": {"name": "app", "dependencies": {"lodash": "^4", "old": "npm:left-pad@1"},
           "devDependencies": {"@types/node": "20"}},
      "node_modules/lodash": {"version": "4.17.20"},
      "node_modules/@types/node": {"version": "20.1.0", "dev": true},
      "node_modules/old": {"name": "left-pad", "version": "1.3.0"},
      "node_modules/a": {"version": "1.0.0"},
      "node_modules/a/node_modules/lodash": {"version": "3.10.1"},
      "node_modules/from-git": {"version": "git+ssh://git@host/x.git#abc"},
      "packages/member": {"version": "1.0.0"},
      "node_modules/member": {"resolved": "packages/member", "link": true}}})",
                 1),
            (Pins{"@types/node 20.1.0*", "a 1.0.0", "left-pad 1.3.0*", "lodash 3.10.1",
                  "lodash 4.17.20*"}));
}

TEST(PackageLock, VersionOneIsATree) {
  EXPECT_EQ(pins("package-lock.json", R"({"lockfileVersion": 1, "dependencies": {
      "a": {"version": "1.0.0", "requires": {"b": "^2"},
            "dependencies": {"b": {"version": "2.0.0"}}},
      "b": {"version": "1.0.0"},
      "alias": {"version": "npm:real@3.0.0"},
      "file": {"version": "file:../x"}}})",
                 1),
            (Pins{"a 1.0.0", "b 1.0.0", "b 2.0.0", "real 3.0.0"}));
}

TEST(YarnLock, ClassicAndBerryAreRead) {
  EXPECT_EQ(pins("yarn.lock", R"(# yarn lockfile v1


"@babel/code-frame@^7.0.0", "@babel/code-frame@^7.12.13":
  version "7.12.13"
  resolved "https://registry.yarnpkg.com/x.tgz#abc"
  dependencies:
    "@babel/highlight" "^7.12.13"

lodash@^4.17.10:
  version "4.17.20"

alias@npm:left-pad@^1.0.0:
  version "1.3.0"
)"),
            (Pins{"@babel/code-frame 7.12.13", "left-pad 1.3.0", "lodash 4.17.20"}));
  EXPECT_EQ(pins("yarn.lock", R"(__metadata:
  version: 6
  cacheKey: 8

"@types/node@npm:*, @types/node@npm:^20.1.0":
  version: 20.1.0
  resolution: "@types/node@npm:20.1.0"
  checksum: abc
  languageName: node
  linkType: hard

"app@workspace:.":
  version: 0.0.0-use.local
  resolution: "app@workspace:."
  linkType: soft

"alias@npm:left-pad@^1.0.0":
  version: 1.3.0
  resolution: "left-pad@npm:1.3.0"
)"),
            (Pins{"@types/node 20.1.0", "left-pad 1.3.0"}));
  EXPECT_FALSE(read_lockfile("yarn.lock", "hello").ok());
}

TEST(PnpmLock, AllVersionsAreRead) {
  EXPECT_EQ(pins("pnpm-lock.yaml", R"(lockfileVersion: 5.4
specifiers:
  lodash: ^4
dependencies:
  lodash: 4.17.20
packages:
  /lodash/4.17.20:
    resolution: {integrity: sha512-x}
    dev: false
  /@scope/name/1.0.0_react@18.0.0:
    resolution: {integrity: sha512-y}
)"),
            (Pins{"@scope/name 1.0.0", "lodash 4.17.20*"}));
  EXPECT_EQ(pins("pnpm-lock.yaml", R"(lockfileVersion: '6.0'
dependencies:
  lodash:
    specifier: ^4
    version: 4.17.20
packages:
  /lodash@4.17.20:
    resolution: {integrity: sha512-x}
  /@scope/name@1.0.0(react@18.0.0):
    resolution: {integrity: sha512-y}
)"),
            (Pins{"@scope/name 1.0.0", "lodash 4.17.20*"}));
  EXPECT_EQ(pins("pnpm-lock.yaml", R"(lockfileVersion: '9.0'
importers:
  .:
    dependencies:
      '@scope/name':
        specifier: ^1
        version: 1.0.0(react@18.0.0)
packages:
  '@scope/name@1.0.0':
    resolution: {integrity: sha512-y}
    peerDependencies:
      react: '*'
  react@18.0.0:
    resolution: {integrity: sha512-z}
  'from-git@https://codeload.github.com/x/tar.gz/abc':
    resolution: {tarball: x}
snapshots:
  '@scope/name@1.0.0(react@18.0.0)':
    dependencies:
      react: 18.0.0
)",
                 1),
            (Pins{"@scope/name 1.0.0*", "react 18.0.0"}));
}

TEST(PnpmLock, WhatPnpmNeverWritesIsRefused) {
  EXPECT_FALSE(read_lockfile("pnpm-lock.yaml", "a: &x 1\nb: *x\n").ok()) << "an alias";
  EXPECT_FALSE(read_lockfile("pnpm-lock.yaml", std::string(1000, '[')).ok()) << "too deep";
  EXPECT_FALSE(read_lockfile("pnpm-lock.yaml", "a: [").ok()) << "no YAML";
}

TEST(Requirements, OnlyWhatIsPinnedCounts) {
  EXPECT_EQ(pins("requirements.txt",
                 "# comment\n"
                 "Django==3.2.1\n"
                 "requests[socks] == 2.25.0 ; python_version < '3'  # why\r\n"
                 "urllib3===1.26.0 \\\n    --hash=sha256:abc \\\n    --hash=sha256:def\n"
                 "-r other.txt\n--index-url https://example.org\n"
                 "flask>=1.0\n"
                 "jinja2==2.*\n"
                 "six>=1.0,==1.5\n"
                 "name @ https://example.org/x.whl#sha256==1\n",
                 4),
            (Pins{"Django 3.2.1*", "requests 2.25.0*", "urllib3 1.26.0*"}));
}

TEST(PipfileLock, BothSectionsAreRead) {
  EXPECT_EQ(pins("Pipfile.lock", R"({"_meta": {}, "default": {
      "django": {"version": "==3.2.1", "index": "pypi"}, "sqlparse": {"version": "==0.4.1"},
      "local": {"path": "."}}, "develop": {"pytest": {"version": "==6.2.0"}}})",
                 1),
            (Pins{"django 3.2.1*", "pytest 6.2.0", "sqlparse 0.4.1"}));
}

TEST(TomlLocks, PoetryUvAndCargoAreRead) {
  EXPECT_EQ(pins("poetry.lock", R"([[package]]
name = "django"
version = "3.2.1"

[[package]]
name = "local"
version = "0.1.0"

[package.source]
type = "directory"
url = "../local"
)"),
            (Pins{"django 3.2.1"}));
  EXPECT_EQ(pins("uv.lock", R"(version = 1

[[package]]
name = "app"
version = "0.1.0"
source = { virtual = "." }
dependencies = [{ name = "django" }]

[[package]]
name = "django"
version = "3.2.1"
source = { registry = "https://pypi.org/simple" }

[[package]]
name = "sqlparse"
version = "0.4.1"
source = { registry = "https://pypi.org/simple" }
)"),
            (Pins{"django 3.2.1*", "sqlparse 0.4.1"}));
  EXPECT_EQ(pins("Cargo.lock", R"(version = 3

[[package]]
name = "app"
version = "0.1.0"
dependencies = ["time 0.1.43"]

[[package]]
name = "time"
version = "0.1.43"
source = "registry+https://github.com/rust-lang/crates.io-index"
dependencies = ["libc"]

[[package]]
name = "libc"
version = "0.2.100"
source = "registry+https://github.com/rust-lang/crates.io-index"
)"),
            (Pins{"libc 0.2.100", "time 0.1.43*"}));
  EXPECT_FALSE(read_lockfile("Cargo.lock", "[[package").ok());
}

TEST(GoFiles, RequirementsAndSumsAreRead) {
  EXPECT_EQ(pins("go.mod", R"(module example.org/app

go 1.21

require github.com/gin-gonic/gin v1.6.0

require (
	golang.org/x/text v0.3.5 // indirect
	"example.org/quoted" v1.0.0+incompatible
)

replace golang.org/x/net => ../net
)"),
            (Pins{"example.org/quoted v1.0.0+incompatible*", "github.com/gin-gonic/gin v1.6.0*",
                  "golang.org/x/text v0.3.5"}));
  EXPECT_EQ(pins("go.sum",
                 "golang.org/x/text v0.3.5 h1:abc=\ngolang.org/x/text v0.3.5/go.mod h1:def=\n"
                 "golang.org/x/text v0.3.0/go.mod h1:ghi=\n"),
            (Pins{"golang.org/x/text v0.3.5"}));
}

TEST(GemfileLock, GemsOfTheRegistryAreRead) {
  EXPECT_EQ(pins("Gemfile.lock", R"(PATH
  remote: .
  specs:
    own (0.1.0)

GEM
  remote: https://rubygems.org/
  specs:
    nokogiri (1.11.0-x86_64-linux)
      racc (~> 1.4)
    racc (1.5.2)

PLATFORMS
  x86_64-linux

DEPENDENCIES
  nokogiri (= 1.11.0)
  own!
)"),
            (Pins{"nokogiri 1.11.0*", "racc 1.5.2"}));
}

TEST(ComposerLock, BothListsAreRead) {
  EXPECT_EQ(pins("composer.lock", R"({"packages": [{"name": "symfony/http-kernel",
      "version": "v5.2.0"}], "packages-dev": [{"name": "phpunit/phpunit", "version": "9.5.0"}]})"),
            (Pins{"phpunit/phpunit 9.5.0", "symfony/http-kernel v5.2.0"}));
}

TEST(NugetLock, EachPackageCountsOnceForAllFrameworks) {
  EXPECT_EQ(pins("packages.lock.json", R"({"version": 1, "dependencies": {
      "net6.0": {"Newtonsoft.Json": {"type": "Direct", "requested": "[12.0.3, ]",
                                     "resolved": "12.0.3"},
                 "sibling": {"type": "Project"}},
      "net5.0": {"Newtonsoft.Json": {"type": "Transitive", "resolved": "12.0.3"}}}})"),
            (Pins{"Newtonsoft.Json 12.0.3*"}));
}

TEST(Lockfiles, OthersAreNoLockFiles) {
  EXPECT_TRUE(is_lockfile("go.sum"));
  EXPECT_FALSE(is_lockfile("pom.xml"));
  EXPECT_FALSE(is_lockfile("../go.sum"));
  EXPECT_FALSE(read_lockfile("pom.xml", "").ok());
}

TEST(Lockfiles, AreBounded) {
  std::string many;
  for (std::size_t i = 0; i <= limits::lockfile_packages; ++i) {
    many += "p" + std::to_string(i) + "==1\n";
  }
  const auto lockfile = read_lockfile("requirements.txt", many).value();
  EXPECT_EQ(lockfile.packages.size(), limits::lockfile_packages);
  EXPECT_EQ(lockfile.skipped, 1U);
  EXPECT_FALSE(read_lockfile("go.sum", std::string(limits::lockfile_bytes + 1, '\n')).ok());
  EXPECT_EQ(pins("requirements.txt", std::string(300, 'n') + "==1\na\x01==1\n", 2), Pins{});
}

TEST(Lockfiles, OfTheWrongFormAreRefusedOrEmpty) {
  EXPECT_FALSE(read_lockfile("package-lock.json", "[]").ok());
  EXPECT_FALSE(read_lockfile("Pipfile.lock", "{").ok());
  EXPECT_EQ(pins("composer.lock", R"({"packages": 7})"), Pins{});
  EXPECT_EQ(pins("packages.lock.json", R"({"dependencies": []})"), Pins{});
  EXPECT_EQ(pins("package-lock.json", "{}"), Pins{});
  EXPECT_EQ(pins("package-lock.json", R"({"packages": {"": {"dependencies": 7}, "a": []}})"),
            Pins{});
  EXPECT_EQ(pins("package-lock.json", R"({"dependencies": {"a": 7}})", 1), Pins{});
}

}  // namespace
}  // namespace muster::feeds
