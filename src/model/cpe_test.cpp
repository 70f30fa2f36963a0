// SPDX-License-Identifier: Apache-2.0
#include "model/cpe.h"

#include <gtest/gtest.h>

namespace muster::model {
namespace {

std::string unbound(std::string_view text) {
  const auto cpe = unbind_cpe(text);
  return cpe.ok() ? bind_to_formatted_string(*cpe) : "error: " + cpe.error().message;
}

std::string uri_of(std::string_view text) {
  const auto cpe = unbind_cpe(text);
  return cpe.ok() ? bind_to_uri(*cpe) : "error: " + cpe.error().message;
}

TEST(Cpe, ReadsAFormattedString) {
  const auto cpe =
      unbind_cpe("cpe:2.3:a:Google:Chrome:121.0.6167.85:rc_1:-:en\\-us:lts:Android:x64:*");
  ASSERT_TRUE(cpe.ok()) << cpe.error().message;
  EXPECT_EQ((*cpe)[CpeAttribute::part], "a");
  EXPECT_EQ((*cpe)[CpeAttribute::vendor], "google");
  EXPECT_EQ((*cpe)[CpeAttribute::product], "chrome");
  EXPECT_EQ((*cpe)[CpeAttribute::version], "121.0.6167.85");
  EXPECT_EQ((*cpe)[CpeAttribute::update], "rc_1");
  EXPECT_EQ((*cpe)[CpeAttribute::edition], "-");
  EXPECT_EQ((*cpe)[CpeAttribute::language], "en-us");
  EXPECT_EQ((*cpe)[CpeAttribute::sw_edition], "lts");
  EXPECT_EQ((*cpe)[CpeAttribute::target_sw], "android");
  EXPECT_EQ((*cpe)[CpeAttribute::target_hw], "x64");
  EXPECT_EQ((*cpe)[CpeAttribute::other], "*");
}

TEST(Cpe, SplitsOnUnescapedColonsOnly) {
  const auto colon = parse_cpe(R"(cpe:2.3:a:xml\:\:atom_project:xml\:\:atom:0.1:*:*:*:*:perl:*:*)");
  ASSERT_TRUE(colon.ok()) << colon.error().message;
  EXPECT_EQ((*colon)[CpeAttribute::vendor], R"(xml\:\:atom_project)");
  EXPECT_EQ((*colon)[CpeAttribute::product], R"(xml\:\:atom)");
  // An escaped backslash escapes nothing after it.
  const auto backslash = parse_cpe(R"(cpe:2.3:a:v:p\\:1:*:*:*:*:*:*:*)");
  ASSERT_TRUE(backslash.ok()) << backslash.error().message;
  EXPECT_EQ((*backslash)[CpeAttribute::product], R"(p\\)");
  EXPECT_EQ((*backslash)[CpeAttribute::version], "1");
}

TEST(Cpe, GivesEveryValueOneSpelling) {
  EXPECT_EQ(unbound(R"(cpe:2.3:a:V:foo\-bar\.Baz:*:*:*:*:*:*:*:*)"),
            "cpe:2.3:a:v:foo-bar.baz:*:*:*:*:*:*:*:*");
  EXPECT_EQ(unbound("  cpe:2.3:A:V:P:1:*:*:*:*:*:*:* "), "cpe:2.3:a:v:p:1:*:*:*:*:*:*:*");
}

TEST(Cpe, TakesWildcardsAtTheEndsOfAValueOnly) {
  for (const char* value : {"8.*", "*8", "*8*", "??", "?8??", R"(\*8*)", R"(8\\*)", R"(8\*)"}) {
    const std::string text = "cpe:2.3:a:v:p:" + std::string(value) + ":*:*:*:*:*:*:*";
    EXPECT_EQ(unbound(text), text);
  }
  for (const char* value : {"8*1", "8?1", "**", "?*", "*?", "**8", "8**", "*??", R"(*\\*1)"}) {
    const std::string text = "cpe:2.3:a:v:p:" + std::string(value) + ":*:*:*:*:*:*:*";
    EXPECT_FALSE(unbind_cpe(text).ok()) << text;
  }
}

TEST(Cpe, RefusesAFormattedStringThatNoNameBindsTo) {
  for (const char* value : {"", R"(\-)", R"(\a)", R"(\7)", R"(\_)", "a+b", "a b", "a%20b", "a~b",
                            "\x01", R"(a\)", "ä"}) {
    const std::string text = "cpe:2.3:a:v:p:1:" + std::string(value) + ":*:*:*:*:*:*";
    EXPECT_FALSE(unbind_cpe(text).ok()) << text;
  }
  EXPECT_FALSE(unbind_cpe("cpe:2.3:a:v:p:1:*:*:*:*:*:*").ok());
  EXPECT_FALSE(unbind_cpe("cpe:2.3:a:v:p:1:*:*:*:*:*:*:*:*").ok());
  EXPECT_FALSE(unbind_cpe("cpe:2.3:app:v:p:1:*:*:*:*:*:*:*").ok());
  EXPECT_FALSE(unbind_cpe("cpe:2.2:a:v:p:1:*:*:*:*:*:*:*").ok());
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

TEST(Cpe, ReadsAUri) {
  EXPECT_EQ(unbound("cpe:/a:google:chrome:121.0"), "cpe:2.3:a:google:chrome:121.0:*:*:*:*:*:*:*");
  EXPECT_EQ(unbound("cpe:/a:google:chrome"), "cpe:2.3:a:google:chrome:*:*:*:*:*:*:*:*");
  EXPECT_EQ(unbound("cpe:/"), "cpe:2.3:*:*:*:*:*:*:*:*:*:*:*");
  EXPECT_EQ(unbound("CPE:/A:notepad-plus-plus:Notepad%2B%2b:8.5"),
            R"(cpe:2.3:a:notepad-plus-plus:notepad\+\+:8.5:*:*:*:*:*:*:*)");
  EXPECT_EQ(unbound("cpe:/o:linux:linux_kernel:-"), "cpe:2.3:o:linux:linux_kernel:-:*:*:*:*:*:*:*");
  EXPECT_EQ(unbound("cpe:/a:hp:insight:7.4.0.1570:-:~~online~win2003~x64~"),
            "cpe:2.3:a:hp:insight:7.4.0.1570:-:*:*:online:win2003:x64:*");
  EXPECT_EQ(unbound("cpe:/a:hp:om:7::~-~~~~:en-us"), "cpe:2.3:a:hp:om:7:*:-:en-us:*:*:*:*");
  EXPECT_EQ(unbound("cpe:/a:hp:om:7::foo~bar"), R"(cpe:2.3:a:hp:om:7:*:foo\~bar:*:*:*:*:*)");
  EXPECT_EQ(unbound("cpe:/a:microsoft:ie:8.%02:%01%01"),
            "cpe:2.3:a:microsoft:ie:8.*:\?\?:*:*:*:*:*:*");
}

TEST(Cpe, RefusesAUriThatNoNameBindsTo) {
  for (const char* text :
       {"cpe:/a:v:p:1:2:3:4:5", "cpe:/a:v:8%021", "cpe:/a:v:8%011", "cpe:/a:v:%02", "cpe:/a:v:%03",
        "cpe:/a:v:%zz", "cpe:/a:v:%2", "cpe:/a:v:%", "cpe:/a:v:%20", "cpe:/a:v:%7f", "cpe:/a:v:%2d",
        "cpe:/a:v:%41", "cpe:/a:v:c++", "cpe:/a:v:a*", "cpe:/x:v:p", "cpe:/a:v:p:1::~a~b~c~d",
        "cpe:/a:v:p:1::~a~b~c~d~e~f", "cpe:/a:v:p:1::~"}) {
    EXPECT_FALSE(unbind_cpe(text).ok()) << text;
  }
}

TEST(Cpe, BindsToAUri) {
  EXPECT_EQ(uri_of("cpe:2.3:a:google:chrome:*:*:*:*:*:*:*:*"), "cpe:/a:google:chrome");
  EXPECT_EQ(uri_of("cpe:2.3:a:hp:om:7:*:*:*:*:*:x64:*"), "cpe:/a:hp:om:7::~~~~x64~");
  EXPECT_EQ(uri_of("cpe:2.3:a:hp:om:7:*:*:en:*:*:*:*"), "cpe:/a:hp:om:7:::en");
  EXPECT_EQ(uri_of(R"(cpe:2.3:a:v:c\+\+:8.*:-:*:*:*:*:*:*)"), "cpe:/a:v:c%2b%2b:8.%02:-");
  EXPECT_EQ(uri_of("cpe:2.3:*:*:*:*:*:*:*:*:*:*:*"), "cpe:/");
}

using enum CpeRelation;

struct Relation {
  const char* source;
  const char* target;
  CpeRelation expected;
};

TEST(CpeRelations, OfValuesAreThoseOfTheStandardsTable) {
  const Relation table[] = {
      {"*", "*", equal},      {"*", "-", superset},   {"*", "i", superset},
      {"*", "i*", undefined}, {"-", "*", subset},     {"-", "-", equal},
      {"-", "i", disjoint},   {"-", "i*", undefined}, {"i", "i", equal},
      {"i", "k", disjoint},   {"i", "-", disjoint},   {"i", "*", subset},
      {"i", "i*", undefined}, {"m*", "m2", superset}, {"m*", "n2", disjoint},
      {"m*", "*", subset},    {"m*", "-", disjoint},  {"m*", "m*", undefined},
  };
  for (const Relation& row : table) {
    EXPECT_EQ(relate_cpe_values(row.source, row.target), row.expected)
        << row.source << " " << row.target;
  }
}

TEST(CpeRelations, OfPatternsCountCharacters) {
  const Relation table[] = {
      {"8.*", "8.0", superset},
      {"8.*", "8.", superset},
      {"8.*", "8", disjoint},
      {"8.?", "8.0", superset},
      {"8.?", "8.", disjoint},
      {"8.?", "8.01", disjoint},
      {"8.??", "8.01", superset},
      {"??", "ab", superset},
      {"??", "a", disjoint},
      {"?b?", "abc", superset},
      {"?b?", "abcd", disjoint},
      {"*b?", "aabc", superset},
      {"*b?", "bbbb", superset},
      {"*b?", "b", disjoint},
      {"*aba*", "xababax", superset},
      {"*sp1*", "foosp2", disjoint},
      // An escaped character is one character, and no wildcard.
      {R"(c?)", R"(c\+)", superset},
      {R"(c\+*)", R"(c\+\+)", superset},
      {R"(c\*)", "cx", disjoint},
      {R"(c\*)", R"(c\*)", equal},
      {R"(c\\*)", R"(c\\d)", superset},
  };
  for (const Relation& row : table) {
    EXPECT_EQ(relate_cpe_values(row.source, row.target), row.expected)
        << row.source << " " << row.target;
  }
}

TEST(CpeRelations, OfNamesCombineThoseOfTheirValues) {
  const auto relation = [](std::string_view source, std::string_view target) {
    return relate_cpe_names(unbind_cpe("cpe:/" + std::string(source)).value(),
                            unbind_cpe("cpe:/" + std::string(target)).value());
  };
  EXPECT_EQ(relation("a:adobe:flash:9", "a:adobe:flash:9"), equal);
  EXPECT_EQ(relation("a:adobe::9", "a:adobe:reader:9"), superset);
  EXPECT_EQ(relation("a:adobe:reader:9", "a:adobe::9"), subset);
  EXPECT_EQ(relation("a:adobe:reader:9", "a:adobe:reader:-"), disjoint);
  EXPECT_EQ(relation("a:adobe::9", "a:adobe:reader:8"), disjoint);
  EXPECT_EQ(relation("a:adobe::9", "a:adobe:reader"), undefined);
  EXPECT_EQ(relation("a:adobe:reader:9.%02:-", "a:adobe:reader:9.3.2:-"), superset);
  EXPECT_EQ(relation("a:adobe:reader", "a:adobe:reader:9.%02"), undefined);
  // Disjoint whatever else cannot be said.
  EXPECT_EQ(relation("a:adobe:reader", "a:oracle:reader:9.%02"), disjoint);
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
}  // namespace muster::model
