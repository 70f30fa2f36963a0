// SPDX-License-Identifier: Apache-2.0
#include "agent/collectors/image_look.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <set>

#include <gtest/gtest.h>

#include "agent/collectors/image_bill.h"
#include "agent/files.h"
#include "agent/testing/image_stores.h"
#include "base/json_read.h"
#include "base/test_directory.h"
#include "base/testing.h"
#include "model/purl.h"

namespace muster::agent {
namespace {

namespace fs = std::filesystem;
using testing::ImageStores;

std::string stanza(const std::string& name, const std::string& version) {
  return "Package: " + name + "\nStatus: install ok installed\nVersion: " + version +
         "\nArchitecture: amd64\nSource: " + name + "-src\n\n";
}

class ImageLookTest : public ::testing::Test {
 protected:
  ImageLookTest() {
    stores_.put_podman();
    const std::string base = ImageStores::podman_layer('a');
    stores_.put(base + "usr/lib/os-release", "ID=debian\nNAME=Debian\nVERSION_ID=12\n");
    stores_.put(base + "var/lib/dpkg/status", stanza("bash", "5.2.15-2+b7"));
    // The layer above it upgraded one package and brought another.
    stores_.put(ImageStores::podman_layer('b') + "var/lib/dpkg/status",
                stanza("bash", "5.2.15-2+b8") + stanza("libssl3", "1:3.0.11-1~deb12u2"));
  }

  std::optional<ImageSight> look(const ImageOrder& order = {}) {
    return look_at_images(root_.path(), order, scanner_, bystanders_, stop_);
  }
  /// The packages of a bill, as a server reads them.
  static std::set<std::string> packages(const std::string& bill) {
    std::set<std::string> found;
    const Json root = thread_json().parse(bill).value();
    root.find("components")->for_each([&](const Json& component) {
      const auto url = component.find("purl");
      if (!url) return;
      const auto package = model::package_of_purl(*url->string()).value();
      found.insert(std::string(model::ecosystem_name(package.ecosystem)) + " " + package.name +
                   " " + package.version + " " + package.arch + " " + package.distro);
    });
    return found;
  }
  /// A scanner that is a script of `lines`.
  void put_scanner(const std::string& lines) {
    const fs::path program = fs::path(root_.path()) / "trivy";
    std::ofstream(program) << "#!/bin/sh\n" << lines << "\n";
    ASSERT_EQ(chmod(program.c_str(), 0700), 0);
    scanner_ = {program.string(), fs::path(root_.path()) / "cache"};
  }

  TestDirectory root_;
  ImageStores stores_{root_.path()};
  Bystanders bystanders_;
  ScannerPlace scanner_;
  std::atomic<bool> stop_{false};
};

TEST_F(ImageLookTest, EachImageHasThePackagesOfItsUppermostDatabase) {
  const auto sight = look();
  ASSERT_TRUE(sight.has_value());
  ASSERT_EQ(sight->reports.size(), 2U);
  EXPECT_FALSE(sight->more);
  EXPECT_FALSE(sight->by_scanner);
  EXPECT_EQ(packages(sight->reports[0].text),
            (std::set<std::string>{"deb bash 5.2.15-2+b8 amd64 debian:12",
                                   "deb libssl3 1:3.0.11-1~deb12u2 amd64 debian:12"}));
  EXPECT_EQ(packages(sight->reports[1].text),
            std::set<std::string>{"deb bash 5.2.15-2+b7 amd64 debian:12"});
}

TEST_F(ImageLookTest, WhatIsKnownIsNamedAndNotReadAgain) {
  const auto sight = look({{}, {"sha256:" + ImageStores::id('d')}, false});
  ASSERT_TRUE(sight.has_value());
  EXPECT_EQ(sight->local.images.size(), 2U);
  ASSERT_EQ(sight->reports.size(), 1U);
  EXPECT_EQ(sight->reports[0].image, 1U);
  EXPECT_EQ(sight->tried, std::vector<std::string>{"sha256:" + ImageStores::id('e')});
}

TEST_F(ImageLookTest, AnImageThatCannotBeReadCostsNoOther) {
  fs::remove_all(fs::path(root_.path()) / ImageStores::podman_layer('b'));
  const auto sight = look();
  ASSERT_TRUE(sight.has_value());
  EXPECT_EQ(sight->tried.size(), 2U);
  ASSERT_EQ(sight->reports.size(), 1U);
  EXPECT_EQ(sight->reports[0].image, 1U);
}

TEST_F(ImageLookTest, TheScannerIsToldToFetchNothingAndItsReportIsTakenAsItIs) {
  const std::string digest = "sha256:" + ImageStores::id('d');
  const std::string report =
      R"({"SchemaVersion": 2, "Metadata": {"ImageID": ")" + digest + R"("}})";
  put_scanner("echo \"$@\" >$HOME.words; echo '" + report + "'");
  const auto sight = look({{}, {}, true});
  ASSERT_TRUE(sight.has_value());
  EXPECT_TRUE(sight->by_scanner);
  EXPECT_TRUE(sight->more) << "one at a time, so that surveys of software go on";
  ASSERT_EQ(sight->reports.size(), 1U);
  EXPECT_EQ(sight->reports[0].text, report + "\n");
  std::ifstream words(fs::path(root_.path()) / "cache.words");
  std::string line;
  std::getline(words, line);
  EXPECT_EQ(line,
            "image --quiet --format json --list-all-pkgs --scanners vuln --image-src docker,podman "
            "--timeout 5m --cache-dir " +
                scanner_.cache.string() + " localhost:5000/team/app:1");
}

TEST_F(ImageLookTest, ARecordedReportOfTrivyIsTaken) {
  const auto path = shared_data("trivy/reports/debian-buster.json");
  if (!path) GTEST_SKIP() << "trivy/reports/debian-buster.json is not there: set MUSTER_DATA";
  const std::string recorded = read_small_file(*path, 64 << 20).value();
  const Json root = thread_json().parse(recorded).value();
  const std::string digest(*root.find("Metadata")->find("ImageID")->string());
  stores_.put("var/lib/containers/storage/overlay-images/images.json",
              R"([{"id": ")" + digest.substr(7) + R"(", "names": ["debian:buster"], "layer": ")" +
                  ImageStores::id('a') + R"("}])");
  put_scanner("cat " + path->string());
  const auto sight = look({{}, {}, true});
  ASSERT_TRUE(sight.has_value());
  EXPECT_TRUE(sight->by_scanner);
  ASSERT_EQ(sight->reports.size(), 1U);
  EXPECT_EQ(sight->reports[0].text, recorded);
}

