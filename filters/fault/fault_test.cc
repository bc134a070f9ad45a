#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/config/loader.h"
#include "filters/fault/fault.pb.h"
#include "tests/support/filter_harness.h"

namespace sluice::fault {
namespace {

class Fault : public testing::Test {
 protected:
  void Use(const FaultConfig& config) {
    const auto added = harness_.Add("fault", config);
    EXPECT_TRUE(added) << added.error().detail;
  }

  static FaultConfig Delayed(Nanos fixed, double percent = 100) {
    FaultConfig config;
    config.mutable_delay()->set_fixed(fixed);
    config.mutable_delay()->set_percent(percent);
    return config;
  }
  static FaultConfig Aborted(uint32_t status, double percent = 100) {
    FaultConfig config;
    config.mutable_abort()->set_status(status);
    config.mutable_abort()->set_percent(percent);
    return config;
  }
  static FaultConfig Slowed(uint64_t bytes_per_second, double percent = 100) {
    FaultConfig config;
    config.mutable_bandwidth()->set_bytes_per_second(bytes_per_second);
    config.mutable_bandwidth()->set_percent(percent);
    return config;
  }
  static FaultConfig Controlled() {
    FaultConfig config;
    config.mutable_header_control()->set_max_delay(30 * kSecond);
    return config;
  }

  std::unique_ptr<FilterStream> Get(const HeaderList& headers = {}) {
    auto stream = harness_.NewStream();
    stream->Get("/", headers);
    return stream;
  }

