#include "core/http/status.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(StatusTest, ReasonPhrases) {
  EXPECT_EQ(ReasonPhrase(200), "OK");
  EXPECT_EQ(ReasonPhrase(404), "Not Found");
  EXPECT_EQ(ReasonPhrase(431), "Request Header Fields Too Large");
  EXPECT_EQ(ReasonPhrase(299), "Success");
  EXPECT_EQ(ReasonPhrase(499), "Client Error");
  EXPECT_EQ(ReasonPhrase(999), "Unknown");
}

TEST(StatusTest, EveryCodeHasAStatusThatIsAnError) {
  for (int code = 0; code <= static_cast<int>(Code::kUpgradeRequired); ++code) {
    EXPECT_GE(StatusOf(static_cast<Code>(code)), 400) << code;
    EXPECT_LT(StatusOf(static_cast<Code>(code)), 600) << code;
  }
  EXPECT_EQ(StatusOf(Code::kProtocol), 400);
  EXPECT_EQ(StatusOf(Code::kHeadTooLarge), 431);
  EXPECT_EQ(StatusOf(Code::kTargetTooLong), 414);
  EXPECT_EQ(StatusOf(Code::kBodyTooLarge), 413);
  EXPECT_EQ(StatusOf(Code::kNotImplemented), 501);
  EXPECT_EQ(StatusOf(Code::kVersion), 505);
  EXPECT_EQ(StatusOf(Code::kUpgradeRequired), 426);
}

TEST(StatusTest, WhatAnUpstreamDidWrongIsAGatewayError) {
  const auto status = [](Code code, Side side) {
    return StatusOf(Error{code, side, Retry::kNever, ""});
  };
  EXPECT_EQ(status(Code::kProtocol, Side::kUpstream), 502);
  EXPECT_EQ(status(Code::kHeadTooLarge, Side::kUpstream), 502);
  EXPECT_EQ(status(Code::kTimeout, Side::kUpstream), 504);
  EXPECT_EQ(status(Code::kRefused, Side::kUpstream), 503);
  EXPECT_EQ(status(Code::kClosed, Side::kUpstream), 503);
  EXPECT_EQ(status(Code::kProtocol, Side::kDownstream), 400);
  EXPECT_EQ(status(Code::kTimeout, Side::kDownstream), 408);
}

}  // namespace
}  // namespace sluice
