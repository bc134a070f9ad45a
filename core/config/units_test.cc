#include "core/config/units.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(Units, Durations) {
  EXPECT_EQ(ParseDuration("0"), 0);
  EXPECT_EQ(ParseDuration("0s"), 0);
  EXPECT_EQ(ParseDuration("250ms"), 250'000'000);
  EXPECT_EQ(ParseDuration("5s"), 5'000'000'000);
  EXPECT_EQ(ParseDuration("1m30s"), 90'000'000'000);
  EXPECT_EQ(ParseDuration("1.5h"), 5'400'000'000'000);
  EXPECT_EQ(ParseDuration("2d"), 172'800'000'000'000);
  EXPECT_EQ(ParseDuration("7us"), 7'000);
  EXPECT_EQ(ParseDuration("0.000000001s"), 1);
  EXPECT_EQ(ParseDuration("9223372036854775807ns"), INT64_MAX);
  for (const char* wrong :
       {"", "5", "s", "-5s", "5 s", "5sec", "1s1m", "1s1s", "1.s", ".5s", "1e3s",
        "9223372036854775808ns", "106752d", "1.0000000001s", "+1s", "1m30"}) {
    EXPECT_EQ(ParseDuration(wrong), std::nullopt) << wrong;
  }
}

TEST(Units, Sizes) {
  EXPECT_EQ(ParseSize("0"), 0u);
  EXPECT_EQ(ParseSize("512"), 512u);
  EXPECT_EQ(ParseSize("512B"), 512u);
  EXPECT_EQ(ParseSize("64KiB"), 65'536u);
  EXPECT_EQ(ParseSize("10MB"), 10'000'000u);
  EXPECT_EQ(ParseSize("1.5GiB"), 1'610'612'736u);
  EXPECT_EQ(ParseSize("18446744073709551615"), UINT64_MAX);
  for (const char* wrong : {"", "KiB", "64K", "64kib", "64 KiB", "-1", "1.5", "16777216TiB",
                            "18446744073709551616", "0x10"}) {
    EXPECT_EQ(ParseSize(wrong), std::nullopt) << wrong;
  }
}

TEST(Units, Rates) {
  EXPECT_DOUBLE_EQ(*ParseRate("100/s"), 100);
  EXPECT_DOUBLE_EQ(*ParseRate("0.5/s"), 0.5);
  EXPECT_DOUBLE_EQ(*ParseRate("30/m"), 0.5);
  EXPECT_DOUBLE_EQ(*ParseRate("1800/h"), 0.5);
  EXPECT_DOUBLE_EQ(*ParseRate("86400/d"), 1);
  for (const char* wrong : {"", "100", "/s", "100/", "100/ms", "-1/s", "nan/s", "inf/s", "1/s/s"}) {
    EXPECT_EQ(ParseRate(wrong), std::nullopt) << wrong;
  }
}

TEST(Units, Percentages) {
  EXPECT_DOUBLE_EQ(*ParsePercent("50%"), 50);
  EXPECT_DOUBLE_EQ(*ParsePercent("0.1%"), 0.1);
  EXPECT_DOUBLE_EQ(*ParsePercent("100%"), 100);
  for (const char* wrong : {"", "%", "50", "101%", "-1%", "50 %", "nan%"}) {
    EXPECT_EQ(ParsePercent(wrong), std::nullopt) << wrong;
  }
}

TEST(Units, Modes) {
  EXPECT_EQ(ParseMode("0660"), 0660u);
  EXPECT_EQ(ParseMode("600"), 0600u);
  EXPECT_EQ(ParseMode("0o777"), 0777u);
  for (const char* wrong : {"", "0o", "888", "rw", "10000", "-1"}) {
    EXPECT_EQ(ParseMode(wrong), std::nullopt) << wrong;
  }
}

TEST(Units, Switches) {
  for (const char* on : {"on", "true", "yes"}) EXPECT_EQ(ParseSwitch(on), true);
  for (const char* off : {"off", "false", "no"}) EXPECT_EQ(ParseSwitch(off), false);
  for (const char* wrong : {"", "On", "1", "y"}) EXPECT_EQ(ParseSwitch(wrong), std::nullopt);
}

TEST(Units, WhatIsFormattedIsReadBack) {
  EXPECT_EQ(FormatDuration(0), "0");
  EXPECT_EQ(FormatDuration(90'000'000'000), "1m30s");
  EXPECT_EQ(FormatDuration(1), "1ns");
  EXPECT_EQ(FormatDuration(172'800'250'000'000), "2d250ms");
  EXPECT_EQ(FormatSize(0), "0B");
  EXPECT_EQ(FormatSize(65'536), "64KiB");
  EXPECT_EQ(FormatSize(1'000), "1000B");
  for (const int64_t duration : {int64_t{1}, int64_t{1'001'001'001}, INT64_MAX}) {
    EXPECT_EQ(ParseDuration(FormatDuration(duration)), duration);
  }
  for (const uint64_t size : {uint64_t{1}, uint64_t{3} << 40, UINT64_MAX}) {
    EXPECT_EQ(ParseSize(FormatSize(size)), size);
  }
}

}  // namespace
}  // namespace sluice
