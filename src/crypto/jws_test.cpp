// SPDX-License-Identifier: Apache-2.0
#include "crypto/jws.h"

#include <string>

#include <gtest/gtest.h>

#include "base/limits.h"
#include "crypto/base64url.h"
#include "crypto/jws_testing.h"

namespace muster::crypto {
namespace {

// RFC 7515, A.2 and A.3: one payload, signed by RS256 and by ES256.
const std::string payload =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
    "fQ";
const std::string rsa_signature =
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5"
    "jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb"
    "1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QO"
    "YEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
const std::string modulus =
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4"
    "d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5re"
    "xMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxX"
    "FvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
const std::string rsa_jws = "eyJhbGciOiJSUzI1NiJ9." + payload + "." + rsa_signature;
const std::string rsa_jwk = R"({"kty":"RSA","n":")" + modulus + R"(","e":"AQAB"})";
const std::string ec_jws =
    "eyJhbGciOiJFUzI1NiJ9." + payload +
    ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
const std::string ec_jwk =
    R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
    R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})";

std::vector<Jwk> keys(const std::string& jwks) {
  return decode_jwk_set(R"({"keys":[)" + jwks + "]}").value();
}
CoseKey key(const std::string& jwk) {
  return keys(jwk).at(0).key;
}
bool is_signed(const std::string& text, const CoseKey& by) {
  const auto jws = decode_jws(text);
  return jws && verify(*jws, by);
}
std::string under(std::string_view header) {
  return TestSigner().sign_under(header, "{}");
}

TEST(Jws, VerifiesTheExamplesOfRfc7515) {
  EXPECT_TRUE(is_signed(rsa_jws, key(rsa_jwk)));
  EXPECT_TRUE(is_signed(ec_jws, key(ec_jwk)));
  const auto jws = decode_jws(ec_jws).value();
  EXPECT_EQ(jws.payload, from_base64url(payload));
  EXPECT_EQ(jws.key_id, "");
}

TEST(Jws, WithAnyLetterChangedVerifiesNothing) {
  for (const auto& [text, by] :
       {std::pair(rsa_jws, key(rsa_jwk)), std::pair(ec_jws, key(ec_jwk))}) {
    for (std::size_t at = 0; at < text.size(); ++at) {
      std::string changed = text;
      changed[at] = changed[at] == 'A' ? 'B' : 'A';
      EXPECT_FALSE(is_signed(changed, by)) << at;
    }
  }
}

TEST(Jws, VerifiesNothingByAnotherKeyOrAnotherAlgorithm) {
  EXPECT_FALSE(is_signed(rsa_jws, key(ec_jwk)));
  EXPECT_FALSE(is_signed(ec_jws, key(rsa_jwk)));
  EXPECT_FALSE(is_signed(ec_jws, key(TestSigner().jwk())));
  EXPECT_FALSE(is_signed(
      "eyJhbGciOiJSUzI1NiJ9." + payload + "." + ec_jws.substr(ec_jws.rfind('.') + 1), key(ec_jwk)))
      << "the algorithm is the key's as well";
}

TEST(Jws, SignedByTheTestsOwnSignerIsTaken) {
  const TestSigner signer;
  const std::string text = signer.sign(R"({"a":1})");
  EXPECT_TRUE(is_signed(text, key(signer.jwk())));
  EXPECT_EQ(decode_jws(text)->key_id, "key 1");
  EXPECT_EQ(decode_jws(text)->payload, R"({"a":1})");
  EXPECT_EQ(keys(signer.jwk()).at(0).key_id, "key 1");
}

TEST(Jws, OfOtherAlgorithmsIsRefused) {
  for (const char* name : {"none", "None", "HS256", "HS512", "RS1", "RS384", "RS512", "PS256",
                           "ES384", "ES256K", "EdDSA", "es256", ""}) {
    EXPECT_FALSE(decode_jws(under(R"({"alg":")" + std::string(name) + R"("})"))) << name;
  }
  EXPECT_FALSE(decode_jws(under("{}"))) << "no algorithm";
  EXPECT_FALSE(decode_jws(under(R"({"alg":["ES256"]})")));
  EXPECT_TRUE(decode_jws(under(R"({"alg":"ES256","typ":"JWT"})")));
}

