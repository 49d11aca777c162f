#include "pipeline/cron.h"

#include <gtest/gtest.h>

namespace calve::pipeline {
namespace {

TEST(Cron, FiveFieldsOfNumbersNamesRangesAndSteps) {
  for (const char* good : {"0 5 * * *", "*/15 0-6/2 1,15 jan-mar MON", "59 23 31 12 7",
                           "  0  0  1  *  sun,sat ", "5/20 * * * 1-5"})
    EXPECT_TRUE(CheckCron(good).ok()) << good;
}

TEST(Cron, WhatIsNoneSaysWhichField) {
  const std::vector<std::pair<const char*, const char*>> faults = {
      {"0 5 * *", "found 4"},
      {"0 0 5 * * *", "found 6"},
      {"@daily", "found 1"},
      {"60 5 * * *", "'60' is no minute"},
      {"0 24 * * *", "is no hour"},
      {"0 5 0 * *", "is no day of the month"},
      {"0 5 * 13 *", "is no month"},
      {"0 5 * * fry", "'fry' is no weekday"},
      {"0 5 * * 5-1", "5-1"},
      {"*/0 * * * *", "'*/0' is no minute"},
      {"1, * * * *", "'1,'"},
      {"-1 * * * *", "'-1' is no minute"},
      {"x 99 * * *", "'99' is no hour"}};
  for (const auto& [text, part] : faults) {
    const Status status = CheckCron(text);
    ASSERT_FALSE(status.ok()) << text;
    EXPECT_NE(status.error().message.find(part), std::string::npos) << status.error().message;
  }
}

}  // namespace
}  // namespace calve::pipeline