TEST_F(ImageLookTest, WhereTheScannerFailsWeReadTheImageOurselves) {
  for (const char* lines :
       {"exit 1", "echo not json",
        "echo '{\"SchemaVersion\": 2, \"Metadata\": {\"ImageID\": \"sha256:0\"}}'"}) {
    put_scanner(lines);
    const auto sight = look({{}, {}, true});
    ASSERT_TRUE(sight.has_value());
    EXPECT_FALSE(sight->by_scanner);
    ASSERT_EQ(sight->reports.size(), 1U) << lines;
    EXPECT_EQ(packages(sight->reports[0].text).size(), 2U) << lines;
  }
}

TEST_F(ImageLookTest, AStoppedLookSaysNothing) {
  stop_ = true;
  EXPECT_FALSE(look().has_value());
}

model::Package package_of(model::Ecosystem ecosystem, std::string name, std::string version,
                          std::string distro = "", std::string arch = "") {
  model::Package package;
  package.ecosystem = ecosystem;
  package.name = std::move(name);
  package.version = std::move(version);
  package.distro = std::move(distro);
  package.arch = std::move(arch);
  return package;
}

TEST(PackageUrl, ReadsBackAsThePackage) {
  using model::Ecosystem;
  for (const model::Package& package :
       {package_of(Ecosystem::deb, "libstdc++6", "12.2.0-14+deb12u1", "debian:12", "amd64"),
        package_of(Ecosystem::rpm, "openssl-libs", "1:3.0.7-27.el9", "rhel:9", "x86_64"),
        package_of(Ecosystem::apk, "musl", "1.2.5-r9", "alpine:3.21", "x86_64"),
        package_of(Ecosystem::npm, "@scope/name", "1.0.0"),
        package_of(Ecosystem::pypi, "requests", "2.31.0")}) {
    EXPECT_EQ(model::package_of_purl(package_url(package)), package) << package_url(package);
  }
  EXPECT_EQ(package_url(package_of(Ecosystem::generic, "core", "16")), "");
}

TEST(BillOfImage, SaysWhichImageItIsOfAndWhatSourcesItsPackagesHave) {
  const LocalImage image{"sha256:1", {"app:1", "app:2"}, {}};
  model::Package package =
      package_of(model::Ecosystem::deb, "libc6", "2.36-9", "debian:12", "amd64");
  package.source_name = "glibc";
  package.source_version = "2.36-9";
  const std::string bill = bill_of_image(image, {"debian", "Debian", "12", ""}, {package});
  EXPECT_EQ(bill,
            R"({"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, )"
            R"("metadata": {"component": {"type": "container", "name": "app:1", "properties": [)"
            R"({"name": "aquasecurity:trivy:ImageID", "value": "sha256:1"}, )"
            R"({"name": "aquasecurity:trivy:RepoTag", "value": "app:1"}, )"
            R"({"name": "aquasecurity:trivy:RepoTag", "value": "app:2"}]}}, "components": [)"
            R"({"type": "operating-system", "name": "debian", "version": "12"}, )"
            R"({"type": "library", "name": "libc6", "version": "2.36-9", )"
            R"("purl": "pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=debian-12", "properties": [)"
            R"({"name": "aquasecurity:trivy:PkgType", "value": "deb"}, )"
            R"({"name": "aquasecurity:trivy:SrcName", "value": "glibc"}, )"
            R"({"name": "aquasecurity:trivy:SrcVersion", "value": "2.36-9"}]}]})");
}

}  // namespace
}  // namespace muster::agent
