// SPDX-License-Identifier: Apache-2.0
#include "crypto/webauthn.h"

#include <string>

#include <gtest/gtest.h>

#include "base/cbor_testing.h"
#include "base/limits.h"
#include "base/seeded_rng.h"
#include "base/text.h"
#include "crypto/passkey_testing.h"

namespace muster::crypto {
namespace {

using std::string_literals::operator""s;

std::string octets_of(std::string_view hex) {
  return from_hex(hex).value();
}

// The W3C's vector "none.ES256" (Web Authentication Level 3, 16.2).
const std::string w3c_attestation = octets_of(
    "a363666d74646e6f6e656761747453746d74a068617574684461746158a4bfabc37432958b063360d3ad6461c9c4"
    "735ae7f8edd46592a5e0f01452b2e4b559000000008446ccb9ab1db374750b2367ff6f3a1f0020f91f391db4c9b2"
    "fde0ea70189cba3fb63f579ba6122b33ad94ff3ec330084be4a5010203262001215820afefa16f97ca9b2d23eb86"
    "ccb64098d20db90856062eb249c33a9b672f26df61225820930a56b87a2fca66334b03458abf879717c12cc68ed7"
    "3290af2e2664796b9220");
constexpr std::string_view w3c_client_data =
    R"({"type":"webauthn.create","challenge":"AMMPt4UxxGTStncdq417YDwBFi8vpIa-pw8oOuVW4TA",)"
    R"("origin":"https://example.org","crossOrigin":false,"extraData":"clientDataJSON may be )"
    R"(extended with additional fields in the future, such as this: BkQeDjdcTBrXBiAwJTLE5Q"})";

TEST(Webauthn, ReadsThePasskeyOfTheW3c) {
  const auto data = decode_attestation_object(w3c_attestation);
  ASSERT_TRUE(data);
  const auto statement = decode_authenticator_data(*data);
  ASSERT_TRUE(statement);
  EXPECT_EQ(statement->rp_id_hash, sha256("example.org"));
  EXPECT_TRUE(statement->user_present);
  EXPECT_FALSE(statement->user_verified);
  EXPECT_TRUE(statement->backup_eligible);
  EXPECT_TRUE(statement->backed_up);
  EXPECT_EQ(statement->sign_count, 0U);
  ASSERT_TRUE(statement->credential);
  EXPECT_EQ(statement->credential->id,
            octets_of("f91f391db4c9b2fde0ea70189cba3fb63f579ba6122b33ad94ff3ec330084be4"));
  EXPECT_EQ(statement->credential->key.algorithm, CoseAlgorithm::es256);
  EXPECT_EQ(statement->credential->public_key.size(), 77U);
}

TEST(Webauthn, ReadsTheClientDataOfTheW3c) {
  const auto client = decode_client_data(w3c_client_data);
  ASSERT_TRUE(client);
  EXPECT_EQ(client->type, "webauthn.create");
  EXPECT_EQ(client->challenge,
            octets_of("00c30fb78531c464d2b6771dab8d7b603c01162f2fa486bea70f283ae556e130"));
  EXPECT_EQ(client->origin, "https://example.org");
  EXPECT_FALSE(client->cross_origin);
}

TEST(Webauthn, ClientDataNeedItsMembersAndTheirTypes) {
  EXPECT_TRUE(decode_client_data(R"({"type":"t","challenge":"","origin":"o"})"));
  EXPECT_TRUE(decode_client_data(R"({"type":"t","challenge":"","origin":"o","crossOrigin":true})")
                  ->cross_origin);
  for (const char* json : {
           "",
           "[]",
           "null",
           "{",
           R"({"type":"t","challenge":""})",
           R"({"type":"t","origin":"o"})",
           R"({"challenge":"","origin":"o"})",
           R"({"type":1,"challenge":"","origin":"o"})",
           R"({"type":"t","challenge":"a+/=","origin":"o"})",
           R"({"type":"t","challenge":"AA==","origin":"o"})",
           R"({"type":"t","challenge":"","origin":["o"]})",
           R"({"type":"t","challenge":"","origin":"o","crossOrigin":"no"})",
           R"({"type":"t","challenge":"","origin":"o"} x)",
       }) {
    EXPECT_FALSE(decode_client_data(json)) << json;
  }
}

