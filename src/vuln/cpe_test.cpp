// SPDX-License-Identifier: Apache-2.0
#include "vuln/cpe.h"

#include <gtest/gtest.h>

namespace muster::vuln {
namespace {

std::string bound(std::string_view text) {
  const auto cpe = parse_cpe(text);
  return cpe.ok() ? cpe->text : "error: " + cpe.error().message;
}

TEST(Cpe, ReadsAFormattedString) {
  const auto cpe = parse_cpe("cpe:2.3:a:Google:Chrome:121.0.6167.85:*:*:*:*:*:*:*");
  ASSERT_TRUE(cpe.ok()) << cpe.error().message;
  EXPECT_EQ(cpe->part, 'a');
  EXPECT_EQ(cpe->vendor, "google");
  EXPECT_EQ(cpe->product, "chrome");
  EXPECT_EQ(cpe->version, "121.0.6167.85");
  EXPECT_EQ(cpe->text, "cpe:2.3:a:google:chrome:121.0.6167.85:*:*:*:*:*:*:*");
}

TEST(Cpe, SplitsOnUnescapedColonsOnly) {
  const auto colon = parse_cpe(R"(cpe:2.3:a:xml\:\:atom_project:xml\:\:atom:0.1:*:*:*:*:perl:*:*)");
  ASSERT_TRUE(colon.ok()) << colon.error().message;
  EXPECT_EQ(colon->vendor, R"(xml\:\:atom_project)");
  EXPECT_EQ(colon->product, R"(xml\:\:atom)");
  // An escaped backslash escapes nothing after it.
  const auto backslash = parse_cpe(R"(cpe:2.3:a:v:p\\:1:*:*:*:*:*:*:*)");
  ASSERT_TRUE(backslash.ok()) << backslash.error().message;
  EXPECT_EQ(backslash->product, R"(p\\)");
  EXPECT_EQ(backslash->version, "1");
  EXPECT_EQ(parse_cpe(R"(cpe:2.3:o:cisco:ios:12.4\(3\):*:*:*:*:*:*:*)")->part, 'o');
}

TEST(Cpe, RefusesWhatNamesNoProduct) {
  for (const char* text : {"",
                           "chrome",
                           "cpe:2.3:a:google:chrome",
                           "cpe:2.3:a:google:chrome:1:*:*:*:*:*:*",
                           "cpe:2.3:a:google:chrome:1:*:*:*:*:*:*:*:*",
                           "cpe:2.3:*:google:chrome:1:*:*:*:*:*:*:*",
                           "cpe:2.3:x:google:chrome:1:*:*:*:*:*:*:*",
                           "cpe:2.3:a:*:chrome:1:*:*:*:*:*:*:*",
                           "cpe:2.3:a:google:*:1:*:*:*:*:*:*:*",
                           "cpe:2.3:a:google:-:1:*:*:*:*:*:*:*",
                           "cpe:2.3:a:goog*:chrome:1:*:*:*:*:*:*:*",
                           "cpe:2.3:a:google:chro?e:1:*:*:*:*:*:*:*",
                           "cpe:2.3:a::chrome:1:*:*:*:*:*:*:*",
                           "cpe:2.3:a:google:chrome:1:*:*:*:*:*:*:\\",
                           "cpe:2.3:a:google:chrome 1:1:*:*:*:*:*:*:*",
                           "cpe:2.3:a:goögle:chrome:1:*:*:*:*:*:*:*",
                           "cpe:2.3:a:c++:c++:1:*:*:*:*:*:*:*",
                           "cpe:/x:google:chrome",
                           "cpe:/a:google",
                           "cpe:/a:google:%02",
                           "cpe:/a:google:%zz",
                           "cpe:/a:v:p:1:2:3:4:5"}) {
    EXPECT_FALSE(parse_cpe(text).ok()) << text;
  }
  EXPECT_FALSE(parse_cpe("cpe:/a:v:" + std::string(1000, 'p')).ok());
}

TEST(Cpe, BindsAUriToItsFormattedString) {
  EXPECT_EQ(bound("cpe:/a:google:chrome:121.0"), "cpe:2.3:a:google:chrome:121.0:*:*:*:*:*:*:*");
  EXPECT_EQ(bound("cpe:/a:google:chrome"), "cpe:2.3:a:google:chrome:*:*:*:*:*:*:*:*");
  EXPECT_EQ(bound("cpe:/a:notepad-plus-plus:notepad%2b%2b:8.5"),
            R"(cpe:2.3:a:notepad-plus-plus:notepad\+\+:8.5:*:*:*:*:*:*:*)");
  EXPECT_EQ(bound("cpe:/o:linux:linux_kernel:-"), "cpe:2.3:o:linux:linux_kernel:-:*:*:*:*:*:*:*");
}

TEST(Cpe, EscapesWhatAFormattedStringMust) {
  EXPECT_EQ(escape_cpe_value("Notepad++"), R"(notepad\+\+)");
  EXPECT_EQ(escape_cpe_value("22.01_a-b"), "22.01_a-b");
  EXPECT_EQ(escape_cpe_value("1:2.3 x"), R"(1\:2.3_x)");
  EXPECT_EQ(make_cpe("7-zip", "7-zip", "22.01"), "cpe:2.3:a:7-zip:7-zip:22.01:*:*:*:*:*:*:*");
  EXPECT_EQ(make_cpe("7-zip", "7-zip", ""), "cpe:2.3:a:7-zip:7-zip:*:*:*:*:*:*:*:*");
  EXPECT_TRUE(parse_cpe(make_cpe("a", "b", escape_cpe_value("1:2.3~rc1+x"))).ok());
}

}  // namespace
}  // namespace muster::vuln
