// Endpoints that are killed and restarted in turn under wrk, with active checks as they are by
// default: no client sees an error while another endpoint is well.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "tests/support/sluice_process.h"
#include "tests/support/stats_watch.h"
#include "tests/support/temp_folder.h"

namespace sluice::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr int kRounds = 6;

class EndpointsSoakTest : public testing::TestWithParam<const char*> {
 protected:
  std::unique_ptr<SluiceProcess> Echo(const std::string& address) {
    auto echo = std::make_unique<SluiceProcess>(
        driver_, std::vector<std::string>{"echo", "--listen", address, "--workers", "1"});
    EXPECT_TRUE(echo->WaitUntilReady());
    return echo;
  }
  // Seconds until the gauge of the cluster says so. A wait of Driver::kGuard fails the test.
  double Await(const std::string& gauge, int64_t value) {
    const Nanos begin = clock_.Monotonic();
    driver_.RunUntil([&] { return ReadGauge(stats_, gauge, "cluster=\"app\"") == value; },
                     gauge + " to be " + std::to_string(value));
    return static_cast<double>(clock_.Monotonic() - begin) / static_cast<double>(kSecond);
  }

  SystemClock clock_;
  Driver driver_;
  TempFolder folder_;
  const std::string stats_ = folder_.Path("stats");
};

TEST_P(EndpointsSoakTest, NoClientSeesAnError) {
  std::vector<std::unique_ptr<SluiceProcess>> echoes;
  std::vector<std::string> addresses;
  std::string list;
  for (int i = 0; i < 3; ++i) {
    echoes.push_back(Echo("127.0.0.1:0"));
    addresses.push_back(echoes.back()->Where("echo").ToString());
    list += (i > 0 ? ", " : "") + addresses.back();
  }
  SluiceProcess sluice(
      driver_,
      {"run", "-c",
       folder_.Write("sluice.yaml",
                     "workers: 2\nstats: " + stats_ +
                         "\nlisteners: [{ name: web, listen: 127.0.0.1:0, routes: [{ match: /, "
                         "cluster: app, retries: { on: [connect-failure, reset], attempts: 2 } }] "
                         "}]\nclusters: [{ name: app, balance: " +
                         std::string(GetParam()) + ", endpoints: [" + list +
                         "], health: /status/200, outlier_detection: {}, breaker: {} }]\n")});
  ASSERT_TRUE(sluice.WaitUntilReady());
  Process wrk(driver_, "/usr/bin/wrk",
              {"-t1", "-c32", "-d10h", "--timeout", "10s",
               "http://" + sluice.Where("web").ToString() + "/"});
  // A breaker that has seen a few dozen calls only takes half of them for much.
  driver_.RunUntil(
      [this] { return ReadCounter(stats_, "sluice_downstream_requests_total") > 10'000; },
      "the load");
  std::vector<double> noticed;
  std::vector<double> recovered;
  for (int round = 0; round < kRounds && !HasFailure(); ++round) {
    const size_t i = static_cast<size_t>(round) % echoes.size();
    echoes[i]->Signal(SIGKILL);
    echoes[i]->WaitForExit();
    noticed.push_back(Await("sluice_upstream_endpoints_unhealthy", 1));
    echoes[i] = Echo(addresses[i]);
    recovered.push_back(Await("sluice_upstream_endpoints_usable", 3));
  }
  wrk.Signal(SIGINT);
  EXPECT_EQ(wrk.WaitForExit(), 0) << wrk.err();
  EXPECT_THAT(wrk.out(), Not(HasSubstr("Socket errors")));
  EXPECT_THAT(wrk.out(), Not(HasSubstr("Non-2xx")));
  EXPECT_THAT(wrk.out(), HasSubstr(" requests in "));
  ASSERT_FALSE(recovered.empty());
  printf("%d kills: noticed after at most %.1f s, in use again after at most %.1f s\n%s\n", kRounds,
         *std::max_element(noticed.begin(), noticed.end()),
         *std::max_element(recovered.begin(), recovered.end()), wrk.out().c_str());
  sluice.Signal(SIGTERM);
  EXPECT_EQ(sluice.WaitForExit(), 0);
}

INSTANTIATE_TEST_SUITE_P(Policies, EndpointsSoakTest,
                         testing::Values("round_robin", "least_request", "peak_ewma", "maglev"),
                         [](const auto& each) { return std::string(each.param); });

}  // namespace
}  // namespace sluice::test
