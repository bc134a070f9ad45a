#include "core/server/admin/logging_page.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/base/log.h"

namespace sluice {
namespace {

class LoggingPageTest : public testing::Test {
 protected:
  LoggingPageTest() { AddLogging(table_); }
  ~LoggingPageTest() override { SetLogLevel(LogLevel::kInfo); }

  AdminReply Ask(AdminKind kind, std::string_view query) {
    return std::get<AdminReply>(table_.Find("/logging", kind)->handler(AdminRequest(query)));
  }
  AdminReply Change(std::string_view query) { return Ask(AdminKind::kAction, query); }
  nlohmann::json Levels() {
    return nlohmann::json::parse(Ask(AdminKind::kPage, "format=json").body);
  }

  AdminTable table_;
};

TEST_F(LoggingPageTest, OneComponentOrAll) {
  EXPECT_EQ(Change("dns=trace&server=error").body, "dns is trace, server is error\n");
  EXPECT_EQ(Levels()["level"], "info");
  EXPECT_EQ(Levels()["components"]["dns"], "trace");
  EXPECT_EQ(Levels()["components"]["server"], "error");
  EXPECT_EQ(Levels()["components"]["stats"], "info");
  EXPECT_TRUE(LogEnabled(LogLevel::kTrace, "dns"));
  EXPECT_FALSE(LogEnabled(LogLevel::kWarning, "server"));
  EXPECT_FALSE(LogEnabled(LogLevel::kDebug, "stats"));

  EXPECT_EQ(Change("dns=default").body, "dns is default\n");
  EXPECT_FALSE(LogEnabled(LogLevel::kDebug, "dns"));
  EXPECT_EQ(Change("level=debug").body, "level is debug\n");
  EXPECT_EQ(Levels()["components"]["server"], "debug");
}

TEST_F(LoggingPageTest, AllChangesOrNone) {
  EXPECT_EQ(Change("dns=trace&servr=debug").error,
            "there is no component \"servr\": GET /logging lists them");
  EXPECT_EQ(Change("dns=loud").error,
            "expected one of trace, debug, info, warning, error, off, default, got \"loud\"");
  EXPECT_EQ(Change("level=default").status, 400);
  EXPECT_EQ(Change("").status, 400);
  EXPECT_EQ(Levels()["components"]["dns"], "info");
}

}  // namespace
}  // namespace sluice
