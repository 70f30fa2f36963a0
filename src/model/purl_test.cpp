// SPDX-License-Identifier: Apache-2.0
#include "model/purl.h"

#include <gtest/gtest.h>

namespace muster::model {
namespace {

std::string told(const std::optional<Package>& package) {
  if (!package) return "none";
  return std::string(ecosystem_name(package->ecosystem)) + " " + package->name + " " +
         package->version + " " + package->distro + " " + package->source_name + " " +
         package->source_version + " " + package->arch;
}

TEST(Purl, NamesAPackageInTheWordsOfItsEcosystem) {
  EXPECT_EQ(told(package_of_purl("pkg:npm/%40angular/core@16.0.0")),
            "npm @angular/core 16.0.0    ");
  EXPECT_EQ(told(package_of_purl("pkg:npm/@angular/core")), "npm @angular/core     ");
  EXPECT_EQ(told(package_of_purl("pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1")),
            "maven org.apache.logging.log4j:log4j-core 2.14.1    ");
  EXPECT_EQ(told(package_of_purl("pkg:golang/github.com/gin-gonic/gin@v1.9.0#internal")),
            "go github.com/gin-gonic/gin v1.9.0    ");
  EXPECT_EQ(told(package_of_purl("pkg:pypi/django@4.2")), "pypi django 4.2    ");
}

TEST(Purl, OfADistributionNamesReleaseAndSource) {
  EXPECT_EQ(told(package_of_purl("pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&"
                                 "upstream=openssl%403.0.11-1&distro=debian-12")),
            "deb libssl3 3.0.11-1~deb12u2 debian:12 openssl 3.0.11-1 amd64");
  EXPECT_EQ(told(package_of_purl("pkg:deb/debian/tar@1.34?distro=bookworm")),
            "deb tar 1.34 debian:12   ");
  EXPECT_EQ(told(package_of_purl("pkg:rpm/redhat/openssl@1.1.1k-6.el8?epoch=1&distro=rhel-8.5")),
            "rpm openssl 1:1.1.1k-6.el8 rhel:8   ");
  EXPECT_EQ(told(package_of_purl("pkg:deb/debian/tar@1%3A1.34")), "deb tar 1:1.34    ");
  EXPECT_EQ(told(package_of_purl("pkg:rpm/fedora/openssl-libs@3.0.7-6.fc37?epoch=1&distro=fedora-37"
                                 "&upstream=openssl-3.0.7-6.fc37.src.rpm")),
            "rpm openssl-libs 1:3.0.7-6.fc37 fedora:37 openssl 3.0.7-6.fc37 ");
  EXPECT_EQ(told(package_of_purl("pkg:deb/debian/tar@1:1.34?epoch=1")), "deb tar 1:1.34    ")
      << "an epoch that the version has already";
}

TEST(Purl, IsRefusedWhenItIsNone) {
  for (const char* text : {"", "pkg:", "pkg:npm", "npm/x@1", "pkg:npm/", "pkg:npm/@1"}) {
    EXPECT_EQ(package_of_purl(text).value_or(Package{}).version, "") << text;
  }
}

std::string purl(Ecosystem ecosystem, const char* name, const char* version) {
  Package package;
  package.name = name;
  package.version = version;
  package.ecosystem = ecosystem;
  return purl_of(package);
}

TEST(Purl, IsThatOfTheSpecification) {
  EXPECT_EQ(purl(Ecosystem::npm, "@angular/core", "16.0.0"), "pkg:npm/%40angular/core@16.0.0");
  EXPECT_EQ(purl(Ecosystem::pypi, "Zope_2.Interface", "1.0"), "pkg:pypi/zope-2-interface@1.0");
  EXPECT_EQ(purl(Ecosystem::go, "github.com/gin-gonic/gin", "v1.9.0+incompatible"),
            "pkg:golang/github.com/gin-gonic/gin@v1.9.0%2Bincompatible");
  EXPECT_EQ(purl(Ecosystem::maven, "org.apache.logging.log4j:log4j-core", "2.14.1"),
            "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1");
  EXPECT_EQ(purl(Ecosystem::composer, "symfony/http-kernel", ""),
            "pkg:composer/symfony/http-kernel");
  EXPECT_EQ(purl(Ecosystem::deb, "bash", "5"), "");
}

TEST(Purl, OctetsThatAreNoTextAreReplaced) {
  const auto package = package_of_purl("pkg:deb/debian/a%DAb%00c@1%FF?arch=x%80");
  ASSERT_TRUE(package);
  EXPECT_EQ(package->name, "a\uFFFDb\uFFFDc");
  EXPECT_EQ(package->version, "1\uFFFD");
  EXPECT_EQ(package->arch, "x\uFFFD");
  EXPECT_EQ(package_of_purl("pkg:npm/%C3%A9t%C3%A9@1")->name, "\u00E9t\u00E9");
}

}  // namespace
}  // namespace muster::model