TEST(Webauthn, AnAttestationOfAnyFormatIsReadForItsAuthenticatorData) {
  const TestPasskey passkey;
  for (const char* format : {"none", "packed", "tpm"}) {
    const std::string object = passkey.attestation_object(format);
    EXPECT_EQ(decode_attestation_object(object), passkey.attested_data()) << format;
  }
}

TEST(Webauthn, AnAttestationNeedsItsThreeParts) {
  using cbor::integer, cbor::map, cbor::octets, cbor::text;
  const std::string format = text("fmt"), statement = text("attStmt"), data = text("authData");
  for (const std::string& object : {
           map({{format, text("none")}, {statement, map({})}}),
           map({{format, text("none")}, {data, octets("x")}}),
           map({{statement, map({})}, {data, octets("x")}}),
           map({{format, integer(1)}, {statement, map({})}, {data, octets("x")}}),
           map({{format, text("none")}, {statement, octets("")}, {data, octets("x")}}),
           map({{format, text("none")}, {statement, map({})}, {data, text("x")}}),
           map({{format, text("none")}, {statement, map({})}, {data, octets("x")}}) + "x",
           octets("x"),
       }) {
    EXPECT_FALSE(decode_attestation_object(object));
  }
}

TEST(Webauthn, FlagsAndCounterAreRead) {
  TestPasskey passkey;
  passkey.flags = TestPasskey::user_verified;
  passkey.sign_count = 0x01020304;
  const auto statement = decode_authenticator_data(passkey.authenticator_data());
  ASSERT_TRUE(statement);
  EXPECT_FALSE(statement->user_present);
  EXPECT_TRUE(statement->user_verified);
  EXPECT_EQ(statement->sign_count, 0x01020304U);
  EXPECT_FALSE(statement->credential);
  EXPECT_EQ(statement->rp_id_hash, sha256("muster.example.org"));
}

TEST(Webauthn, WhatIsBackedUpWithoutBeingEligibleIsRefused) {
  TestPasskey passkey;
  passkey.flags |= TestPasskey::backed_up;
  EXPECT_FALSE(decode_authenticator_data(passkey.authenticator_data()));
  passkey.flags |= TestPasskey::backup_eligible;
  EXPECT_TRUE(decode_authenticator_data(passkey.authenticator_data())->backed_up);
}

TEST(Webauthn, AuthenticatorDataEndsWhereItSays) {
  TestPasskey passkey;
  const std::string plain = passkey.authenticator_data();
  const std::string attested = passkey.attested_data();
  ASSERT_TRUE(decode_authenticator_data(plain));
  ASSERT_TRUE(decode_authenticator_data(attested)->credential);
  EXPECT_FALSE(decode_authenticator_data(plain + "x"));
  EXPECT_FALSE(decode_authenticator_data(attested + "x"));
  for (const std::string& whole : {plain, attested}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      EXPECT_FALSE(decode_authenticator_data(whole.substr(0, size))) << size;
    }
  }
}

TEST(Webauthn, ExtensionsAreAMapBehindTheRest) {
  TestPasskey passkey;
  passkey.flags |= TestPasskey::extended;
  const std::string extensions = cbor::map({{cbor::text("credProtect"), cbor::integer(2)}});
  EXPECT_TRUE(decode_authenticator_data(passkey.authenticator_data() + extensions));
  const std::string attested = passkey.attested_data() + extensions;
  EXPECT_TRUE(decode_authenticator_data(attested)->credential);
  EXPECT_FALSE(decode_authenticator_data(passkey.authenticator_data()));
  EXPECT_FALSE(decode_authenticator_data(passkey.authenticator_data() + cbor::integer(2)));
  EXPECT_FALSE(decode_authenticator_data(passkey.authenticator_data() + extensions + "x"));
}

TEST(Webauthn, CredentialIdsHaveABound) {
  TestPasskey passkey;
  passkey.id = std::string(limits::credential_id_bytes, 'i');
  const std::string longest = passkey.attested_data();
  EXPECT_EQ(decode_authenticator_data(longest)->credential->id, passkey.id);
  passkey.id += 'i';
  EXPECT_FALSE(decode_authenticator_data(passkey.attested_data()));
  passkey.id.clear();
  EXPECT_FALSE(decode_authenticator_data(passkey.attested_data()));
}

