// SPDX-License-Identifier: Apache-2.0
#include "model/advisory.h"

#include <gtest/gtest.h>

namespace muster::model {
namespace {

TEST(EpssShares, AreRoundedAndNothingBeyondZeroAndOneIsOne) {
  EXPECT_EQ(parse_epss_share("0"), 0);
  EXPECT_EQ(parse_epss_share("0.1"), 10'000);
  EXPECT_EQ(parse_epss_share("0.97567"), 97'567);
  EXPECT_EQ(parse_epss_share("1e-2"), 1'000);
  EXPECT_EQ(parse_epss_share("1"), EpssScore::whole);
  for (const char* text : {"", "1.1", "-0.1", "nan", "inf", "10%", "0,1", " 0.1", "0.1 "}) {
    EXPECT_EQ(parse_epss_share(text), std::nullopt) << text;
  }
}

Advisory full_advisory() {
  Advisory advisory;
  advisory.feed = "debian";
  advisory.id = "DSA-5496-1";
  advisory.aliases = {"GHSA-j7hp-h8jx-5ppr", "CVE-2023-4863"};
  advisory.ecosystem = Ecosystem::deb;
  advisory.distro = "debian:12";
  advisory.package = "libwebp";
  advisory.status = Advisory::Status::affected;
  advisory.ranges = {{"", "1.2.4-0.2+deb12u1", ""}, {"2.0", "", "2.1"}};
  advisory.configurations = {
      {true,
       false,
       {{false,
         false,
         {{"cpe:2.3:a:v:p:*:*:*:*:*:*:*:*", true, {"1.0", "2.0", "", ""}},
          {R"(cpe:2.3:a:v:p:3\(1\):*:*:*:*:*:*:*)", true, {}}}},
        {true, true, {{"cpe:2.3:o:v:os:-:*:*:*:*:*:*:*", false, {"", "", "4", "3"}}}}}},
      {false, true, {}}};
  advisory.score_tenths = 98;
  advisory.disputed = true;
  advisory.severity = Severity::high;
  advisory.urgency = "not yet assigned";
  advisory.summary = "A heap overflow; \"quoted\", with a tab\t, a line\nend and an é.";
  return advisory;
}

TEST(Advisory, ComesBackFromItsStoredForm) {
  for (const auto status : {Advisory::Status::affected, Advisory::Status::not_affected,
                            Advisory::Status::undetermined}) {
    for (const auto severity : {Severity::unknown, Severity::negligible, Severity::critical}) {
      Advisory advisory = full_advisory();
      advisory.status = status;
      advisory.severity = severity;
      const auto back = decode_advisory(encode_advisory(advisory));
      ASSERT_TRUE(back.ok()) << back.error().message;
      EXPECT_EQ(*back, advisory);
    }
  }
}

TEST(Advisory, WithOnlyFeedAndIdComesBackToo) {
  Advisory advisory;
  advisory.feed = "debian";
  advisory.id = "TEMP-0841856-B18BAF";
  advisory.ranges = {{}};
  const auto back = decode_advisory(encode_advisory(advisory));
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(*back, advisory);
}

TEST(Advisory, FindsItsCveInIdThenAliases) {
  Advisory advisory = full_advisory();
  EXPECT_EQ(advisory.cve(), "CVE-2023-4863");
  advisory.id = "CVE-2016-2781";
  EXPECT_EQ(advisory.cve(), "CVE-2016-2781");
  advisory.id = "TEMP-0841856-B18BAF";
  advisory.aliases = {"CVE-2023", "CVE-2023-12", "CVE-20x3-1234", "CVE-2023-12a4"};
  EXPECT_EQ(advisory.cve(), std::nullopt);
}

TEST(Advisory, StoredFormNamesWhatIsWrong) {
  const auto field_of = [](std::string_view json) {
    const auto read = decode_advisory(json);
    return read.ok() ? std::string("none") : read.error().field;
  };
  EXPECT_EQ(field_of(R"({"id": "CVE-1"})"), "feed");
  EXPECT_EQ(field_of(R"({"feed": "f", "id": "i", "status": "?", "severity": "low"})"), "status");
  EXPECT_EQ(field_of(R"({"feed": "f", "id": "i", "status": "affected", "severity": "bad"})"),
            "severity");
  EXPECT_EQ(field_of(R"({"feed": "f", "id": "i", "ecosystem": "zz", "status": "affected",
                         "severity": "low"})"),
            "ecosystem");
  EXPECT_EQ(field_of(R"({"feed": "f", "id": "i", "status": "affected", "severity": "low",
                         "ranges": [{}, {"fixed": 3}]})"),
            "ranges[1]");
  EXPECT_FALSE(decode_advisory("[]").ok());
  EXPECT_FALSE(decode_advisory("{").ok());
}

TEST(Severity, IsOrderedAndReadInAnyCase) {
  EXPECT_LT(Severity::unknown, Severity::negligible);
  EXPECT_LT(Severity::high, Severity::critical);
  EXPECT_EQ(parse_severity("HIGH"), Severity::high);
  EXPECT_EQ(parse_severity("severe"), std::nullopt);
  EXPECT_EQ(severity_name(Severity::negligible), "negligible");
}

TEST(KevEntry, ComesBackFromItsStoredForm) {
  KevEntry entry{"CVE-2023-4911", "GNU",        "GNU C Library", "Buffer overflow",
                 "2023-11-21",    "2023-12-12", "Apply fixes.",  true};
  const auto back = decode_kev_entry(encode_kev_entry(entry));
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(*back, entry);
  EXPECT_FALSE(decode_kev_entry(R"({"product": "x"})").ok());
}

}  // namespace
}  // namespace muster::model
