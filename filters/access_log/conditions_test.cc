#include "filters/access_log/conditions.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "filters/access_log/access_log.pb.h"

namespace sluice::access_log {
namespace {

class ConditionsTest : public ::testing::Test {
 protected:
  ConditionsTest() : info(arena, connection), request(arena) {
    info.request = &request;
    info.start = kSecond;
    info.end = kSecond + 100 * kMillisecond;
    info.status = 200;
  }
  bool Hold() {
    const auto conditions = Conditions::Compile(when);
    EXPECT_TRUE(conditions) << conditions.error().detail;
    return conditions && conditions->Hold(info, random);
  }
  bool HoldsFor(int status) {
    info.status = static_cast<uint16_t>(status);
    return Hold();
  }
  std::string CompileError() {
    const auto conditions = Conditions::Compile(when);
    return conditions ? "" : conditions.error().detail;
  }

  Arena arena;
  ConnectionInfo connection;
  StreamInfo info;
  RequestHead request;
  Random random{1};
  When when;
};

TEST_F(ConditionsTest, None) {
  EXPECT_TRUE(Conditions::Compile(when)->none());
  EXPECT_TRUE(Hold());
}

TEST_F(ConditionsTest, Statuses) {
  when.add_statuses("404");
  when.add_statuses("410-412");
  when.add_statuses("5xx");
  when.add_statuses("0");
  for (const int status : {0, 404, 410, 411, 412, 500, 599}) {
    EXPECT_TRUE(HoldsFor(status)) << status;
  }
  for (const int status : {1, 200, 403, 405, 409, 413, 499}) {
    EXPECT_FALSE(HoldsFor(status)) << status;
  }
}

TEST_F(ConditionsTest, Duration) {
  when.set_min_duration(100 * kMillisecond);
  EXPECT_TRUE(Hold());
  when.set_min_duration(100 * kMillisecond + 1);
  EXPECT_FALSE(Hold());
}

TEST_F(ConditionsTest, Flags) {
  when.add_flags("UF");
  when.add_flags("UT");
  EXPECT_FALSE(Hold());
  info.flags.Set(ResponseFlag::kNoRouteFound);
  EXPECT_FALSE(Hold());
  info.flags.Set(ResponseFlag::kUpstreamRequestTimeout);
  EXPECT_TRUE(Hold());
  when.clear_flags();
  when.add_flags("any");
  EXPECT_TRUE(Hold());
  info.flags = ResponseFlags();
  EXPECT_FALSE(Hold());
}

TEST_F(ConditionsTest, Headers) {
  config::ValueMatch* header = when.add_headers();
  header->set_name("x-debug");
  EXPECT_FALSE(Hold());
  request.headers.Add("X-Debug", "1");
  EXPECT_TRUE(Hold());
  header = when.add_headers();
  header->set_name("user-agent");
  header->set_prefix("probe/");
  header->set_invert(true);
  EXPECT_TRUE(Hold());
  request.headers.Add("user-agent", "probe/1");
  EXPECT_FALSE(Hold());
  info.request = nullptr;  // a head that could not be read
  EXPECT_FALSE(Hold());
}

TEST_F(ConditionsTest, ASampleIsDrawnByTheRequestId) {
  when.set_sample(10);
  int kept = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::string id = "0b8c6a52-0000-4000-8000-" + std::to_string(100'000'000'000 + i);
    info.request_id = id;
    const bool first = Hold();
    for (int again = 0; again < 2; ++again) ASSERT_EQ(Hold(), first);
    kept += first ? 1 : 0;
  }
  info.request_id = "any";
  EXPECT_NEAR(kept, 1'000, 150);
  when.set_sample(100);
  EXPECT_TRUE(Hold());
  when.set_sample(0);
  EXPECT_FALSE(Hold());
}

// A larger share holds every request of a smaller one; the choice does not change between releases.
TEST_F(ConditionsTest, SamplesAreStable) {
  std::string chosen;
  for (int i = 0; i < 64; ++i) {
    const std::string id = "request-" + std::to_string(i);
    info.request_id = id;
    when.set_sample(10);
    const bool small = Hold();
    when.set_sample(50);
    EXPECT_TRUE(!small || Hold());
    if (small) chosen += std::to_string(i) + " ";
  }
  EXPECT_EQ(chosen, "21 22 23 24 27 36 37 57 59 ");
}

TEST_F(ConditionsTest, WithoutAnIdASampleIsRandom) {
  when.set_sample(50);
  int kept = 0;
  for (int i = 0; i < 1'000; ++i) kept += Hold() ? 1 : 0;
  EXPECT_NEAR(kept, 500, 100);
}

TEST_F(ConditionsTest, AllMustHoldOrOneOfThem) {
  when.add_statuses("5xx");
  when.set_min_duration(kSecond);
  info.status = 503;
  EXPECT_FALSE(Hold());
  when.set_any(true);
  EXPECT_TRUE(Hold());
  info.status = 200;
  EXPECT_FALSE(Hold());
  info.end = info.start + kSecond;
  EXPECT_TRUE(Hold());
  when.set_any(false);
  EXPECT_FALSE(Hold());
  info.status = 503;
  EXPECT_TRUE(Hold());
}

TEST_F(ConditionsTest, Errors) {
  for (const char* bad : {"6xx", "abc", "", "4x", "500-400", "99999", "200-", "-200", "5xX"}) {
    when.Clear();
    when.add_statuses(bad);
    EXPECT_EQ(CompileError().substr(0, 39), "statuses[0]: expected 404, 400-499 or 5") << bad;
  }
  when.Clear();
  when.add_flags("UF");
  when.add_flags("UFF");
  EXPECT_EQ(CompileError(), "flags[1]: no response flag \"UFF\" (did you mean \"UF\"?)");
  when.Clear();
  config::ValueMatch* header = when.add_headers();
  header->set_name("x");
  header->set_regex("(");
  EXPECT_EQ(CompileError().substr(0, 18), "headers[0]: regex:");
  when.Clear();
  when.set_any(true);
  EXPECT_EQ(CompileError(), "any: there is no condition");
}

}  // namespace
}  // namespace sluice::access_log
