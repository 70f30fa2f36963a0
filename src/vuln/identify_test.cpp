// SPDX-License-Identifier: Apache-2.0
#include "vuln/identify.h"
#include "base/testing.h"

#include <iostream>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "base/json_read.h"
#include "model/cpe.h"
#include "version/test_support.h"
#include "vuln/product_name.h"

namespace muster::vuln {
namespace {

using model::Ecosystem;
using model::Package;

Package program(std::string name, std::string version, std::string vendor,
                Ecosystem ecosystem = Ecosystem::unknown) {
  Package package;
  package.name = std::move(name);
  package.version = std::move(version);
  package.vendor = std::move(vendor);
  package.ecosystem = ecosystem;
  return package;
}

/// By what the package and our table say.
Identity identified(const Package& package) {
  static const CpeIndex none;
  return identify(package, none);
}

/// "vendor:product" that the CPE names, "" for none.
std::string product_of(const Package& package) {
  const Identity identity = identified(package);
  if (identity.cpe.empty()) return "";
  const auto cpe = model::parse_cpe(identity.cpe);
  if (!cpe.ok()) return "invalid: " + identity.cpe;
  return (*cpe)[model::CpeAttribute::vendor] + ":" + (*cpe)[model::CpeAttribute::product];
}

TEST(NormaliseProductName, KeepsTheWordsThatIdentify) {
  EXPECT_EQ(normalise_product_name("7-Zip 22.01 (x64)"), "7-zip");
  EXPECT_EQ(normalise_product_name("Mozilla Firefox 60.7.2 ESR (x86 en-US)"),
            "mozilla firefox esr");
  EXPECT_EQ(normalise_product_name("Python 3.11.4 (64-bit)"), "python");
  EXPECT_EQ(normalise_product_name("Python 3.11.4 Standard Library (64-bit)"),
            "python standard library");
  EXPECT_EQ(normalise_product_name("Java(TM) SE Development Kit 17.0.8 (64-bit)"),
            "java se development kit");
  EXPECT_EQ(normalise_product_name("Intel® Driver"), "intel driver");
  EXPECT_EQ(normalise_product_name("Docker Desktop.app"), "docker desktop");
  EXPECT_EQ(normalise_product_name("openssl@3"), "openssl");
  EXPECT_EQ(normalise_product_name("Visual Studio Community 2022"), "visual studio community 2022");
  EXPECT_EQ(normalise_product_name("PuTTY release 0.80 (64-bit)"), "putty");
  EXPECT_EQ(normalise_product_name(""), "");
  EXPECT_EQ(normalise_product_name("( ) []"), "");
}

TEST(Identify, NamesCommonProductsFromTheTable) {
  EXPECT_EQ(product_of(program("7-Zip", "23.01", "Igor Pavlov")), "7-zip:7-zip");
  EXPECT_EQ(product_of(program("Slack", "4.36.0", "Salesforce")), "slack:slack");
  EXPECT_EQ(product_of(program("Slack", "4.36.0", "Slack Technologies Inc.")), "slack:slack");
  EXPECT_EQ(product_of(program("Google Chrome", "121.0", "Google LLC")), "google:chrome");
  EXPECT_EQ(product_of(program("Mozilla Firefox (x64 de)", "128.0", "Mozilla")), "mozilla:firefox");
  EXPECT_EQ(product_of(program("OpenSSL", "3.0.2", "")), "openssl:openssl");
  EXPECT_EQ(product_of(program("Notepad++ (64-bit x64)", "8.5.6", "Notepad++ Team")),
            R"(notepad-plus-plus:notepad\+\+)");
}

TEST(Identify, NamesAppsOfMacosThatReportNoVendor) {
  EXPECT_EQ(product_of(program("Slack.app", "4.29", "", Ecosystem::macos)), "slack:slack");
  EXPECT_EQ(product_of(program("zoom.us.app", "5.15.0 (19103)", "", Ecosystem::macos)),
            "zoom:zoom");
  EXPECT_EQ(product_of(program("Slack", "1.0", "", Ecosystem::windows)), "");
}

TEST(Identify, NamesWhatAPackagerNumbered) {
  const auto of = [](const char* name) { return product_of(program(name, "15.5", "")); };
  EXPECT_EQ(of("postgresql-15"), "postgresql:postgresql");
  EXPECT_EQ(of("postgresql15"), "postgresql:postgresql");
  EXPECT_EQ(of("php8.2"), "php:php");
  EXPECT_EQ(of("wget2"), "") << "another program than wget";
  EXPECT_EQ(of("postgresql 15x"), "");
  EXPECT_EQ(of("15"), "");
}

TEST(Identify, PutsThePackagesVersionIntoTheCpe) {
  EXPECT_EQ(identified(program("7-Zip 22.01 (x64)", "22.01 (x64)", "Igor Pavlov")).cpe,
            "cpe:2.3:a:7-zip:7-zip:22.01:*:*:*:*:*:*:*");
  EXPECT_EQ(identified(program("WinSCP 6.3.4", "WinSCP 6.3.4", "Martin Prikryl")).cpe,
            "cpe:2.3:a:winscp:winscp:6.3.4:*:*:*:*:*:*:*");
  EXPECT_EQ(identified(program("OpenSSL", "", "")).cpe,
            "cpe:2.3:a:openssl:openssl:*:*:*:*:*:*:*:*");
}

TEST(Identify, ListsTheOtherNamesOfASplitProduct) {
  const Identity identity = identified(program("Docker Desktop", "4.34.2", "Docker Inc."));
  EXPECT_EQ(identity.cpe, "cpe:2.3:a:docker:desktop:4.34.2:*:*:*:*:*:*:*");
  EXPECT_EQ(identity.others, (std::vector<CpeName>{{"docker", "docker_desktop"}}));
}

TEST(Identify, AsksForVendorEvidenceWhereTheNameIsAWord) {
  EXPECT_EQ(identified(program("Slack", "1.0", "")).kind, Identity::Kind::none);
  EXPECT_EQ(identified(program("Zoom", "1.0", "Steinberg")).kind, Identity::Kind::none);
  EXPECT_EQ(identified(program("Python", "1.0", "Serpentarium")).kind, Identity::Kind::none);
  EXPECT_EQ(identified(program("Code", "1.0", "Cipher Ltd")).kind, Identity::Kind::none);
}

TEST(Identify, PrefersNoneToAWrongProduct) {
  for (const char* name :
       {"Microsoft Edge WebView2 Runtime", "Google Chrome Helper", "Logi Bolt.app", "Mist",
        "Python Launcher", "Firefox Relay", "PostgreSQL ODBC Driver", "7-Zip Theme Manager",
        "Zoom Outlook Plugin", "Java Auto Updater", "Microsoft Teams Meeting Add-in", ""}) {
    EXPECT_EQ(product_of(program(name, "1.0", "Microsoft Zoom Oracle Google")), "") << name;
  }
}

TEST(Identify, LeavesLanguagePackagesToTheirEcosystem) {
  for (const Ecosystem ecosystem : {Ecosystem::npm, Ecosystem::pypi, Ecosystem::gem,
                                    Ecosystem::cargo, Ecosystem::composer, Ecosystem::go}) {
    const Identity identity = identified(program("git", "1.0", "", ecosystem));
    EXPECT_EQ(identity.kind, Identity::Kind::ecosystem);
    EXPECT_EQ(identity.cpe, "");
  }
}

TEST(Identify, TakesNoExtensionForTheProgramOfItsName) {
  Package package = program("Docker Desktop", "1.29.0", "Docker Inc.", Ecosystem::other);
  EXPECT_EQ(identified(package).kind, Identity::Kind::none);
  package.cpe = "cpe:2.3:a:microsoft:docker:*:*:*:*:*:visual_studio_code:*:*";
  EXPECT_EQ(identified(package).kind, Identity::Kind::cpe);
  EXPECT_EQ(identified(package).cpe_source, Identity::Source::reported);
}

TEST(Identify, TrustsDistributionThenEcosystemThenCpe) {
  Package package = program("curl", "7.88.1-10", "");
  package.cpe = "cpe:2.3:a:haxx:curl:7.88.1:*:*:*:*:*:*:*";
  EXPECT_EQ(identified(package).kind, Identity::Kind::cpe);
  EXPECT_EQ(identified(package).cpe_source, Identity::Source::reported);
  package.ecosystem = Ecosystem::deb;
  EXPECT_EQ(identified(package).kind, Identity::Kind::ecosystem);
  package.distro = "debian:12";
  EXPECT_EQ(identified(package).kind, Identity::Kind::distribution);
  EXPECT_EQ(identified(package).cpe, "cpe:2.3:a:haxx:curl:7.88.1:*:*:*:*:*:*:*");
}

TEST(Identify, TakesAReportedCpeForAHint) {
  Package package = program("Something", "2.1 (x64)", "");
  package.cpe = "cpe:2.3:a:acme:thing:*:*:*:*:*:*:*:*";
  EXPECT_EQ(identified(package).cpe, "cpe:2.3:a:acme:thing:2.1:*:*:*:*:*:*:*");
  package.cpe = "cpe:/a:acme:thing:2.0";
  EXPECT_EQ(identified(package).cpe, "cpe:2.3:a:acme:thing:2.0:*:*:*:*:*:*:*");
  package.cpe = "cpe:2.3:a:*:*:*:*:*:*:*:*:*:*";
  EXPECT_EQ(identified(package).kind, Identity::Kind::none);
  package.name = "7-Zip";
  EXPECT_EQ(identified(package).cpe, "cpe:2.3:a:7-zip:7-zip:2.1:*:*:*:*:*:*:*");
  EXPECT_EQ(identified(package).cpe_source, Identity::Source::table);
}

struct TableRow {
  std::string_view name;
  std::string_view vendors;
  std::string_view names;
};

constexpr TableRow table[] = {
#define ALIAS(name, vendors, names) {name, vendors, names},
#include "vuln/aliases.def"
#undef ALIAS
};

TEST(Identify, TableHasOnlyNormalNamesAndValidProducts) {
  std::set<std::pair<std::string_view, std::string_view>> seen;
  std::set<std::string_view> products;
  for (const auto& [name, vendors, names] : table) {
    EXPECT_EQ(normalise_product_name(name), name);
    EXPECT_TRUE(seen.insert({name, vendors}).second) << name;
    for (const auto each : words_of(names)) {
      EXPECT_TRUE(model::parse_cpe("cpe:2.3:a:" + std::string(each) + ":1:*:*:*:*:*:*:*").ok())
          << each;
    }
    products.insert(names);
  }
  EXPECT_GE(products.size(), 60U);
}

TEST(Identify, KnowsNamesThatNothingCanBeComparedWith) {
  EXPECT_EQ(identified(program("Microsoft Word.app", "16.69.1", "")).kind, Identity::Kind::none);
}

TEST(Identify, TakesAnAppWithoutVendorForApplesOnMacOsOnly) {
  EXPECT_EQ(product_of(program("Music.app", "1.2.5", "")), "apple:music");
  EXPECT_EQ(product_of(program("Music", "1.2.5", "", Ecosystem::macos)), "apple:music");
  EXPECT_EQ(product_of(program("Music", "1.2.5", "")), "");
  EXPECT_EQ(product_of(program("Music.app", "1.2.5", "Somebody")), "");
}

TEST(Identify, LooksInTheTableWithoutTheEditionToo) {
  EXPECT_EQ(product_of(program("GoLand EAP.app", "2022.3", "")), "jetbrains:goland");
  EXPECT_EQ(product_of(program("Python Software", "3", "Python Software Foundation")), "");
}

Ecosystem ecosystem_of(std::string_view platform) {
  if (platform == "windows" || platform == "programs") return Ecosystem::windows;
  if (platform == "darwin" || platform == "apps" || platform == "homebrew_packages") {
    return Ecosystem::macos;
  }
  if (platform == "centos") return Ecosystem::rpm;
  if (platform == "ubuntu") return Ecosystem::deb;
  if (platform == "python_packages") return Ecosystem::pypi;
  return Ecosystem::unknown;
}

TEST(Identify, MapsNoLabelledNameToAWrongProduct) {
  const auto path = shared_data("inventory/name_to_cpe_dev.jsonl");
  if (!path) GTEST_SKIP() << "no inventory/name_to_cpe_dev.jsonl: set MUSTER_DATA";
  std::map<std::string, int> count;
  const std::string text = version::test::read_file(*path);
  JsonDocument document;
  for (const auto line : version::test::split(text, '\n')) {
    if (line.empty()) continue;
    const Json row = document.parse(line).value();
    const auto word = [&](std::string_view key) {
      const auto member = row.find(key);
      return std::string(member ? member->string().value_or("") : "");
    };
    const std::string expected = word("expected_vendor") + ":" + word("expected_product");
    const Package package =
        program(word("name"), word("version"), word("vendor"), ecosystem_of(word("platform")));
    const Identity identity = identified(package);
    ++count["rows"];
    if (package.ecosystem == Ecosystem::pypi) {
      EXPECT_EQ(identity.cpe, "");
      ++count["language packages, left to their ecosystem"];
      continue;
    }
    if (identity.cpe.empty()) {
      ++count[expected == ":" ? "rightly none" : "not in the table"];
      continue;
    }
    bool found = product_of(package) == expected;
    if (found) ++count["right at first"];
    for (const CpeName& other : identity.others) {
      if (found) break;
      found = std::string(other.vendor) + ":" + std::string(other.product) == expected;
      if (found) ++count["right among the others"];
    }
    EXPECT_TRUE(found) << package.name << " (" << package.vendor << "): " << identity.cpe
                       << ", expected " << expected;
  }
  for (const auto& [what, rows] : count) std::cout << "  " << rows << "  " << what << "\n";
  EXPECT_GE(count["right at first"], 50);
}

}  // namespace
}  // namespace muster::vuln
