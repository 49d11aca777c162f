#include "io/uri.h"

#include <gtest/gtest.h>

namespace calve::io {
namespace {

void ExpectParts(const std::string& text, const Uri& expected) {
  auto uri = ParseUri(text);
  ASSERT_TRUE(uri.ok()) << uri.error().message;
  EXPECT_EQ(uri->scheme, expected.scheme) << text;
  EXPECT_EQ(uri->authority, expected.authority) << text;
  EXPECT_EQ(uri->path, expected.path) << text;
}

TEST(Uri, EveryFormIsTakenApart) {
  ExpectParts("/a/b", {"", "", "/a/b"});
  ExpectParts("a/b", {"", "", "a/b"});
  ExpectParts("file:/a/b", {"file", "", "/a/b"});
  ExpectParts("file:///a/b", {"file", "", "/a/b"});
  ExpectParts("FILE://localhost/a", {"file", "", "/a"});
  ExpectParts("file:////a", {"file", "", "//a"});
  ExpectParts("file://data/a", {"file", "", "data/a"});
  ExpectParts("file://data", {"file", "", "data"});
  ExpectParts("s3://bucket/a//b%20c/", {"s3", "bucket", "a//b%20c/"});
  ExpectParts("S3A://Bucket", {"s3a", "Bucket", ""});
  ExpectParts("abfss://box@account.dfs.core.windows.net/p",
              {"abfss", "box@account.dfs.core.windows.net", "p"});
  ExpectParts("odd:name.csv", {"", "", "odd:name.csv"});
  ExpectParts("c:/x", {"", "", "c:/x"});
  ExpectParts("a/http://b", {"", "", "a/http://b"});
}

TEST(Uri, WhatMakesNoSenseIsSaid) {
  for (const std::string& text : {std::string(""), std::string("s3://"), std::string("s3:///key"),
                                  std::string("file://"), std::string("a\0b", 3)}) {
    EXPECT_EQ(ParseUri(text).error().kind, ErrorKind::kConfig) << text;
  }
}

TEST(Uri, PartsAreJoinedWithOneSlash) {
  EXPECT_EQ(JoinUri("s3://b/w", "t/x"), "s3://b/w/t/x");
  EXPECT_EQ(JoinUri("s3://b/w/", "/t"), "s3://b/w/t");
  EXPECT_EQ(JoinUri("", "t"), "t");
  EXPECT_EQ(JoinUri("a", ""), "a");
}

TEST(Uri, ParentsEndAtTheRoot) {
  EXPECT_EQ(ParentUri("/a/b"), "/a");
  EXPECT_EQ(ParentUri("/a"), "/");
  EXPECT_EQ(ParentUri("/"), "");
  EXPECT_EQ(ParentUri("a"), "");
  EXPECT_EQ(ParentUri("file:/a/b"), "file:/a");
  EXPECT_EQ(ParentUri("file:///a"), "file:///");
  EXPECT_EQ(ParentUri("s3://b/k/"), "s3://b");
  EXPECT_EQ(ParentUri("s3://b"), "");
  EXPECT_EQ(BaseName("s3://b/k/f.csv"), "f.csv");
  EXPECT_EQ(BaseName("f.csv"), "f.csv");
}

TEST(Uri, NamesOfOnePlaceHaveOneSpelling) {
  for (const char* name : {"/lake/t", "/lake/t/", "file:/lake/t", "file:///lake/t/",
                           "FILE:///lake/t", "file://localhost/lake/t"})
    EXPECT_EQ(OneSpelling(name), "file:///lake/t") << name;
  EXPECT_EQ(OneSpelling("s3a://b/t/"), "s3://b/t");
  EXPECT_EQ(OneSpelling("gs://b/T"), "gs://b/T");
  EXPECT_EQ(OneSpelling("/"), "file:///");
}

TEST(Uri, WhatLiesBelowIsSeenInAnySpelling) {
  EXPECT_TRUE(IsBelow("file:/lake/t/a.parquet", "file:///lake/t"));
  EXPECT_TRUE(IsBelow("s3a://b/t/a", "s3://b/t/"));
  EXPECT_TRUE(IsBelow("/a", "file:///"));
  EXPECT_FALSE(IsBelow("/lake/t2/a", "/lake/t"));
  EXPECT_FALSE(IsBelow("/lake/t/", "/lake/t"));
  EXPECT_FALSE(IsBelow("/lake/t", ""));
}

TEST(Uri, ShownAddressesHoldNoSecrets) {
  EXPECT_EQ(ShownUri("https://u:p@h/a?sig=1#x"), "https://h/a");
  EXPECT_EQ(ShownUri("https://h/a@b?c"), "https://h/a@b");
  EXPECT_EQ(ShownUri("s3://b/a?b@c#d"), "s3://b/a?b@c#d");
}

}  // namespace
}  // namespace calve::io
