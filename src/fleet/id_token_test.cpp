// SPDX-License-Identifier: Apache-2.0
#include "fleet/id_token.h"

#include <map>

#include <gtest/gtest.h>

#include "base/limits.h"
#include "base/testing.h"

namespace muster::fleet {
namespace {

const Instant now = test_epoch;
const IdTokenTerms terms{"https://id.example.org", "muster", "the nonce"};

std::string seconds(Instant at) {
  return std::to_string(at.unix_ms / 1000);
}

/// Claims that are believed, but for what a test says otherwise: JSON values, empty to leave out.
std::string claims(const std::map<std::string, std::string>& otherwise = {}) {
  std::map<std::string, std::string> all = {
      {"iss", R"("https://id.example.org")"},
      {"aud", R"("muster")"},
      {"sub", R"("248289761001")"},
      {"nonce", R"("the nonce")"},
      {"iat", seconds(now)},
      {"exp", seconds(now + std::chrono::minutes(5))},
  };
  for (const auto& [name, value] : otherwise) all[name] = value;
  std::string json;
  for (const auto& [name, value] : all) {
    if (value.empty()) continue;
    json += (json.empty() ? "{\"" : ",\"") + name + "\":" + value;
  }
  return json + "}";
}
std::string refusal(const std::map<std::string, std::string>& otherwise) {
  const auto checked = check_id_token(claims(otherwise), terms, now);
  EXPECT_FALSE(checked.ok());
  if (checked.ok()) return "it was taken";
  EXPECT_EQ(checked.error().code, Errc::invalid_credentials);
  return checked.error().message;
}
bool is_taken(const std::map<std::string, std::string>& otherwise) {
  return check_id_token(claims(otherwise), terms, now).ok();
}

TEST(IdToken, NamesASubjectOfItsIssuer) {
  const auto proved = check_id_token(claims(), terms, now).value();
  EXPECT_EQ(proved.issuer, "https://id.example.org");
  EXPECT_EQ(proved.subject, "248289761001");
  EXPECT_EQ(proved.name, "248289761001") << "nothing better is known";
}

TEST(IdToken, IsOfTheIssuerLetterByLetter) {
  const std::string expected = "The provider's id token is of another issuer.";
  for (const char* issuer :
       {"", R"("https://id.example.org/")", R"("https://ID.example.org")",
        R"("http://id.example.org")", R"("")", "7", R"(["https://id.example.org"])"}) {
    EXPECT_EQ(refusal({{"iss", issuer}}), expected) << issuer;
  }
}

TEST(IdToken, IsForUs) {
  EXPECT_EQ(refusal({{"aud", ""}}), "The provider's id token names no audience.");
  for (const char* audience : {R"("other")", R"("muster ")", R"(["other"])", "[]", "7", "null"}) {
    EXPECT_EQ(refusal({{"aud", audience}}), "The provider's id token is for another client.")
        << audience;
  }
  EXPECT_TRUE(is_taken({{"aud", R"(["muster"])"}}));
}

TEST(IdToken, ForSeveralSaysThatWeAreWhomItWasGivenTo) {
  EXPECT_EQ(refusal({{"aud", R"(["muster","other"])"}}),
            "The provider's id token is for several clients and says not for whom.");
  EXPECT_TRUE(is_taken({{"aud", R"(["muster","other"])"}, {"azp", R"("muster")"}}));
  EXPECT_TRUE(is_taken({{"azp", R"("muster")"}}));
  for (const char* party : {R"("other")", R"("")", "null", "7"}) {
    EXPECT_EQ(refusal({{"azp", party}}), "The provider's id token was given to another client.");
  }
}

TEST(IdToken, IsGoodUntilItExpires) {
  const std::string expected = "The provider's id token has expired.";
  EXPECT_EQ(refusal({{"exp", seconds(now - limits::oidc_skew)}}), expected);
  EXPECT_TRUE(is_taken({{"exp", seconds(now - limits::oidc_skew + std::chrono::seconds(1))}}))
      << "our clock may be ahead";
}

TEST(IdToken, IsNewAndNotOfTheFuture) {
  const Duration second = std::chrono::seconds(1);
  EXPECT_TRUE(is_taken({{"iat", seconds(now + limits::oidc_skew)}}));
  EXPECT_EQ(refusal({{"iat", seconds(now + limits::oidc_skew + second)}}),
            "The provider's id token is of the future: compare the clocks.");
  const Instant oldest = now - limits::id_token_age - limits::oidc_skew;
  EXPECT_TRUE(is_taken({{"iat", seconds(oldest)}}));
  EXPECT_EQ(refusal({{"iat", seconds(oldest - second)}}), "The provider's id token is old.");
}

TEST(IdToken, SaysItsTimes) {
  const std::string expected =
      "The provider's id token does not say when it was issued and expires.";
  for (const char* time : {"", "null", R"("1767225600")", "-1", "1e300", "[]"}) {
    EXPECT_EQ(refusal({{"exp", time}}), expected) << time;
    EXPECT_EQ(refusal({{"iat", time}}), expected) << time;
  }
  EXPECT_TRUE(is_taken({{"iat", seconds(now) + ".25"}}));
}

TEST(IdToken, IsOfThisSignIn) {
  for (const char* nonce : {"", R"("")", R"("another nonc")", R"("the nonce ")", "null", "7"}) {
    EXPECT_EQ(refusal({{"nonce", nonce}}), "The provider's id token is of another sign-in.");
  }
}

TEST(IdToken, NamesSomebody) {
  const std::string longest(limits::oidc_subject_bytes, 's');
  EXPECT_TRUE(is_taken({{"sub", "\"" + longest + "\""}}));
  for (const std::string& subject :
       {std::string(), std::string(R"("")"), std::string("7"), std::string("null"),
        "\"" + longest + "s\"", std::string(R"("\u0000")"), std::string("\"\u00e4\"")}) {
    EXPECT_EQ(refusal({{"sub", subject}}), "The provider's id token names nobody.") << subject;
  }
}

TEST(IdToken, ShowsTheNameThatPeopleKnow) {
  const auto name = [](const std::map<std::string, std::string>& otherwise) {
    return check_id_token(claims(otherwise), terms, now).value().name;
  };
  EXPECT_EQ(name({{"name", R"("Ada")"}, {"email", R"("ada@example.org")"}}), "ada@example.org");
  EXPECT_EQ(name({{"name", R"("Ada")"}, {"preferred_username", R"("ada")"}}), "ada");
  EXPECT_EQ(name({{"name", R"("Ada")"}, {"email", "7"}}), "Ada");
  EXPECT_EQ(name({{"email", R"("a\u0007b")"}}), "248289761001") << "no control characters";
  EXPECT_EQ(name({{"email", "\"" + std::string(limits::name_bytes + 1, 'a') + "\""}}),
            "248289761001");
}

TEST(IdToken, IsAnObject) {
  for (const char* text : {"", "[]", "\"\"", "{", "no JSON"}) {
    EXPECT_FALSE(check_id_token(text, terms, now).ok()) << text;
  }
}

}  // namespace
}  // namespace muster::fleet
