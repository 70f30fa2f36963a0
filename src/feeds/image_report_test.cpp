// SPDX-License-Identifier: Apache-2.0
// Real reports, read by two readers: ours, and one that knows nothing of shapes and takes every
// object that looks like a vulnerability, wherever it stands.
// The sums were counted by a third, in another language.
#include "feeds/image_report.h"
#include "base/testing.h"

#include <filesystem>
#include <set>
#include <unordered_map>

#include <gtest/gtest.h>

#include "base/json_read.h"
#include "feeds/decompress.h"
#include "version/test_support.h"

namespace muster::feeds {
namespace {

using version::test::read_file;

/// Vulnerability, package and installed version; the package is left out of bills of materials,
/// which refer to it.
using Facts = std::set<std::tuple<std::string, std::string, std::string>>;

std::string text_in(const Json& object, std::string_view member) {
  const auto value = object.find(member);
  return value ? std::string(value->string().value_or("")) : "";
}

class Walker {
 public:
  Facts facts;
  std::size_t packages = 0;  // elements of lists of packages

  void walk(const Json& value) {
    if (value.is_array()) value.for_each([&](const Json& each) { walk(each); });
    if (!value.is_object()) return;
    take(value, "VulnerabilityID", "PkgName", "InstalledVersion");
    take(value, "vulnerabilityID", "resource", "installedVersion");
    for (const char* list : {"Packages", "components", "packages"}) {
      if (const auto named = value.find(list); named && named->is_array()) {
        packages += named->size();
      }
    }
    if (const auto affects = value.find("affects")) {
      affects->for_each([&](const Json& each) {
        facts.insert({text_in(value, "id"), "", versions_[text_in(each, "ref")]});
      });
    }
    if (value.find("bom-ref")) versions_[text_in(value, "bom-ref")] = text_in(value, "version");
    value.for_each_member([&](std::string_view, const Json& each) { walk(each); });
  }

 private:
  void take(const Json& object, const char* id, const char* package, const char* version) {
    const std::string names[] = {text_in(object, id), text_in(object, package)};
    if (names[0].empty() || names[1].empty()) return;
    facts.insert({names[0], names[1], text_in(object, version)});
  }

  std::unordered_map<std::string, std::string> versions_;
};

Facts facts_of(const std::vector<model::ImageScan>& scans, bool bill) {
  Facts facts;
  for (const auto& scan : scans) {
    for (const auto& one : scan.vulnerabilities) {
      for (const auto& place : one.places) {
        facts.insert({one.id, bill ? "" : one.package, place.version});
      }
    }
  }
  return facts;
}

struct Tally {
  std::size_t files = 0;
  std::size_t refused = 0;
  std::size_t facts = 0;
  std::size_t listed = 0;  // files with a list of packages
  std::set<std::string> refusals;
};

Tally read_folder(const std::filesystem::path& folder) {
  Tally tally;
  JsonDocument document;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    const std::string text = decompress(read_file(file.path()), 1'000'000'000).value();
    ++tally.files;
    Walker walker;
    if (const auto json = document.parse(text); json.ok()) walker.walk(*json);
    const auto scans = read_image_report(text);
    if (!scans.ok()) {
      ++tally.refused;
      tally.refusals.insert(scans.error().message);
      EXPECT_TRUE(walker.facts.empty()) << file.path() << ": " << scans.error().message;
      continue;
    }
    const bool bill = text.find("\"bomFormat\"") != std::string::npos;
    EXPECT_EQ(facts_of(*scans, bill), walker.facts) << file.path();
    tally.facts += walker.facts.size();
    std::size_t packages = 0;
    for (const auto& scan : *scans) packages += scan.packages ? scan.packages->size() : 0;
    EXPECT_EQ(packages == 0, walker.packages == 0) << file.path();
    EXPECT_LE(packages, walker.packages) << file.path();
    tally.listed += packages > 0 ? 1U : 0U;
  }
  return tally;
}

std::filesystem::path folder_of(const char* name) {
  return shared_data(name).value_or("");
}

#define SKIP_WITHOUT(folder) \
  if (folder.empty()) GTEST_SKIP() << "set MUSTER_DATA to a folder with real reports"

TEST(RealReports, OfTheScannersOwnTestsAreReadWhole) {
  const auto folder = folder_of("trivy/reports");
  SKIP_WITHOUT(folder);
  const Tally tally = read_folder(folder);
  EXPECT_EQ(tally.files, 81U);
  EXPECT_EQ(tally.refused, 0U);
  EXPECT_EQ(tally.facts, 120U);
  EXPECT_EQ(tally.listed, 21U);
}

TEST(RealReports, ThatUsersSentAreReadWhole) {
  const auto folder = folder_of("defectdojo/trivy");
  SKIP_WITHOUT(folder);
  const Tally tally = read_folder(folder);
  EXPECT_EQ(tally.files, 21U);
  EXPECT_EQ(tally.refused, 0U);
  EXPECT_EQ(tally.facts, 151U);
}

TEST(RealReports, OfTheOperatorAreReadOrSayWhatTheyAre) {
  const auto folder = folder_of("defectdojo/trivy_operator");
  SKIP_WITHOUT(folder);
  const Tally tally = read_folder(folder);
  EXPECT_EQ(tally.files, 17U);
  EXPECT_EQ(tally.refused, 11U);
  EXPECT_EQ(tally.facts, 93U);
  for (const std::string& refusal : tally.refusals) {
    EXPECT_NE(refusal.find("of kind"), std::string::npos) << refusal;
  }
}

TEST(RealReports, ThatAreBillsOfMaterialsListPackages) {
  const auto folder = folder_of("trivy/reports-other");
  SKIP_WITHOUT(folder);
  const Tally tally = read_folder(folder);
  EXPECT_EQ(tally.files, 8U);
  EXPECT_EQ(tally.refused, 0U);
  EXPECT_EQ(tally.facts, 6U);
  EXPECT_EQ(tally.listed, 8U);
}

TEST(RealReports, OfOtherScannersAreRefused) {
  for (const char* name :
       {"defectdojo/anchore_grype", "defectdojo/osv_scanner", "defectdojo/wazuh"}) {
    const auto folder = folder_of(name);
    SKIP_WITHOUT(folder);
    const Tally tally = read_folder(folder);
    EXPECT_EQ(tally.refused, tally.files) << name;
    for (const std::string& refusal : tally.refusals) {
      const bool precise = refusal.find("it is one of") != std::string::npos ||
                           refusal.find("not valid JSON") != std::string::npos;
      EXPECT_TRUE(precise) << name << ": " << refusal;
    }
  }
}

}  // namespace
}  // namespace muster::feeds
