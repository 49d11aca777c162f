#include "pipeline/time_zone.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace calve::pipeline {
namespace {

using ::testing::HasSubstr;

TEST(TimeZoneTest, NamesOfTheIanaDatabaseAreTaken) {
  for (const char* name : {"UTC", "Etc/UTC", "Europe/Berlin", "Asia/Calcutta", "Asia/Kolkata",
                           "America/Argentina/Buenos_Aires"})
    EXPECT_TRUE(CheckTimeZone(name).ok()) << name;
}

TEST(TimeZoneTest, OthersAreRefusedWithTheNearest) {
  const auto said = [](const char* name) { return CheckTimeZone(name).error().message; };
  EXPECT_EQ(said("Mars/Phobos"),
            "'Mars/Phobos' is no time zone; write one by its IANA name, such as Europe/Berlin, or "
            "UTC");
  EXPECT_THAT(said("Europe/Berln"), HasSubstr("; did you mean 'Europe/Berlin'"));
  EXPECT_EQ(said("new york"), "'new york' is no time zone; did you mean 'America/New_York'?");
  EXPECT_EQ(said("utc"), "'utc' is no time zone; did you mean 'UTC'?");
  EXPECT_THAT(said(""), HasSubstr("IANA name"));
  EXPECT_THAT(said("Etc/Unknown"), HasSubstr("is no time zone"));
}

}  // namespace
}  // namespace calve::pipeline
