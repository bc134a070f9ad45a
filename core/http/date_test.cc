#include "core/http/date.h"

#include <gtest/gtest.h>

#include <ctime>
#include <string>

namespace sluice {
namespace {

TEST(HttpDateTest, KnownDates) {
  EXPECT_EQ(HttpDate(784111777).view(), "Sun, 06 Nov 1994 08:49:37 GMT");  // RFC 9110's example
  EXPECT_EQ(HttpDate(0).view(), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(HttpDate(951782400).view(), "Tue, 29 Feb 2000 00:00:00 GMT");
  EXPECT_EQ(HttpDate(253402300799).view(), "Fri, 31 Dec 9999 23:59:59 GMT");
  EXPECT_EQ(HttpDate(-1).view(), "Wed, 31 Dec 1969 23:59:59 GMT");
}

TEST(HttpDateTest, AgreesWithTheLibrary) {
  for (int64_t seconds = -3'000'000'000; seconds < 9'000'000'000; seconds += 40'003'337) {
    const time_t time = seconds;
    struct tm parts;
    gmtime_r(&time, &parts);
    char text[40];
    std::strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    EXPECT_EQ(HttpDate(seconds).view(), text) << seconds;
  }
}

}  // namespace
}  // namespace sluice
