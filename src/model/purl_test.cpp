// SPDX-License-Identifier: Apache-2.0
#include "model/purl.h"

#include <gtest/gtest.h>

namespace muster::model {
namespace {

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

}  // namespace
}  // namespace muster::model
