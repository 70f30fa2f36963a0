// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "base/testing.h"
#include "base/text.h"
#include "crypto/keyed_hash.h"
#include "crypto/random.h"
#include "crypto/seal.h"
#include "crypto/sha256.h"
#include "crypto/signing.h"

namespace muster::crypto {
namespace {

SecretKey secret_of(std::uint8_t first) {
  SecretKey key{};
  key[0] = first;
  return key;
}

std::string octets_of(std::string_view hex) {
  return from_hex(hex).value();
}

// The vector of FIPS 180-4's examples.
TEST(Sha256, IsThatOfTheStandardAndReadsItsOwnText) {
  const Sha256 digest = sha256("abc");
  Sha256Stream stream;
  stream.add("a");
  stream.add("");
  stream.add("bc");
  EXPECT_EQ(stream.finish(), digest);
  EXPECT_EQ(digest.text(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(parse_sha256(digest.text()), digest);
  EXPECT_EQ(parse_sha256("BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            digest);
  EXPECT_EQ(parse_sha256(digest.text().substr(2)), std::nullopt);
  EXPECT_EQ(parse_sha256("x" + digest.text().substr(1)), std::nullopt);
}

TEST(KeyedHash, DependsOnTheServersSecret) {
  const KeyedHash one(secret_of(1));
  const KeyedHash other(secret_of(2));
  EXPECT_EQ(one.of("ak_x"), KeyedHash(secret_of(1)).of("ak_x"));
  EXPECT_NE(one.of("ak_x"), other.of("ak_x"));
  EXPECT_NE(one.of("ak_x"), one.of("ak_y"));
  EXPECT_NE(one.derive("l", "x"), other.derive("l", "x"));
}

// RFC 7693 with 32 octets of output; the expected values are those of Python's hashlib.
TEST(KeyedHash, IsBlake2bBehindTheSecret) {
  SecretKey key{};
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i);
  EXPECT_EQ(to_hex(KeyedHash(key).of("abc").bytes),
            "1d248b37e23c7b4735a5a439bc085c0cd59ddd1fb21e01c70b4bf8d7ea27096b");
  const std::string abc = "abc";
  EXPECT_EQ(to_hex(content_hash({reinterpret_cast<const std::uint8_t*>(abc.data()), abc.size()})),
            "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
}

TEST(KeyedHash, LabelsKeepItsUsesApart) {
  const KeyedHash hash(secret_of(1));
  EXPECT_NE(hash.derive("agent key", "x"), hash.derive("content", "x"));
  EXPECT_NE(hash.derive("ab", "c"), hash.derive("a", "bc"));
  EXPECT_NE(hash.derive("", "x"), hash.of("x"));
  // Whoever presents the octets that derive() hashes must not reach its value.
  std::string prefix(8, '\0');
  prefix[0] = 1;
  prefix[7] = static_cast<char>(0x80);
  EXPECT_NE(hash.derive("a", "b"), hash.of(prefix + "ab")) << "one is keyed, the other is not";
}

TEST(KeyedHash, TakesSecretsOfAnyLength) {
  const KeyedHash hash(secret_of(1));
  std::set<std::array<std::uint8_t, 32>> seen;
  for (std::size_t size = 0; size <= 300; ++size) {
    EXPECT_TRUE(seen.insert(hash.of(std::string(size, 'k')).bytes).second) << size;
  }
}

TEST(KeyedHash, ContentIdsAreStablePerSecret) {
  const KeyedHash one(secret_of(1));
  EXPECT_EQ(one.content_id("openssl\x1f"
                           "3.0"),
            KeyedHash(secret_of(1))
                .content_id("openssl\x1f"
                            "3.0"));
  EXPECT_NE(one.content_id("openssl"), KeyedHash(secret_of(2)).content_id("openssl"));
  std::set<std::array<std::uint64_t, 2>> ids;
  for (int i = 0; i < 10'000; ++i) ids.insert(one.content_id(std::to_string(i)));
  EXPECT_EQ(ids.size(), 10'000U);
}

TEST(EqualConstantTime, IsEquality) {
  EXPECT_TRUE(equal_constant_time("", ""));
  EXPECT_TRUE(equal_constant_time("ak_1", "ak_1"));
  EXPECT_FALSE(equal_constant_time("ak_1", "ak_2"));
  EXPECT_FALSE(equal_constant_time("ak_1", "bk_1"));
  EXPECT_FALSE(equal_constant_time("ak_1", "ak_"));
  EXPECT_FALSE(equal_constant_time(std::string_view("a\0b", 3), std::string_view("a\0c", 3)));
}

struct SigningVector {
  const char* seed;
  const char* public_key;
  const char* message;
  const char* signature;
};
// RFC 8032 §7.1, tests 1 to 3.
constexpr SigningVector vectors[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b"
     "4"
     "6bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11"
     "d"
     "8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc"
     "6"
     "594a7c15e9716ed28dc027beceea1ec40a"},
};

TEST(Signing, MatchesTheVectorsOfRfc8032) {
  for (const SigningVector& vector : vectors) {
    SigningKey::Seed seed{};
    std::memcpy(seed.data(), octets_of(vector.seed).data(), seed.size());
    const SigningKey key(seed);
    const std::string message = octets_of(vector.message);
    EXPECT_EQ(to_hex(key.public_key()), vector.public_key);
    EXPECT_EQ(to_hex(key.sign(message)), vector.signature);
    EXPECT_TRUE(verify(message, key.sign(message), key.public_key()));
  }
}

TEST(Signing, RefusesAnotherMessageSignatureOrKey) {
  SeededRng rng;
  const SigningKey key(SigningKey::make_seed(rng));
  const SigningKey other(SigningKey::make_seed(rng));
  const Signature signature = key.sign("release");
  EXPECT_TRUE(verify("release", signature, key.public_key()));
  EXPECT_FALSE(verify("releasf", signature, key.public_key()));
  EXPECT_FALSE(verify("release", signature, other.public_key()));
  for (std::size_t i = 0; i < signature.size(); ++i) {
    Signature changed = signature;
    changed[i] ^= 1;
    EXPECT_FALSE(verify("release", changed, key.public_key())) << i;
  }
}

TEST(Seal, OpensOnlyWithItsKeyAndUnchanged) {
  SeededRng rng;
  const SecretKey key = secret_of(1);
  const std::string sealed = seal("a secret", key, rng);
  EXPECT_EQ(unseal(sealed, key), "a secret");
  EXPECT_EQ(unseal(sealed, secret_of(2)), std::nullopt);
  EXPECT_EQ(sealed.find("a secret"), std::string::npos);
  EXPECT_NE(sealed, seal("a secret", key, rng)) << "the nonce is new each time";
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    std::string changed = sealed;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_EQ(unseal(changed, key), std::nullopt) << bit;
  }
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    ASSERT_EQ(unseal(std::string_view(sealed).substr(0, size), key), std::nullopt) << size;
  }
  EXPECT_EQ(unseal(seal("", key, rng), key), "");
}

TEST(Base64, IsRfc4648WithPadding) {
  EXPECT_EQ(to_base64(""), "");
  EXPECT_EQ(to_base64("f"), "Zg==");
  EXPECT_EQ(to_base64("fo"), "Zm8=");
  EXPECT_EQ(to_base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(to_base64("\xFB\xFF\xFE"), "+//+");
  for (const std::string_view text : {"", "f", "fo", "foobar", "\xFB\xFF\xFE"}) {
    EXPECT_EQ(from_base64(to_base64(text)), text);
  }
  for (const char* text : {"Zg=", "Zg", "Z!==", "Zm8= ", "+//-"}) {
    EXPECT_EQ(from_base64(text), std::nullopt) << text;
  }
  EXPECT_EQ(to_base64(std::string(32, '\xAA')).size(), 44U);
}

TEST(KeyText, IsThePrefixAnd256Bits) {
  SystemRng rng;
  const std::string key = make_key_text("ak_", rng);
  EXPECT_EQ(key.size(), 3 + 64U);
  EXPECT_TRUE(key.starts_with("ak_"));
  EXPECT_EQ(from_hex(std::string_view(key).substr(3)).value().size(), 32U);
  EXPECT_NE(key, make_key_text("ak_", rng));
}

}  // namespace
}  // namespace muster::crypto
