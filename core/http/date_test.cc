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

TEST(HttpDateTest, ReadsWhatItWritesAndTheTwoOldFormats) {
  for (int64_t seconds = 0; seconds < 9'000'000'000; seconds += 40'003'337) {
    EXPECT_EQ(ParseHttpDate(HttpDate(seconds).view()), seconds);
  }
  EXPECT_EQ(ParseHttpDate("Sunday, 06-Nov-94 08:49:37 GMT"), 784111777);
  EXPECT_EQ(ParseHttpDate("Sun Nov  6 08:49:37 1994"), 784111777);
}

TEST(HttpDateTest, OtherTextIsNoDate) {
  for (const std::string_view text :
       {"", "0", "-1", "tomorrow", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 32 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT, and much that follows it, more than any date needs"}) {
    EXPECT_EQ(ParseHttpDate(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace sluice
