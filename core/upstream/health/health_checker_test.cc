#include "core/upstream/health/health_checker.h"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/cancel_loop.h"
#include "tests/support/checked_cluster.h"
#include "tests/support/dead_ports.h"

namespace sluice {
namespace {

using testing::ElementsAre;

constexpr std::string_view kBad = "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n";

class HealthCheckerTest : public HealthTest {
 protected:
  // What `upstream` says from its next connection on; the probes' connections are not kept.
  static void Say(test::ScriptedUpstream& upstream, bool healthy) {
    upstream.Others() = test::Script().AwaitRequest().Send(healthy ? kOk : kBad).Close();
  }
  // The check that is due after `wait`, and no sooner.
  void CheckAfter(Nanos wait, uint64_t count) {
    Advance(wait - 2 * kMillisecond);
    driver_.RunRounds(5);
    EXPECT_EQ(Checks("success") + Checks("failure"), count - 1);
    Advance(3 * kMillisecond);
    WaitForChecks(count);
  }
  // The endpoints that requests go to.
  std::vector<std::string> Used() {
    std::vector<std::string> used;
    for (const EndpointGroup& group : cluster_->endpoints()->groups) {
      for (const uint32_t member : group.members) {
        used.push_back(cluster_->endpoints()->endpoints[member].text);
      }
    }
    return used;
  }
};

TEST_F(HealthCheckerTest, TheFirstCheckDecidesAndWarmsTheCluster) {
  Say(upstream_, true);
  StartOne("path: /");
  EXPECT_FALSE(cluster_->warm());
  EXPECT_TRUE(cluster_->resolved());
  EXPECT_EQ(State(), "unchecked");
  EXPECT_EQ(GaugeOf("sluice_upstream_endpoints_usable"), 0);
  EXPECT_THAT(Used(), ElementsAre(upstream_.text())) << "there is no other";
  BeginFirst();
  WaitForChecks(1);
  EXPECT_TRUE(cluster_->warm());
  EXPECT_EQ(State(), "");
  EXPECT_EQ(changes_, 1);
  EXPECT_EQ(GaugeOf("sluice_upstream_endpoints_usable"), 1);
  EXPECT_EQ(cluster_->endpoints()->endpoints[0].since, 0) << "it is no newcomer";
  Advance(3 * kSecond);
  EXPECT_EQ(cluster_->FindCheck(upstream_.text())->ago, 3 * kSecond);
  EXPECT_FALSE(cluster_->FindCheck("10.0.0.1:80"));
}

TEST_F(HealthCheckerTest, GoesDownAfterThreeFailuresAndUpAfterTwoSuccesses) {
  Say(upstream_, true);
  StartOne("path: /");
  BeginFirst();
  WaitForChecks(1);
  Say(upstream_, false);
  CheckAfter(kSecond, 2);
  CheckAfter(250 * kMillisecond, 3);
  EXPECT_EQ(State(), "");
  CheckAfter(250 * kMillisecond, 4);
  EXPECT_EQ(State(), "failed");
  EXPECT_EQ(GaugeOf("sluice_upstream_endpoints_unhealthy"), 1);
  Say(upstream_, true);
  CheckAfter(3 * kSecond, 5);
  EXPECT_EQ(State(), "failed");
  CheckAfter(250 * kMillisecond, 6);
  EXPECT_EQ(State(), "");
  EXPECT_EQ(cluster_->endpoints()->endpoints[0].since, loop_->now()) << "as good as new";
  CheckAfter(kSecond, 7);
  EXPECT_THAT(events_, ElementsAre("+!healthy first", "-healthy", "-healthy", "-!unhealthy",
                                   "+unhealthy", "+!healthy", "+healthy"));
  EXPECT_EQ(Checks("success"), 4u);
  EXPECT_EQ(Checks("failure"), 3u);
  EXPECT_EQ(Changes("healthy"), 2u);
  EXPECT_EQ(Changes("unhealthy"), 1u);
  EXPECT_EQ(GaugeOf("sluice_upstream_endpoints_unhealthy"), 0);
  EXPECT_EQ(changes_, 3);
}

// What it promises: the longest that it may take, whatever chance does, and that it does not take
// longer.
TEST_F(HealthCheckerTest, ByDefaultAFailureIsNoticedInFiveSecondsAndARecoveryInTen) {
  const HealthSettings settings;
  const auto longest = [&](Nanos wait) {
    return static_cast<Nanos>(static_cast<double>(wait) * (1 + settings.jitter));
  };
  // It stops answering just after a check that passed; it answers again just after one began.
  const Nanos out = longest(settings.interval) + settings.unhealthy_threshold * settings.timeout +
                    (settings.unhealthy_threshold - 1) * longest(settings.fast_interval);
  const Nanos back = settings.timeout + longest(settings.down_interval) +
                     settings.healthy_threshold * settings.timeout +
                     (settings.healthy_threshold - 1) * longest(settings.fast_interval);
  EXPECT_EQ(out, 4650 * kMillisecond);
  EXPECT_EQ(back, 6575 * kMillisecond);

  config::Cluster config = CheckedClusterConfig({upstream_.text()}, "path: /");
  config.mutable_health()->set_jitter(100 * settings.jitter);
  cluster_ = Create(config);
  Start();
  Say(upstream_, true);
  BeginFirst();
  WaitForChecks(1);
  const auto time_until = [this](const auto& done) {
    Nanos passed = 0;
    for (; !done() && passed < 20 * kSecond; passed += 5 * kMillisecond) {
      Advance(5 * kMillisecond);
      driver_.RunRounds(3);
    }
    return passed;
  };
  upstream_.Others() = test::Script().AwaitRequest().AwaitEnd();
  EXPECT_LT(time_until([this] { return State() == "failed"; }), 5 * kSecond);
  const size_t checks = upstream_.request_count();
  time_until([&] { return upstream_.request_count() > checks; });
  Say(upstream_, true);
  EXPECT_LT(time_until([this] { return State().empty(); }), 10 * kSecond);
}

TEST_F(HealthCheckerTest, ThresholdsAndIntervalsAreTheConfigs) {
  Say(upstream_, true);
  StartOne(
      "interval: 40s, fast_interval: 7s, down_interval: 90s, healthy_threshold: 1, "
      "unhealthy_threshold: 2");
  BeginFirst();
  WaitForChecks(1);
  Say(upstream_, false);
  CheckAfter(40 * kSecond, 2);
  CheckAfter(7 * kSecond, 3);
  EXPECT_EQ(State(), "failed");
  Say(upstream_, true);
  CheckAfter(90 * kSecond, 4);
  EXPECT_EQ(State(), "");
}

TEST_F(HealthCheckerTest, JitterSpreadsTheChecks) {
  Say(upstream_, true);
  config::Cluster config = CheckedClusterConfig({upstream_.text()}, "interval: 100s");
  config.mutable_health()->set_jitter(50);
  cluster_ = Create(config);
  Start();
  BeginFirst();
  WaitForChecks(1);
  // The chance that twenty waits of 50s to 150s are all of 99s to 101s is none.
  bool other = false;
  for (uint64_t i = 1; i <= 20; ++i) {
    int seconds = 0;
    while (Checks("success") == i && seconds < 160) {
      Advance(kSecond);
      driver_.RunRounds(10);
      ++seconds;
    }
    EXPECT_GE(seconds, 50);
    EXPECT_LE(seconds, 151);
    other |= seconds < 99 || seconds > 101;
  }
  EXPECT_TRUE(other);
}

TEST_F(HealthCheckerTest, ThoseThatFailTogetherAreOneChange) {
  const test::RefusingPort port;
  std::vector<std::string> many;
  for (int i = 1; i <= 50; ++i) {
    many.push_back(
        StrCat({"127.0.0.", std::to_string(i), ":", std::to_string(port.address().port())}));
  }
  Create(many, "protocol: tcp, fast_interval: 5s");
  Start();
  BeginFirst();
  WaitForChecks(50);
  EXPECT_EQ(changes_, 1);
  EXPECT_EQ(GaugeOf("sluice_upstream_endpoints_unhealthy"), 50);
}

// Not in one turn of the loop.
TEST_F(HealthCheckerTest, TheFirstChecksOfManyAreSpread) {
  const test::RefusingPort port;
  std::vector<std::string> many;
  for (int i = 0; i < 1000; ++i) {
    many.push_back(StrCat({"127.0.", std::to_string(i / 200), ".", std::to_string(i % 200 + 1), ":",
                           std::to_string(port.address().port())}));
  }
  Create(many, "protocol: tcp, down_interval: 1h");
  Start();
  uint64_t most = 0;
  for (int i = 0; i <= 101; ++i) {
    const uint64_t before = Checks("failure");
    Advance(kMillisecond);
    most = std::max(most, Checks("failure") - before);
  }
  WaitForChecks(1000);
  EXPECT_LT(most, 100u);
}

// Else the first one that is found to be well would get everything.
TEST_F(HealthCheckerTest, InTheFirstRoundOnlyFailuresAreTold) {
  const test::RefusingPort port;
  Say(upstream_, true);
  other_.Next().AwaitRequest().Hold().Send(kOk);
  const std::string refusing = port.address().ToString();
  Create({upstream_.text(), other_.text(), refusing}, "path: /");
  Start();
  BeginFirst();
  WaitForChecks(2);
  EXPECT_EQ(State(refusing), "failed");
  EXPECT_EQ(State(), "unchecked");
  EXPECT_EQ(Reason(), "ok");
  EXPECT_FALSE(cluster_->warm());
  EXPECT_THAT(Used(), ElementsAre(upstream_.text(), other_.text()));
  other_.connection(0).Release();
  WaitForChecks(3);
  EXPECT_EQ(State(), "");
  EXPECT_EQ(State(other_.text()), "");
  EXPECT_TRUE(cluster_->warm());
}

TEST_F(HealthCheckerTest, ANewcomerIsUsedWhenItIsKnownToBeWell) {
  const std::string port = std::to_string(upstream_.port());
  test::ScriptedUpstream newcomer(driver_, Address::Parse("127.0.0.2:" + port).value());
  Say(upstream_, true);
  newcomer.Next().AwaitRequest().Hold().Send(kOk).Close();
  Create({"api.test:" + port}, "interval: 1h, timeout: 1h");
  Start();
  dns_.Answer("api.test", {"127.0.0.1"});
  EXPECT_FALSE(cluster_->warm());
  BeginFirst();
  WaitForChecks(1);
  EXPECT_TRUE(cluster_->warm());
  Advance(61 * kSecond);
  dns_.Answer("api.test", {"127.0.0.1", "127.0.0.2"});
  EXPECT_EQ(State("127.0.0.2:" + port), "unchecked");
  EXPECT_THAT(Used(), ElementsAre(upstream_.text()));
  EXPECT_EQ(cluster_->endpoints()->priorities_in_panic, 0u);
  EXPECT_TRUE(cluster_->warm());
  BeginFirst();
  newcomer.WaitForRequests(1);
  newcomer.connection(0).Release();
  WaitForChecks(2);
  EXPECT_THAT(Used(), ElementsAre(upstream_.text(), "127.0.0.2:" + port));

  // It leaves while it is checked, and returns: nothing is known of it any more.
  newcomer.Next().AwaitRequest().AwaitEnd();
  newcomer.Next().AwaitRequest().AwaitEnd();
  Advance(3601 * kSecond);
  dns_.Answer("api.test", {"127.0.0.1", "127.0.0.2"});
  newcomer.WaitForRequests(2);
  Advance(61 * kSecond);
  dns_.Answer("api.test", {"127.0.0.1"});
  driver_.RunUntil([&] { return newcomer.connection(1).script_done(); }, "the end");
  EXPECT_FALSE(cluster_->FindCheck("127.0.0.2:" + port));
  Advance(61 * kSecond);
  dns_.Answer("api.test", {"127.0.0.1", "127.0.0.2"});
  EXPECT_EQ(State("127.0.0.2:" + port), "unchecked");
  BeginFirst();
  EXPECT_TRUE(newcomer.WaitForConnections(3));
}

// Without fds nobody can be asked: that is no reason to take everybody out.
TEST_F(HealthCheckerTest, WhatOurOwnSideLacksSaysNothingOfAnEndpoint) {
  StartOne("path: /");
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{3, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  BeginFirst();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  loop_->RunOnce(0);
  EXPECT_EQ(Checks("not_made"), 1u);
  EXPECT_EQ(Checks("failure"), 0u);
  EXPECT_EQ(State(), "unchecked");
  EXPECT_TRUE(cluster_->warm()) << "nobody waits for ever";
  Say(upstream_, true);
  Advance(11 * kSecond);
  WaitForChecks(1);
  EXPECT_EQ(State(), "");
}

TEST_F(HealthCheckerTest, ADrainedEndpointIsCheckedToo) {
  Say(upstream_, false);
  StartOne("path: /");
  cluster_->SetFault(upstream_.text(), EndpointFault::kDrained, true);
  BeginFirst();
  WaitForChecks(1);
  const EndpointFaults faults = cluster_->endpoints()->endpoints[0].faults;
  EXPECT_TRUE(HasFault(faults, EndpointFault::kDrained));
  EXPECT_TRUE(HasFault(faults, EndpointFault::kFailedCheck));
  cluster_->SetFault(upstream_.text(), EndpointFault::kDrained, false);
  EXPECT_EQ(State(), "failed");
}

TEST_F(HealthCheckerTest, TheNextProcessBeginsWithWhatIsKnownAndChecksAgain) {
  Say(upstream_, false);
  Say(other_, true);
  Create({upstream_.text(), other_.text()}, "path: /");
  Start();
  BeginFirst();
  WaitForChecks(2);
  events_.clear();

  const std::unique_ptr<Cluster> before = std::move(cluster_);
  before->SetChecking(false);
  Create({upstream_.text(), other_.text()}, "path: /next");
  EXPECT_EQ(State(), "failed");
  EXPECT_EQ(State(other_.text()), "");
  Start();
  EXPECT_FALSE(cluster_->warm());
  Say(upstream_, true);
  Say(other_, false);
  BeginFirst();
  WaitForChecks(4);
  EXPECT_EQ(State(), "");
  EXPECT_EQ(State(other_.text()), "failed");
  EXPECT_THAT(events_, testing::UnorderedElementsAre("+!healthy", "-!unhealthy"));
}

// The words of endpoints outlive configurations and processes.
TEST_F(HealthCheckerTest, WhoeverIsCheckedNoMoreIsWell) {
  Say(upstream_, false);
  StartOne("path: /");
  BeginFirst();
  WaitForChecks(1);
  EXPECT_EQ(State(), "failed");
  const std::unique_ptr<Cluster> before = std::move(cluster_);
  Create({upstream_.text()}, "");
  EXPECT_TRUE(cluster_->endpoints()->endpoints[0].usable());
  Start();
  before->SetChecking(false);
  EXPECT_TRUE(cluster_->warm());
  // Nor does a drain bring it back.
  cluster_->SetFault(upstream_.text(), EndpointFault::kDrained, true);
  cluster_->SetFault(upstream_.text(), EndpointFault::kDrained, false);
  EXPECT_TRUE(cluster_->endpoints()->endpoints[0].usable());
  Advance(60 * kSecond);
  EXPECT_EQ(Checks("failure"), 1u);

  Create({upstream_.text()}, "path: /");
  EXPECT_EQ(State(), "unchecked") << "nothing is known any more";
}

// A configuration that is only tried must not change anything.
TEST_F(HealthCheckerTest, AClusterThatIsNeverStartedLeavesTheWordsAlone) {
  Say(upstream_, false);
  StartOne("path: /");
  BeginFirst();
  WaitForChecks(1);
  Create(CheckedClusterConfig({upstream_.text()}, ""));
  EXPECT_EQ(
      StateIn(*Create(CheckedClusterConfig({upstream_.text()}, "path: /x")), upstream_.text()),
      "failed");
}

// Two processes, or two generations of a configuration, may see the same endpoint in other ways.
TEST_F(HealthCheckerTest, EachClusterGoesByItsOwnChecks) {
  Say(upstream_, true);
  StartOne("path: /");
  BeginFirst();
  WaitForChecks(1);
  const std::unique_ptr<Cluster> before = std::move(cluster_);
  before->SetChecking(false);
  Say(upstream_, false);
  StartOne("path: /x");
  BeginFirst();
  WaitForChecks(2);
  EXPECT_EQ(State(), "failed");
  before->SetFault(upstream_.text(), EndpointFault::kDrained, true);
  before->SetFault(upstream_.text(), EndpointFault::kDrained, false);
  EXPECT_EQ(StateIn(*before, upstream_.text()), "");
}

TEST_F(HealthCheckerTest, ABreakKeepsWhatIsKnown) {
  Say(upstream_, true);
  StartOne("path: /");
  BeginFirst();
  WaitForChecks(1);
  upstream_.Next().AwaitRequest().AwaitEnd();
  Advance(6 * kSecond);
  upstream_.WaitForRequests(2);
  cluster_->SetChecking(false);
  driver_.RunUntil([&] { return upstream_.connection(1).script_done(); }, "the end");
  Advance(60 * kSecond);
  EXPECT_EQ(upstream_.connection_count(), 2u);
  EXPECT_EQ(State(), "");
  Say(upstream_, false);
  cluster_->SetChecking(true);
  cluster_->SetChecking(true);
  BeginFirst();
  WaitForChecks(2);
  EXPECT_EQ(State(), "failed") << "the first result decides";
}

// As outlier detection does it.
TEST_F(HealthCheckerTest, ASubscriberMayTakeAnotherFaultBack) {
  Say(upstream_, true);
  StartOne("path: /");
  cluster_->SetFault(upstream_.text(), EndpointFault::kEjected, true);
  cluster_->SubscribeHealth([this](const HealthEvent& event) {
    if (!event.success) return;
    cluster_->SetFault(event.endpoint, EndpointFault::kEjected, false);
  });
  BeginFirst();
  WaitForChecks(1);
  EXPECT_TRUE(cluster_->endpoints()->endpoints[0].usable());
}

TEST_F(HealthCheckerTest, AClusterWithoutChecksHasNoSeriesOfThem) {
  StartOne("");
  cluster_->SubscribeHealth([](const HealthEvent&) { FAIL(); });
  cluster_->SetChecking(true);
  EXPECT_FALSE(reader_.Find("sluice_upstream_health_checks_total",
                            {{"cluster", "api"}, {"result", "success"}}));
  EXPECT_FALSE(cluster_->FindCheck(upstream_.text()));
}

// At each turn of a check and of what follows from it.
TEST_F(HealthCheckerTest, ItMayBeDestroyedOrBrokenOffAtAnyTurn) {
  for (const char* health : {"path: /, body: ok", "protocol: tcp, send: a, expect: ok"}) {
    for (const bool destroy : {false, true}) {
      const int turns = test::CancelLoop(
          [&] {
            upstream_.Others() = test::Script().AwaitBytes(1).SendByteByByte(kOk);
            StartOne(health);
            BeginFirst();
          },
          [&] {
            driver_.RunRounds(1);
            return State() == "";
          },
          [&] { destroy ? cluster_.reset() : cluster_->SetChecking(false); },
          [&] {
            loop_->RunOnce(0);
            const size_t timers = cluster_ == nullptr ? loop_->timers().size() : 0;
            // What is known lasts until somebody makes no checks.
            Create({upstream_.text()}, "");
            Start();
            return timers == 0 && loop_->timers().size() == 0 ? "" : "timers";
          });
      EXPECT_GT(turns, 5);
    }
  }
}

}  // namespace
}  // namespace sluice
