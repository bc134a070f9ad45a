#include "core/base/result.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <utility>

namespace sluice {
namespace {

Result<int> Half(int number) {
  if (number % 2 != 0) return Fail(Code::kInvalidArgument, "odd", Side::kUpstream, Retry::kSafe);
  return number / 2;
}

Result<void> HalfTwice(int number) {
  SLUICE_TRY(Half(number));
  Result<int> half = Half(number / 2);
  if (!half) return Fail(std::move(half).error());
  return {};
}

TEST(Result, ErrorsWalkUpUnchanged) {
  EXPECT_EQ(Half(4).value(), 2);
  EXPECT_TRUE(HalfTwice(4));
  for (const int number : {3, 2}) {
    const Result<void> result = HalfTwice(number);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Code::kInvalidArgument);
    EXPECT_EQ(result.error().side, Side::kUpstream);
    EXPECT_EQ(result.error().retry, Retry::kSafe);
    EXPECT_EQ(result.error().detail, "odd");
  }
}

TEST(Result, SystemErrorsHaveTheirCode) {
  const std::pair<int, Code> codes[] = {
      {ECONNREFUSED, Code::kRefused},     {ENETUNREACH, Code::kRefused},
      {ECONNRESET, Code::kReset},         {EPIPE, Code::kReset},
      {ETIMEDOUT, Code::kTimeout},        {EMFILE, Code::kExhausted},
      {EACCES, Code::kPermission},        {ENOENT, Code::kNotFound},
      {EADDRINUSE, Code::kAlreadyExists}, {EIO, Code::kIo}};
  for (const auto& pair : codes) EXPECT_EQ(SystemError("x", pair.first).code, pair.second);
  const Error error = SystemError("open conf.yaml", ENOENT, Side::kDownstream);
  EXPECT_EQ(error.detail, "open conf.yaml: No such file or directory");
  EXPECT_EQ(error.side, Side::kDownstream);
  EXPECT_EQ(error.retry, Retry::kNever);
}

TEST(Result, EveryCodeHasItsName) {
  EXPECT_EQ(CodeName(Code::kInternal), "internal");
  EXPECT_EQ(CodeName(Code::kProtocol), "protocol");
  EXPECT_EQ(CodeName(Code::kUpgradeRequired), "upgrade-required");
}

}  // namespace
}  // namespace sluice
