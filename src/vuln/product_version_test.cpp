// SPDX-License-Identifier: Apache-2.0
#include "vuln/product_version.h"

#include <gtest/gtest.h>

namespace muster::vuln {
namespace {

/// "base|update|whole", with a + for a patch.
std::string parts(const char* product, const char* text) {
  const auto cpe = model::unbind_cpe("cpe:2.3:a:" + std::string(product) + ":*:*:*:*:*:*:*:*");
  const ProductVersion version = split_product_version(cpe.value(), text);
  return version.base + "|" + version.update + (version.patch ? "+" : "") + "|" + version.whole;
}

TEST(ProductVersion, SplitsPatchesFromWhatTheyPatch) {
  EXPECT_EQ(parts("openbsd:openssh", "9.3p2"), "9.3|p2+|9.3p2");
  EXPECT_EQ(parts("ntp:ntp", "4.2.8p15"), "4.2.8|p15+|4.2.8p15");
  EXPECT_EQ(parts("isc:bind", "9.16.23-P1"), "9.16.23|p1+|9.16.23-p1");
  EXPECT_EQ(parts("sudo_project:sudo", "1.9.5 Patch 2"), "1.9.5|p2+|1.9.5 patch 2");
  EXPECT_EQ(parts("v:p", "10.0 SP1"), "10.0|sp1+|10.0 sp1");
}

TEST(ProductVersion, SplitsPrereleasesFromTheirRelease) {
  EXPECT_EQ(parts("v:p", "2.0.0-beta.2"), "2.0.0|beta2|2.0.0-beta.2");
  EXPECT_EQ(parts("v:p", "5.4.0-RC1"), "5.4.0|rc1|5.4.0-rc1");
  EXPECT_EQ(parts("openssl:openssl", "1.1.1-pre1"), "1.1.1|pre1|1.1.1-pre1");
  EXPECT_EQ(parts("v:p", "3.2b1"), "3.2|beta1|3.2b1");
}

TEST(ProductVersion, TellsAPrereleasesLetterFromAPatchsByTheNumberRightAfterIt) {
  EXPECT_EQ(parts("v:p", "9.0.0.M1"), "9.0.0|m1|9.0.0.m1");
  EXPECT_EQ(parts("v:p", "2.0.0-milestone2"), "2.0.0|m2|2.0.0-milestone2");
  EXPECT_EQ(parts("v:p", "1.0.0.CR2"), "1.0.0|rc2|1.0.0.cr2");
  EXPECT_EQ(parts("v:p", "0.9.7a-2"), "0.9.7a-2||0.9.7a-2");
  EXPECT_EQ(parts("v:p", "1.3.5b"), "1.3.5b||1.3.5b");
}

TEST(ProductVersion, AWordForTheReleaseItselfIsNoUpdate) {
  EXPECT_EQ(parts("v:p", "4.1.9.Final"), "4.1.9||4.1.9.final");
  EXPECT_EQ(parts("v:p", "2.0-GA"), "2.0||2.0-ga");
  EXPECT_EQ(parts("v:p", "2.5.STABLE4"), "2.5.stable4||2.5.stable4") << "one of a series";
  for (const char* word : {"final", "GA", "gold", "release", "stable"}) {
    EXPECT_EQ(normalise_cpe_update(word), "") << word;
  }
}

TEST(ProductVersion, TakesAnUpdateOfTwoWords) {
  EXPECT_EQ(parts("ntp:ntp", "4.2.8p1-beta1"), "4.2.8|p1beta1+|4.2.8p1-beta1");
  EXPECT_EQ(parts("isc:bind", "9.11.37-S1"), "9.11.37|s1+|9.11.37-s1");
  EXPECT_EQ(parts("v:p", "2.0-rc1-p2"), "2.0|rc1p2|2.0-rc1-p2") << "before 2.0";
  EXPECT_EQ(parts("v:p", "2.0-p1-p2-p3"), "2.0-p1-p2-p3||2.0-p1-p2-p3");
}

TEST(ProductVersion, TakesAnUpdateThatIsStatedApartWhateverItIsCalled) {
  const auto joined = [](const char* version, const char* update) {
    const auto made = join_product_version(model::Cpe(), version, update);
    return made.base + "|" + made.update + (made.patch ? "+" : "") + "|" + made.whole;
  };
  EXPECT_EQ(joined("9.3", "p2"), "9.3|p2+|9.3-p2");
  EXPECT_EQ(joined("2.0", "rc1"), "2.0|rc1|2.0-rc1");
  EXPECT_EQ(joined("6.7", "670-202011301"), "6.7|670-202011301+|6.7-670-202011301");
  EXPECT_EQ(joined("7.0", "update3c"), "7.0|update3c+|7.0-update3c");
  EXPECT_EQ(joined("10.0", "final"), "10.0||10.0");
}

TEST(ProductVersion, LeavesOtherTextWhole) {
  EXPECT_EQ(parts("v:p", "22.01"), "22.01||22.01");
  EXPECT_EQ(parts("v:p", "1.0.2a"), "1.0.2a||1.0.2a");
  EXPECT_EQ(parts("v:p", "7.4.33-ubuntu1"), "7.4.33-ubuntu1||7.4.33-ubuntu1");
  EXPECT_EQ(parts("v:p", "2024-06-26t01"), "2024-06-26t01||2024-06-26t01");
  EXPECT_EQ(parts("v:p", ""), "||");
  EXPECT_EQ(parts("openssl:openssl", "1.0.2zh"), "1.0.2zh||1.0.2zh");
}

TEST(ProductVersion, TranslatesTheNumbersOfJavaAndPythonInstallers) {
  EXPECT_EQ(parts("oracle:jre", "8.0.3510.10"), "1.8.0|u351|1.8.0_351");
  EXPECT_EQ(parts("oracle:jre", "8u351"), "1.8.0|u351|1.8.0_351");
  EXPECT_EQ(parts("oracle:jdk", "1.8.0_351-b10"), "1.8.0|u351|1.8.0_351");
  EXPECT_EQ(parts("oracle:jdk", "1.7.0_05"), "1.7.0|u5|1.7.0_5");
  EXPECT_EQ(parts("oracle:jdk", "1.8.0-update_351"), "1.8.0|u351|1.8.0_351");
  EXPECT_EQ(parts("oracle:jdk", "1.8.0-b132"), "1.8.0|beta132|1.8.0-b132");
  EXPECT_EQ(parts("oracle:jdk", "17.0.8"), "17.0.8||17.0.8");
  EXPECT_EQ(parts("python:python", "3.10.6150.0"), "3.10.6||3.10.6");
  EXPECT_EQ(parts("python:python", "3.9.150.0"), "3.9.0||3.9.0");
  EXPECT_EQ(parts("v:p", "3.10.6150.0"), "3.10.6150.0||3.10.6150.0");
}

TEST(ProductVersion, GivesAnUpdateOneSpelling) {
  for (const char* text : {"update_3", "Update3", "u3", "update-03"}) {
    EXPECT_EQ(normalise_cpe_update(text), "u3") << text;
  }
  EXPECT_EQ(normalise_cpe_update("rc_1"), "rc1");
  EXPECT_EQ(normalise_cpe_update("patch2"), "p2");
  EXPECT_EQ(normalise_cpe_update("build_1234"), "build_1234");
  EXPECT_NE(normalise_cpe_update("sp1"), normalise_cpe_update("sp10"));
}

TEST(ProductVersion, ComparesUnderADeclaredScheme) {
  const auto scheme = [](const char* product, model::Ecosystem ecosystem) {
    const auto cpe = model::unbind_cpe("cpe:2.3:a:" + std::string(product) + ":*:*:*:*:*:*:*:*");
    const auto found = product_scheme(cpe.value(), ecosystem);
    return found ? std::string(version::scheme_name(*found)) : std::string("none");
  };
  EXPECT_EQ(scheme("v:p", model::Ecosystem::unknown), "generic");
  EXPECT_EQ(scheme("v:p", model::Ecosystem::macos), "generic");
  EXPECT_EQ(scheme("v:p", model::Ecosystem::windows), "windows");
  EXPECT_EQ(scheme("openssl:openssl", model::Ecosystem::windows), "openssl");
  EXPECT_EQ(scheme("oracle:jre", model::Ecosystem::windows), "jvm");
}

}  // namespace
}  // namespace muster::vuln