  double Injected(const char* kind) {
    return harness_.Metric("sluice_fault_injected_total",
                           std::string(R"(kind=")") + kind + R"(",listener="web")");
  }
  double Active() { return harness_.Metric("sluice_fault_active", R"(listener="web")"); }
  double Overflows() {
    return harness_.Metric("sluice_fault_overflows_total", R"(listener="web")");
  }

  FilterHarness harness_;
};

TEST_F(Fault, DelaysThenLetsGo) {
  Use(Delayed(250 * kMillisecond));
  auto stream = Get();
  EXPECT_FALSE(stream->request_out().headers);
  harness_.Advance(249 * kMillisecond);
  EXPECT_FALSE(stream->request_out().headers);
  EXPECT_EQ(Active(), 1);
  harness_.Advance(2 * kMillisecond);
  EXPECT_TRUE(stream->request_out().ended);
  EXPECT_EQ(stream->info().flags.ToString(), "DI");
  stream->Respond(200, {}, "ok");
  EXPECT_EQ(stream->response_out().body, "ok");
  stream->Finish();
  EXPECT_EQ(Active(), 0);
  EXPECT_EQ(Injected("delay"), 1);
}

TEST_F(Fault, AClientThatLeavesDuringTheDelayTakesItsFaultAlong) {
  Use(Delayed(kSecond));
  auto stream = Get();
  EXPECT_EQ(Active(), 1);
  stream->Cancel();
  EXPECT_EQ(Active(), 0);
  EXPECT_EQ(harness_.loop().timers().size(), 0u);
  harness_.Advance(2 * kSecond);
}

TEST_F(Fault, Aborts) {
  Use(Aborted(418));
  auto stream = Get();
  ASSERT_NE(stream->reply(), nullptr);
  EXPECT_EQ(stream->reply()->status, 418);
  EXPECT_EQ(stream->reply()->body, "fault filter abort");
  EXPECT_EQ(stream->reply()->details, "fault_filter_abort");
  EXPECT_EQ(stream->info().flags.ToString(), "FI");
  EXPECT_EQ(Injected("abort"), 1);
}

TEST_F(Fault, DelaysBeforeItAborts) {
  FaultConfig config = Delayed(100 * kMillisecond);
  *config.mutable_abort() = Aborted(503).abort();
  Use(config);
  auto stream = Get();
  EXPECT_EQ(stream->reply(), nullptr);
  harness_.Advance(101 * kMillisecond);
  ASSERT_NE(stream->reply(), nullptr);
  EXPECT_EQ(stream->reply()->status, 503);
  EXPECT_EQ(stream->info().flags.ToString(), "DI,FI");
  EXPECT_EQ(Active(), 1) << "one stream, though it has two faults";
}

TEST_F(Fault, DrawsTheShareThatIsAskedFor) {
  Use(Aborted(503, 25));
  int aborted = 0;
  constexpr int kRequests = 2000;
  for (int i = 0; i < kRequests; ++i) aborted += Get()->reply() != nullptr ? 1 : 0;
  EXPECT_GT(aborted, kRequests / 5);
  EXPECT_LT(aborted, kRequests * 3 / 10);
  EXPECT_EQ(Injected("abort"), aborted);
}

TEST_F(Fault, ZeroPercentIsNever) {
  Use(Aborted(503, 0));
  for (int i = 0; i < 200; ++i) EXPECT_EQ(Get()->reply(), nullptr);
}

TEST_F(Fault, AtMostSoManyAtATime) {
  FaultConfig config = Delayed(kSecond);
  config.set_max_active(2);
  Use(config);
  auto first = Get();
  auto second = Get();
  auto third = Get();
  EXPECT_FALSE(first->request_out().headers);
  EXPECT_FALSE(second->request_out().headers);
  EXPECT_TRUE(third->request_out().ended);
  EXPECT_TRUE(third->info().flags.none());
  EXPECT_EQ(Overflows(), 1);
  EXPECT_EQ(Active(), 2);

  first->Cancel();
  auto fourth = Get();
  EXPECT_FALSE(fourth->request_out().headers);
  EXPECT_EQ(Overflows(), 1);
}

// 1000 bytes a second are pieces of 50 bytes, one each 50 ms, the first one at once.
TEST_F(Fault, SlowsTheBodyDown) {
  Use(Slowed(1000));
  auto stream = Get();
  stream->SetResponse(200);
  stream->ResponseHeaders(false);
  stream->ResponseBody(std::string(120, 'a'));
  stream->ResponseBody("the end", true);
  EXPECT_EQ(stream->response_out().body.size(), 50u);
  harness_.Advance(48 * kMillisecond);
  EXPECT_EQ(stream->response_out().body.size(), 50u);
  harness_.Advance(3 * kMillisecond);
  EXPECT_EQ(stream->response_out().body.size(), 100u);
  harness_.Advance(50 * kMillisecond);
  EXPECT_EQ(stream->response_out().body.size(), 120u);
  harness_.Advance(50 * kMillisecond);
  EXPECT_EQ(stream->response_out().body, std::string(120, 'a') + "the end");
  EXPECT_TRUE(stream->response_out().ended);
  EXPECT_EQ(Injected("bandwidth"), 1);
  EXPECT_TRUE(stream->info().flags.none());
}

TEST_F(Fault, ASecondsWorthTakesASecond) {
  Use(Slowed(64 * 1024));
  auto stream = Get();
  stream->Respond(200, {}, std::string(64 * 1024, 'x'));
  int milliseconds = 0;
  for (; !stream->response_out().ended && milliseconds < 3000; ++milliseconds) {
    harness_.Advance(kMillisecond);
  }
  // The first piece goes at once, and the remainder of the division is a 21st.
  EXPECT_GE(milliseconds, 950);
  EXPECT_LE(milliseconds, 1010);
  EXPECT_EQ(stream->response_out().body, std::string(64 * 1024, 'x'));
}

TEST_F(Fault, LessThanAByteAPieceIsAByteAtATime) {
  Use(Slowed(2));
  auto stream = Get();
  stream->Respond(200, {}, "abc");
  EXPECT_EQ(stream->response_out().body, "a");
  harness_.Advance(502 * kMillisecond);
  EXPECT_EQ(stream->response_out().body, "ab");
  harness_.Advance(501 * kMillisecond);
  EXPECT_EQ(stream->response_out().body, "abc");
  EXPECT_TRUE(stream->response_out().ended);
}

TEST_F(Fault, ASlowClientEarnsNoBurst) {
  Use(Slowed(1000));
  auto stream = Get();
  stream->Hold(Direction::kResponse);
  stream->Respond(200, {}, std::string(500, 'x'));
  stream->Take(Direction::kResponse);
  EXPECT_EQ(stream->response_out().body.size(), 50u);
  harness_.Advance(10 * kSecond);
  stream->Take(Direction::kResponse);
  EXPECT_EQ(stream->response_out().body.size(), 100u);
  stream->Take(Direction::kResponse);
  EXPECT_EQ(stream->response_out().body.size(), 100u) << "ten seconds of not reading are not saved";
  harness_.Advance(51 * kMillisecond);
  EXPECT_EQ(stream->response_out().body.size(), 150u);
}

TEST_F(Fault, TrailersComeBehindASlowBody) {
  Use(Slowed(1000));
  auto stream = Get();
  stream->SetResponse(200);
  stream->ResponseHeaders(false);
  stream->ResponseBody(std::string(80, 'a'));
  stream->ResponseTrailers({{"x-sum", "1"}});
  EXPECT_FALSE(stream->response_out().ended);
  harness_.Advance(200 * kMillisecond);
  EXPECT_TRUE(stream->response_out().ended);
  EXPECT_EQ(stream->response_out().body.size(), 80u);
  EXPECT_EQ(stream->response_out().trailers, (HeaderList{{"x-sum", "1"}}));
}

TEST_F(Fault, CancelInTheMiddleOfASlowBody) {
  Use(Slowed(1000));
  auto stream = Get();
  stream->Respond(200, {}, std::string(500, 'x'));
  harness_.Advance(70 * kMillisecond);
  stream->Cancel();
  EXPECT_EQ(Active(), 0);
  EXPECT_EQ(harness_.loop().timers().size(), 0u);
}

TEST_F(Fault, RequestsMayAskForFaultsWhereItIsAllowed) {
  Use(Controlled());
  auto delayed = Get({{"X-Sluice-Fault-Delay", "250ms"}});
  EXPECT_FALSE(delayed->request_out().headers);
  harness_.Advance(251 * kMillisecond);
  EXPECT_TRUE(delayed->request_out().ended);
  EXPECT_FALSE(delayed->request().headers.Has("x-sluice-fault-delay"));

  auto number = Get({{"x-sluice-fault-delay", "20"}});
  EXPECT_FALSE(number->request_out().headers);
  harness_.Advance(21 * kMillisecond);
  EXPECT_TRUE(number->request_out().ended);

  auto aborted = Get({{"x-sluice-fault-abort", "429"}});
  EXPECT_EQ(aborted->response().status, 429);

  auto slowed = Get({{"x-sluice-fault-bandwidth", "1000"}});
  slowed->Respond(200, {}, std::string(60, 'x'));
  EXPECT_EQ(slowed->response_out().body.size(), 50u);

  auto none = Get();
  EXPECT_TRUE(none->request_out().ended);
  EXPECT_TRUE(none->info().flags.none());
}

TEST_F(Fault, ADelayThatIsAskedForHasALimit) {
  Use(Controlled());
  for (const char* delay : {"2h", "99999999999999999999", "18446744073709551615"}) {
    auto stream = Get({{"x-sluice-fault-delay", delay}});
    harness_.Advance(30 * kSecond + 2 * kMillisecond);
    EXPECT_TRUE(stream->request_out().ended) << delay;
  }
}

TEST_F(Fault, AskedForSharesCount) {
  FaultConfig config = Controlled();
  *config.mutable_abort() = Aborted(503).abort();
  Use(config);
  EXPECT_NE(Get()->reply(), nullptr);
  EXPECT_EQ(Get({{"x-sluice-fault-abort-percent", "0"}})->reply(), nullptr);
  EXPECT_EQ(Get({{"x-sluice-fault-abort", "400"}, {"x-sluice-fault-abort-percent", "0%"}})->reply(),
            nullptr);
  auto asked = Get({{"x-sluice-fault-abort", "400"}, {"x-sluice-fault-abort-percent", "100%"}});
  EXPECT_EQ(asked->response().status, 400);
}

TEST_F(Fault, WhatCannotBeReadIsNotThere) {
  Use(Controlled());
  const HeaderList kCases = {
      {"x-sluice-fault-delay", "soon"},
      {"x-sluice-fault-delay", "-5"},
      {"x-sluice-fault-delay", "-5ms"},
      {"x-sluice-fault-abort", "199"},
      {"x-sluice-fault-abort", "600"},
      {"x-sluice-fault-abort", "100"},
      {"x-sluice-fault-abort", ""},
      {"x-sluice-fault-abort", "503x"},
      {"x-sluice-fault-bandwidth", "fast"},
      {"x-sluice-fault-delay-percent", "100"},
      {"x-sluice-fault-abort-percent", "nan"},
      {"x-sluice-fault-", "1"},
  };
  for (const auto& [name, value] : kCases) {
    auto stream = Get({{name, value}});
    EXPECT_TRUE(stream->request_out().ended) << name << ": " << value;
    EXPECT_TRUE(stream->info().flags.none()) << name << ": " << value;
  }
  // A share that cannot be read leaves the fault as it was asked for.
  EXPECT_NE(
      Get({{"x-sluice-fault-abort", "503"}, {"x-sluice-fault-abort-percent", "101"}})->reply(),
      nullptr);
}

TEST_F(Fault, HeadersThatAreNotAllowedEndHereUnread) {
  Use(Aborted(503, 0));
  auto stream =
      Get({{"x-sluice-fault-abort", "503"}, {"x-sluice-fault-delay", "1h"}, {"x-a", "1"}});
  EXPECT_TRUE(stream->request_out().ended);
  EXPECT_FALSE(stream->request().headers.Has("x-sluice-fault-abort"));
  EXPECT_FALSE(stream->request().headers.Has("x-sluice-fault-delay"));
  EXPECT_TRUE(stream->request().headers.Has("x-a"));
}

TEST(FaultSettings, LooksAtBodiesOnlyWhereTheyMayBeSlowed) {
  FilterHarness harness;
  const FilterKind* kind = FindFilterKind("fault");
  ASSERT_NE(kind, nullptr);
  FaultConfig config;
  config.mutable_abort()->set_status(503);
  auto plain = kind->Load(config, harness.load_context());
  ASSERT_TRUE(plain);
  EXPECT_EQ(kind->NewFactory(**plain, harness.worker_context())->hooks(), kRequestHeadersHook);
  EXPECT_FALSE((*plain)->reads_private_headers());

  config.mutable_header_control()->set_max_delay(kSecond);
  auto controlled = kind->Load(config, harness.load_context());
  ASSERT_TRUE(controlled);
  EXPECT_EQ(kind->NewFactory(**controlled, harness.worker_context())->hooks(),
            kRequestHeadersHook | kResponseBodyHook);
  EXPECT_TRUE((*controlled)->reads_private_headers());
}

TEST(FaultSettings, RefusesAConfigThatDoesNothing) {
  FilterHarness harness;
  const auto result = harness.Add("fault", FaultConfig());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().detail,
            "expected one of delay, abort, bandwidth and header_control, got none");
}

TEST(FaultSchema, FormsAndDefaults) {
  FaultConfig config;
  ASSERT_TRUE(LoadMessage("{ delay: 100ms, abort: { status: 503, percent: 0.5% }, "
                          "bandwidth: 64KiB, header_control: {} }",
                          ConfigFormat::kYaml, config)
                  .empty());
  EXPECT_EQ(config.delay().fixed(), 100 * kMillisecond);
  EXPECT_EQ(config.delay().percent(), 100);
  EXPECT_EQ(config.abort().status(), 503u);
  EXPECT_EQ(config.abort().percent(), 0.5);
  EXPECT_EQ(config.bandwidth().bytes_per_second(), 65536u);
  EXPECT_EQ(config.bandwidth().percent(), 100);
  EXPECT_EQ(config.header_control().max_delay(), 30 * kSecond);
  EXPECT_EQ(config.max_active(), 0u);
  for (const char* text :
       {"{ delay: {} }", "{ delay: 0s }", "{ delay: 2h }", "{ abort: 199 }", "{ abort: 600 }",
        "{ bandwidth: 0 }", "{ abort: { status: 503, percent: 101% } }"}) {
    FaultConfig refused;
    EXPECT_FALSE(LoadMessage(text, ConfigFormat::kYaml, refused).empty()) << text;
  }
}

}  // namespace
}  // namespace sluice::fault
