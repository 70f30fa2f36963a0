// SPDX-License-Identifier: Apache-2.0
#include "crypto/cose_key.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include "base/cbor_testing.h"
#include "base/text.h"
#include "crypto/passkey_testing.h"

namespace muster::crypto {
namespace {

std::string octets_of(std::string_view hex) {
  return from_hex(hex).value();
}
std::optional<CoseKey> decode(const std::string& encoded) {
  const auto value = parse_cbor(encoded);
  return value ? decode_cose_key(*value) : std::nullopt;
}

std::string ec2(const std::string& x, const std::string& y, std::int64_t algorithm = -7,
                std::int64_t curve = 1) {
  return cbor::map({{cbor::integer(1), cbor::integer(2)},
                    {cbor::integer(3), cbor::integer(algorithm)},
                    {cbor::integer(-1), cbor::integer(curve)},
                    {cbor::integer(-2), cbor::octets(x)},
                    {cbor::integer(-3), cbor::octets(y)}});
}
std::string okp(const std::string& x, std::int64_t curve = 6) {
  return cbor::map({{cbor::integer(1), cbor::integer(1)},
                    {cbor::integer(3), cbor::integer(-8)},
                    {cbor::integer(-1), cbor::integer(curve)},
                    {cbor::integer(-2), cbor::octets(x)}});
}
std::string rsa(const std::string& modulus, const std::string& exponent) {
  return cbor::map({{cbor::integer(1), cbor::integer(3)},
                    {cbor::integer(3), cbor::integer(-257)},
                    {cbor::integer(-1), cbor::octets(modulus)},
                    {cbor::integer(-2), cbor::octets(exponent)}});
}

// Of the W3C's vector "none.ES256" (Web Authentication Level 3, 16.2).
const std::string p256_x =
    octets_of("afefa16f97ca9b2d23eb86ccb64098d20db90856062eb249c33a9b672f26df61");
const std::string p256_y =
    octets_of("930a56b87a2fca66334b03458abf879717c12cc68ed73290af2e2664796b9220");

// The RSA key of the W3C's vector "packed.RS256": the product of two Mersenne primes. The signature
// was computed from its private exponent with integers alone.
const std::string rsa_modulus = octets_of(
    "03ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
    "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7ffffffffffffff"
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
    "ffffffffffffffffffffffffffffffffffffffffffffffff800000000000000000000000000000000000"
    "000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000001");
const std::string rsa_exponent = octets_of("010001");
constexpr std::string_view rsa_message = "signed with RS256";
const std::string rsa_signature = octets_of(
    "02913942b11743f20c3a58c4e3946a838edbea5f9dc80eb99b8b51b1d37d4f19133f0b6d1d7bd7d2b0ff"
    "aa478db5d4afd31829fa48d5852e56fc31f52489f9770121f2041faa4e557ac4b7d5a7d87c8273bda142"
    "9bf49be2ef2376aa4064117643c4390cb6c5118dcc6394418b9e92f605c75c2f6d4ad06920b872b38bbf"
    "2395f96cf6c3c8c039a90198eaa0df0bde3e274d067efaf90f541a1ea33d5efe61eb89e17e9810f7878a"
    "7be9ad7fd9943445aad69d3df317e44352d9ce85477fca07c2ec9a823f362ab9bf7f6c2237a3604e2d75"
    "a5d1563fc663b44d34f582d79813cf0ef08d2d91b1308a2b686daa428d1919d6ad5230c16ee1244a79f4"
    "7cbff886d6b2f6168bc49a3af5f789189e521b4e565641164dea42025a05c20e4e4d671cb562343b54b4"
    "57cb5a812870a29d6a7be9c36c63907797672aa6959367b027a36d88e917d057c2ccd9fff58ce609f6a2"
    "01d45c4667605c39e32bf3505802b9275d1ede62748989d7fdec5d1e8a0e88f4aed6f68c0620a8146e3f"
    "f206336cc6d70b56c8944a5b1ad10ce743ff440a8fd0323e7ebc49879c04015ebaa3bc0ec13cacd127f6"
    "5b702d7c15c5d70c638785d8c7112da9");

TEST(CoseKey, OfThreeKindsAreTaken) {
  EXPECT_EQ(decode(ec2(p256_x, p256_y))->algorithm, CoseAlgorithm::es256);
  EXPECT_EQ(decode(TestPasskey().cose_key())->algorithm, CoseAlgorithm::eddsa);
  EXPECT_EQ(decode(rsa(rsa_modulus, rsa_exponent))->algorithm, CoseAlgorithm::rs256);
}

TEST(CoseKey, OfAnotherAlgorithmOrCurveIsRefused) {
  EXPECT_FALSE(decode(ec2(p256_x, p256_y, -35)));
  EXPECT_FALSE(decode(ec2(p256_x, p256_y, -7, 2)));
  EXPECT_FALSE(decode(ec2(p256_x, p256_y, -8)));
  EXPECT_FALSE(decode(okp(std::string(32, 'x'), 7)));
  EXPECT_FALSE(decode(cbor::map({})));
  EXPECT_FALSE(decode(cbor::integer(2)));
}

TEST(CoseKey, WithMoreOrFewerMembersIsRefused) {
  EXPECT_FALSE(decode(cbor::map({{cbor::integer(1), cbor::integer(2)},
                                 {cbor::integer(3), cbor::integer(-7)},
                                 {cbor::integer(-1), cbor::integer(1)},
                                 {cbor::integer(-2), cbor::octets(p256_x)}})));
  EXPECT_FALSE(decode(cbor::map({{cbor::integer(1), cbor::integer(2)},
                                 {cbor::integer(2), cbor::octets("key id")},
                                 {cbor::integer(3), cbor::integer(-7)},
                                 {cbor::integer(-1), cbor::integer(1)},
                                 {cbor::integer(-2), cbor::octets(p256_x)},
                                 {cbor::integer(-3), cbor::octets(p256_y)}})));
  // RFC 9053 7.1.1 also has the sign of y alone; WebAuthn does not.
  EXPECT_FALSE(decode(cbor::map({{cbor::integer(1), cbor::integer(2)},
                                 {cbor::integer(3), cbor::integer(-7)},
                                 {cbor::integer(-1), cbor::integer(1)},
                                 {cbor::integer(-2), cbor::octets(p256_x)},
                                 {cbor::integer(-3), "\xF5"}})));
}

TEST(CoseKey, APointThatIsNotOnItsCurveIsRefused) {
  std::string y = p256_y;
  y.back() ^= 1;
  EXPECT_FALSE(decode(ec2(p256_x, y)));
  EXPECT_FALSE(decode(ec2(std::string(32, '\0'), std::string(32, '\0'))));
  EXPECT_FALSE(decode(ec2(p256_x.substr(1), p256_y)));
  EXPECT_FALSE(decode(ec2(p256_x, p256_y + "x")));
  EXPECT_FALSE(decode(okp(std::string(31, 'x'))));
  // The neutral element of Ed25519, under which everything is signed by (R, 0).
  EXPECT_FALSE(decode(okp("\x01" + std::string(31, '\0'))));
  EXPECT_FALSE(decode(okp(std::string(32, '\0'))));
}

TEST(CoseKey, AnRsaKeyHasBounds) {
  EXPECT_FALSE(decode(rsa(rsa_modulus.substr(0, 255) + rsa_modulus.back(), rsa_exponent)));
  EXPECT_FALSE(decode(rsa(std::string(512, '\xFF') + rsa_modulus, rsa_exponent)));
  EXPECT_FALSE(decode(rsa('\0' + rsa_modulus, rsa_exponent)));
  EXPECT_FALSE(decode(rsa('\x7F' + std::string(255, '\xFF'), rsa_exponent)));
  EXPECT_TRUE(decode(rsa(std::string(256, '\xFF'), rsa_exponent)));
  std::string even = rsa_modulus;
  even.back() ^= 1;
  EXPECT_FALSE(decode(rsa(even, rsa_exponent)));
  for (const std::string& exponent : {std::string(), std::string("\x01"), std::string("\x04"),
                                      '\0' + rsa_exponent, std::string(5, '\x03')}) {
    EXPECT_FALSE(decode(rsa(rsa_modulus, exponent))) << exponent.size();
  }
  EXPECT_TRUE(decode(rsa(rsa_modulus, "\x03")));
}

TEST(CoseKey, VerifiesWhatTheW3cSigned) {
  const CoseKey key = decode(ec2(p256_x, p256_y)).value();
  const std::string data =
      octets_of("bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b51900000000");
  const std::string client =
      R"({"type":"webauthn.get","challenge":"OcDnUhQXulTUPo3JUXT0I97pvzzYBP9tZchXyav01Ag",)"
      R"("origin":"https://example.org","crossOrigin":false})";
  const std::string signature = octets_of(
      "3046022100f50a4e2e4409249c4a853ba361282f09841df4dd4547a13a87780218deffcd380221008480ac0f"
      "0b93538174f575bf11a1dd5d78c6e486013f937295ea13653e331e87");
  const std::string content = signed_content(data, client);
  EXPECT_TRUE(verify(content, signature, key));
  EXPECT_FALSE(verify(content + "x", signature, key));
  EXPECT_FALSE(verify(content, signature + "x", key)) << "DER has an end";
  EXPECT_FALSE(verify(content, signature.substr(0, 70), key));
  EXPECT_FALSE(verify(content, "", key));
  std::string other = signature;
  other.back() ^= 1;
  EXPECT_FALSE(verify(content, other, key));
}

TEST(CoseKey, VerifiesRsaSignatures) {
  const CoseKey key = decode(rsa(rsa_modulus, rsa_exponent)).value();
  EXPECT_TRUE(verify(rsa_message, rsa_signature, key));
  EXPECT_FALSE(verify("signed with RS257", rsa_signature, key));
  EXPECT_FALSE(verify(rsa_message, rsa_signature.substr(1), key));
  EXPECT_FALSE(verify(rsa_message, '\0' + rsa_signature, key));
  EXPECT_FALSE(verify(rsa_message, "", key));
}

TEST(CoseKey, VerifiesEd25519Signatures) {
  const TestPasskey passkey;
  const CoseKey key = decode(passkey.cose_key()).value();
  const std::string signature = passkey.sign("data", "client");
  EXPECT_EQ(signature.size(), 64U);
  EXPECT_TRUE(verify(signed_content("data", "client"), signature, key));
  EXPECT_FALSE(verify(signed_content("data", "other"), signature, key));
  EXPECT_FALSE(verify(signed_content("data", "client"), signature + "x", key));
  EXPECT_FALSE(verify(signed_content("data", "client"), "", key));
  EXPECT_FALSE(verify(signed_content("data", "client"), signature,
                      decode(TestPasskey(2).cose_key()).value()));
}

/// A key and a signature as OpenSSL makes them, and not this house.
TEST(CoseKey, VerifiesWhatOpenSslSignsOnP256) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  std::string point(65, '\0');
  std::size_t size = 0;
  ASSERT_EQ(
      EVP_PKEY_get_octet_string_param(
          key.get(), "pub", reinterpret_cast<unsigned char*>(point.data()), point.size(), &size),
      1);
  ASSERT_EQ(size, 65U);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  const auto* message = reinterpret_cast<const unsigned char*>("message");
  std::string signature(80, '\0');
  size = signature.size();
  ASSERT_EQ(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()), 1);
  ASSERT_EQ(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                           message, 7),
            1);
  signature.resize(size);
  const auto decoded = decode(ec2(point.substr(1, 32), point.substr(33)));
  ASSERT_TRUE(decoded);
  EXPECT_TRUE(verify("message", signature, *decoded));
  EXPECT_FALSE(verify("massage", signature, *decoded));
}

}  // namespace
}  // namespace muster::crypto
