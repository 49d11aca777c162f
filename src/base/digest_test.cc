#include "base/digest.h"

#include <gtest/gtest.h>

namespace calve {
namespace {

TEST(Digest, GivesThePublishedVectors) {
  EXPECT_EQ(ToHex(Sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(ToHex(HmacSha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(Digest, Base64UrlGoesThereAndBack) {
  EXPECT_EQ(ToBase64Url("\xfb\xff\xfe"), "-__-");
  for (const std::string bytes : {"", "f", "fo", "foo", "foob", "fooba", "foobar"}) {
    EXPECT_EQ(FromBase64Url(ToBase64Url(bytes)), bytes);
  }
  EXPECT_EQ(ToBase64Url("fooba"), "Zm9vYmE");
  EXPECT_EQ(FromBase64Url("Zm9vYmE="), "fooba");
}

TEST(Digest, HexGoesThereAndBack) {
  EXPECT_EQ(FromHex(ToHex("calve\xff")), "calve\xff");
  EXPECT_FALSE(FromHex("abc").has_value());
  EXPECT_FALSE(FromHex("zz").has_value());
}

TEST(Digest, WhatIsNoBase64UrlIsRefused) {
  EXPECT_FALSE(FromBase64Url("a+b/").has_value());
  EXPECT_FALSE(FromBase64Url("abcde").has_value());
}

TEST(Digest, NoTwoSecretsAreTheSame) {
  EXPECT_EQ(NewSecret().size(), 43U);
  EXPECT_NE(NewSecret(), NewSecret());
}

TEST(Digest, SecretsAreTheSameOrNot) {
  EXPECT_TRUE(SameSecret("swordfish", "swordfish"));
  EXPECT_FALSE(SameSecret("swordfish", "swordfisH"));
  EXPECT_FALSE(SameSecret("swordfish", ""));
}

}  // namespace
}  // namespace calve