TEST(Webauthn, WhatAnAuthenticatorWritesIsReadAsItWasMeant) {
  SeededRng rng(29);
  for (int round = 0; round < 500; ++round) {
    const std::uint64_t draw = rng.next_u64();
    TestPasskey passkey(static_cast<std::uint8_t>(draw));
    passkey.id = std::string(1 + draw / 256 % limits::credential_id_bytes, 'i');
    passkey.flags = static_cast<std::uint8_t>(draw >> 32U) & 0x0D;  // UP, UV, BE
    passkey.sign_count = static_cast<std::uint32_t>(rng.next_u64());
    const std::string object = passkey.attestation_object();
    const auto statement = decode_authenticator_data(decode_attestation_object(object).value());
    ASSERT_TRUE(statement && statement->credential);
    EXPECT_EQ(statement->sign_count, passkey.sign_count);
    EXPECT_EQ(statement->user_present, (passkey.flags & 0x01) != 0);
    EXPECT_EQ(statement->user_verified, (passkey.flags & 0x04) != 0);
    EXPECT_EQ(statement->backup_eligible, (passkey.flags & 0x08) != 0);
    EXPECT_EQ(statement->credential->id, passkey.id);
    EXPECT_EQ(statement->credential->public_key, passkey.cose_key());
    const std::string challenge = passkey.id.substr(0, draw % 64);
    const auto client = decode_client_data(passkey.client_data("webauthn.get", challenge));
    ASSERT_TRUE(client);
    EXPECT_EQ(client->challenge, challenge);
  }
}

// RFC 4648, 10, and the two letters in which the alphabets differ.
TEST(Base64url, IsReadAsItIsWritten) {
  EXPECT_EQ(to_base64url(""), "");
  EXPECT_EQ(to_base64url("f"), "Zg");
  EXPECT_EQ(to_base64url("foobar"), "Zm9vYmFy");
  EXPECT_EQ(to_base64url("\xFB\xFF"), "-_8");
  EXPECT_EQ(from_base64url("-_8"), "\xFB\xFF");
  EXPECT_EQ(from_base64url(""), "");
  for (const char* text : {"Zg==", "Z", "+/8", "Zm9v YmFy", "Zh", "Zg\n"}) {
    EXPECT_FALSE(from_base64url(text)) << text;
  }
}

TEST(RelyingParty, IsTheHostOfTheAddressAndItsOrigin) {
  const auto shown = [](std::string_view url) {
    const auto party = relying_party_of(url);
    return party ? party->id + " " + party->origin : "none"s;
  };
  EXPECT_EQ(shown("https://muster.example.org"), "muster.example.org https://muster.example.org");
  EXPECT_EQ(shown("https://Muster.Example.org:443/"),
            "muster.example.org https://muster.example.org");
  EXPECT_EQ(shown("https://muster.example.org:8443/console"),
            "muster.example.org https://muster.example.org:8443");
  EXPECT_EQ(shown("https://muster"), "muster https://muster");
  EXPECT_EQ(shown("http://localhost:8480"), "localhost http://localhost:8480");
  EXPECT_EQ(shown("http://localhost:80"), "localhost http://localhost");
}

TEST(RelyingParty, LoopbackIsLocalhost) {
  EXPECT_EQ(relying_party_of("http://127.0.0.1:8480")->origin, "http://localhost:8480");
  EXPECT_EQ(relying_party_of("https://[::1]:8480")->origin, "https://localhost:8480");
}

TEST(RelyingParty, ThereIsNoneWhereBrowsersTakeNone) {
  for (const char* url : {
           "",
           "muster.example.org",
           "http://muster.example.org",
           "https://192.0.2.1:8480",
           "https://[2001:db8::1]",
           "https://",
           "https://a..b",
           "https://-a.org",
           "https://a.org.",
           "https://a_b.org",
           "https://1.2.3",
           "https://user@a.org",
           "https://a.org:port",
           "ftp://a.org",
           "https://[::1",
           "http://127.0.0.1.example.org",
       }) {
    EXPECT_FALSE(relying_party_of(url)) << url;
  }
}

}  // namespace
}  // namespace muster::crypto