TEST(Jws, WithMembersThatMustBeUnderstoodIsRefused) {
  EXPECT_FALSE(decode_jws(under(R"({"alg":"ES256","crit":["exp"],"exp":1})")));
  EXPECT_FALSE(decode_jws(under(R"({"alg":"ES256","crit":[]})")));
  EXPECT_FALSE(decode_jws(under(R"({"alg":"ES256","b64":false,"crit":["b64"]})")));
}

TEST(Jws, OfAnotherFormIsRefused) {
  const std::string whole = TestSigner().sign("{}");
  EXPECT_TRUE(decode_jws(whole));
  const std::string long_id(limits::jws_key_id_bytes + 1, 'k');
  for (const std::string& text :
       {std::string(), std::string("."), std::string(".."), std::string("a.b"), whole + ".",
        "." + whole, whole + "=", whole + "\n", whole.substr(whole.find('.')), under("no JSON"),
        under("[]"), under(R"({"alg":"ES256","kid":7})"),
        under(R"({"alg":"ES256","kid":")" + long_id + R"("})"),
        TestSigner().sign(std::string(limits::jws_bytes, ' '))}) {
    EXPECT_FALSE(decode_jws(text)) << text.substr(0, 200);
  }
}

TEST(Jws, WithASignatureOfAnotherLengthVerifiesNothing) {
  const TestSigner signer;
  auto jws = decode_jws(ec_jws).value();
  for (const std::string& signature : {std::string(), std::string(63, 'x'), std::string(65, 'x'),
                                       std::string(64, '\0'), std::string(64, '\xFF')}) {
    jws.signature = signature;
    EXPECT_FALSE(verify(jws, key(ec_jwk))) << signature.size();
  }
}

TEST(JwkSet, LeavesOutWhatIsNoKeyForSignatures) {
  const std::string weak = to_base64url(std::string(255, '\xFF'));
  for (const std::string& jwk :
       {std::string("{}"), std::string("7"), std::string(R"({"kty":"oct","k":"AAAA"})"),
        std::string(R"({"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"})"),
        R"({"kty":"EC","crv":"P-384",)" + ec_jwk.substr(ec_jwk.find("\"x\"")),
        R"({"use":"enc",)" + ec_jwk.substr(1), R"({"alg":"ES384",)" + ec_jwk.substr(1),
        R"({"alg":"RS512",)" + rsa_jwk.substr(1), R"({"alg":"PS256",)" + rsa_jwk.substr(1),
        R"({"kty":"RSA","e":"AQAB","n":")" + weak + R"("})",
        R"({"kty":"RSA","e":"AQ","n":")" + modulus + R"("})",
        std::string(R"({"kty":"RSA","e":"AQAB"})"), R"({"kid":7,)" + ec_jwk.substr(1)}) {
    EXPECT_EQ(keys(jwk + "," + rsa_jwk).size(), 1U) << jwk;
  }
  EXPECT_EQ(keys(R"({"use":"sig","alg":"ES256","kid":"a",)" + ec_jwk.substr(1)).at(0).key_id, "a");
}

TEST(JwkSet, OfAnotherFormIsRefused) {
  std::string many = rsa_jwk;
  for (std::size_t i = 1; i < limits::jwk_set_keys; ++i) many += "," + rsa_jwk;
  EXPECT_EQ(keys(many).size(), limits::jwk_set_keys);
  EXPECT_FALSE(decode_jwk_set(R"({"keys":[)" + many + "," + rsa_jwk + "]}"));
  for (const char* text : {"", "[]", "{}", R"({"keys":{}})", R"({"keys":[)", "no JSON"}) {
    EXPECT_FALSE(decode_jwk_set(text)) << text;
  }
  EXPECT_TRUE(decode_jwk_set(R"({"keys":[]})")->empty());
}

}  // namespace
}  // namespace muster::crypto
