// Breakers over real sockets: what counts as a failure, what a client is told that is refused,
// routes and endpoints with breakers of their own, probes.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <string>
#include <string_view>

#include "core/base/strings.h"
#include "core/upstream/breaker/breaker.h"
#include "tests/support/cancel_loop.h"
#include "tests/support/dead_ports.h"
#include "tests/support/proxy_fixture.h"

namespace sluice::test {
namespace {

constexpr std::string_view kBusy = "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy";
constexpr std::string_view kGrpc =
    "HTTP/1.1 200 OK\r\nContent-Type: application/grpc\r\nTransfer-Encoding: chunked\r\n\r\n"
    "1\r\nx\r\n0\r\n";

std::string Response(int status, std::string_view fields = {}) {
  return StrCat({"HTTP/1.1 ", Decimal(static_cast<uint64_t>(status)), " X\r\n", fields,
                 "Content-Length: 1\r\n\r\nx"});
}

class Breakers : public ProxyFixture {
 protected:
  // Without jitter and ramp, and with two calls that open it if both fail.
  static std::string Text(std::string_view fields = {}) {
    std::string text = StrCat({"breaker: { failure_rate: 100%, jitter: 0%, recovery_ramp: 0"});
    if (fields.find("min_calls") == std::string_view::npos) text += ", min_calls: 2";
    if (fields.find("probes") == std::string_view::npos) text += ", probes: 2";
    return StrCat({text, fields.empty() ? "" : ", ", fields, " }"});
  }
  void StartWith(std::string_view fields = {}, std::string_view route = "timeout: 15s") {
    Start({.route = std::string(route), .cluster = Text(fields)});
  }
  Breaker& breaker(size_t cluster = 0) { return *rig_->cluster(cluster).breaker(); }
  BreakerMode mode() { return breaker().state().mode; }
  int Status(std::string_view request) { return Ask(request).status; }
  int Status() { return Status(Get("/")); }
  Random random_{1};

  void Answer(std::string_view response) { upstream_.AlwaysAnswer(response); }
  void BreakIt() {
    Answer(kBusy);
    EXPECT_EQ(Status(), 503);
    EXPECT_EQ(Status(), 503);
    ASSERT_EQ(mode(), BreakerMode::kOpen);
  }
};

TEST_F(Breakers, WhatTheClientIsTold) {
  StartWith();
  BreakIt();
  Advance(1500 * kMillisecond);
  const HttpText refused = Ask(Get("/"));
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.Header("retry-after"), "4") << "rounded up";
  EXPECT_EQ(refused.Header("x-breaker"),
            StrCat({"open; reason=failures; until=",
                    Decimal(static_cast<uint64_t>(
                        (loop_->wall() + 3500 * kMillisecond + kSecond - 1) / kSecond))}));
  EXPECT_EQ(refused.Header("x-sluice-overloaded"), "1");
  EXPECT_EQ(upstream_.request_count(), 2U) << "it is spared";
  const EndedRequest ended = Ended(3);
  EXPECT_EQ(ended.flags, "UO");
  EXPECT_EQ(ended.details, "breaker_open{clusters.api}");
  EXPECT_EQ(ended.upstream, "");
  EXPECT_EQ(rig_->cluster().stats().breaker_refused.value(), 1U);
  EXPECT_EQ(rig_->cluster().stats().requests.value(), 2U);
}

// It is not the cluster that fails where the proxy has no fd left to ask it.
TEST_F(Breakers, WhatWeLackIsNotItsFailure) {
#if defined(SLUICE_SANITIZE)
  GTEST_SKIP() << "the sanitizers need fds of their own to look at memory";
#endif
  StartWith("consecutive_failures: 1");
  RawClient client(driver_, port());
  driver_.RunUntil([&] { return rig_->stats().connections_active.value() == 1; }, "the client");
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 3;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  client.Send(Get("/"));
  const int status = client.ReadResponse().status;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(status, 503);
  EXPECT_EQ(rig_->cluster().stats().connect_failures.value(), 1U);
  EXPECT_EQ(mode(), BreakerMode::kClosed);
  Answer(kOk);
  EXPECT_EQ(Status(), 200);
}

TEST_F(Breakers, ProbesCloseIt) {
  StartWith();
  upstream_.Next().AwaitRequest().Send(kBusy).AwaitRequest().Send(kBusy).Close();
  upstream_.AlwaysAnswer(kOk);
  EXPECT_EQ(Status(), 503);
  EXPECT_EQ(Status(), 503);
  Advance(5 * kSecond);
  EXPECT_EQ(Status(), 200);
  EXPECT_EQ(mode(), BreakerMode::kHalfOpen);
  EXPECT_EQ(Status(), 200);
  EXPECT_EQ(mode(), BreakerMode::kClosed);
}

// A download that goes on must not keep others from coming.
TEST_F(Breakers, AProbeWaitsForNoStream) {
  for (const std::string_view type : {"text/plain", "Text/Event-Stream; charset=utf-8"}) {
    StartWith("probes: 1");
    upstream_.Next().AwaitRequest().Send(kBusy).AwaitRequest().Send(kBusy).Close();
    upstream_.Next()
        .AwaitRequest()
        .Send(StrCat({"HTTP/1.1 200 OK\r\nContent-Type: ", type,
                      "\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf"}))
        .Hold();
    EXPECT_EQ(Status(), 503);
    EXPECT_EQ(Status(), 503);
    Advance(5 * kSecond);
    RawClient client(driver_, port());
    client.Send(Get("/"));
    driver_.RunUntil([&] { return client.received().find("half") != std::string::npos; },
                     "what there is");
    const bool plain = type == "text/plain";
    EXPECT_EQ(mode(), plain ? BreakerMode::kHalfOpen : BreakerMode::kClosed);
    Advance(kBodyCounts);
    EXPECT_EQ(mode(), BreakerMode::kClosed);
    client.Reset();
    driver_.RunUntil([&] { return rig_->Quiet(); }, "the proxy at rest");
    rig_.reset();
  }
}

// How long responses fare is known from their heads on: were they counted at their ends, the few
// that fail would be all that counts.
TEST_F(Breakers, StreamsCountWhenTheyBeginAndNeverAgain) {
  StartWith("consecutive_failures: 1");
  upstream_.Others()
      .AwaitRequest()
      .Send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata")
      .Hold()
      .Reset();
  for (size_t i = 0; i < 3; ++i) {
    RawClient client(driver_, port());
    client.Send(Get("/"));
    driver_.RunUntil([&] { return client.received().find("data") != std::string::npos; },
                     "an event");
    EXPECT_EQ(breaker().counts(loop_->now()).calls, i + 1);
    upstream_.connection(i).Release();
    driver_.RunUntil([&] { return client.ended(); }, "the end of it");
  }
  EXPECT_EQ(breaker().counts(loop_->now()).calls, 3U);
  EXPECT_EQ(breaker().counts(loop_->now()).failures, 0U);
  EXPECT_EQ(mode(), BreakerMode::kClosed);
}

TEST_F(Breakers, TunnelsCountWhenTheyBeginAndNeverAgain) {
  StartWith("consecutive_failures: 1", "upgrades: [websocket]");
  upstream_.Others()
      .AwaitRequest()
      .Send("HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
      .Hold()
      .Reset();
  RawClient client(driver_, port());
  client.Send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().status, 101);
  EXPECT_EQ(breaker().counts(loop_->now()).calls, 1U);
  upstream_.connection(0).Release();
  driver_.RunUntil([&] { return client.ended(); }, "the end of it");
  EXPECT_EQ(breaker().counts(loop_->now()).calls, 1U);
  EXPECT_EQ(mode(), BreakerMode::kClosed);
}

// A switch that nobody asked for is not a tunnel but a failure.
TEST_F(Breakers, AnUpgradeNotAskedForIsAFailure) {
  StartWith("consecutive_failures: 1", "upgrades: [websocket]");
  Answer("HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
  EXPECT_EQ(Status(), 502);
  EXPECT_EQ(mode(), BreakerMode::kOpen);
}

TEST_F(Breakers, WhatGoesOnForLongWentWell) {
  StartWith("consecutive_failures: 1");
  upstream_.Others()
      .AwaitRequest()
      .Send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
      .Hold()
      .Reset();
  for (const bool is_long : {true, false}) {
    RawClient client(driver_, port());
    client.Send(Get("/"));
    driver_.RunUntil([&] { return client.received().ends_with("half"); }, "what there is");
    EXPECT_EQ(breaker().counts(loop_->now()).calls, is_long ? 0U : 1U);
    Advance(is_long ? kBodyCounts : kBodyCounts - 2 * kMillisecond);
    EXPECT_EQ(breaker().counts(loop_->now()).calls, 1U);
    upstream_.connection(is_long ? 0 : 1).Release();
    driver_.RunUntil([&] { return client.ended(); }, "the end of it");
    EXPECT_EQ(mode(), is_long ? BreakerMode::kClosed : BreakerMode::kOpen);
  }
}

// The head was good; that the client had enough is not for or against the upstream.
TEST_F(Breakers, AClientThatGoesLeavesTheVerdictToTheHead) {
  StartWith("consecutive_failures: 1");
  upstream_.Others().AwaitRequest().Send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
  RawClient client(driver_, port());
  client.Send(Get("/"));
  driver_.RunUntil([&] { return client.received().ends_with("half"); }, "what there is");
  client.Reset();
  Ended(1);
  EXPECT_EQ(breaker().counts(loop_->now()).calls, 1U);
  EXPECT_EQ(breaker().counts(loop_->now()).failures, 0U);
}

TEST_F(Breakers, HeldOpen) {
  StartWith();
  breaker().Force(BreakerMode::kForcedOpen);
  EXPECT_EQ(Ask(Get("/")).Header("x-breaker"), "open; reason=forced");
  breaker().Force(BreakerMode::kDisabled);
  Answer(kBusy);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Ask(Get("/")).body, "busy");
}

struct Kind {
  std::string_view name;
  std::string_view fields;
  std::string response;
  bool failure;
};

class BreakerKinds : public Breakers, public testing::WithParamInterface<Kind> {};

TEST_P(BreakerKinds, Counts) {
  StartWith(GetParam().fields);
  Answer(GetParam().response);
  Status();
  Status();
  EXPECT_EQ(mode(), GetParam().failure ? BreakerMode::kOpen : BreakerMode::kClosed);
  EXPECT_EQ(breaker().counts(loop_->now()).calls, 2U);
}

INSTANTIATE_TEST_SUITE_P(
    All, BreakerKinds,
    testing::Values(
        Kind{"Status500", "", Response(500), true}, Kind{"Status599", "", Response(599), true},
        Kind{"Status429", "", Response(429), true}, Kind{"Status404", "", Response(404), false},
        Kind{"OwnStatus", "statuses: [404]", Response(404), true},
        Kind{"NotOwnStatus", "statuses: [404]", Response(500), false},
        Kind{"InARow", "min_calls: 100, consecutive_failures: 2", Response(500), true},
        Kind{"LimitedInARow", "min_calls: 100, consecutive_failures: 2", Response(429), false},
        Kind{"GrpcHead", "", Response(200, "Content-Type: application/grpc\r\ngrpc-status: 14\r\n"),
             true},
        Kind{"GrpcHeadGood", "",
             Response(200, "Content-Type: application/grpc\r\ngrpc-status: 5\r\n"), false},
        Kind{"GrpcOwn", "grpc_statuses: [5]",
             Response(200, "Content-Type: application/grpc\r\ngrpc-status: 5\r\n"), true},
        Kind{"GrpcTrailers", "", StrCat({kGrpc, "grpc-status: 14\r\n\r\n"}), true},
        Kind{"GrpcTrailersGood", "", StrCat({kGrpc, "grpc-status: 0\r\n\r\n"}), false}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(Breakers, Resets) {
  StartWith("consecutive_failures: 2");
  upstream_.Others().AwaitRequest().Reset();
  EXPECT_EQ(Status(), 503);
  EXPECT_EQ(Status(), 503);
  EXPECT_EQ(mode(), BreakerMode::kOpen);
}

TEST_F(Breakers, ResetsInMidResponse) {
  StartWith();
  upstream_.Others()
      .AwaitRequest()
      .Send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
      .Reset();
  for (int i = 0; i < 2; ++i) {
    RawClient client(driver_, port());
    client.Send(Get("/"));
    driver_.RunUntil([&] { return client.ended(); }, "the end of it");
  }
  EXPECT_EQ(mode(), BreakerMode::kOpen);
}

TEST_F(Breakers, ResetsThatDoNotCount) {
  StartWith("resets: off");
  upstream_.Others().AwaitRequest().Reset();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Status(), 503);
  EXPECT_EQ(mode(), BreakerMode::kClosed);
  EXPECT_EQ(breaker().counts(loop_->now()).calls, 0U) << "they say nothing";
}

TEST_F(Breakers, ConnectsThatFail) {
  const RefusingPort dead;
  StartYaml(
      StrCat({"listeners: [{ name: web, listen: '127.0.0.1:0', routes: [{ match: /, cluster: "
              "api }] }]\nclusters: [{ name: api, endpoints: ['",
              dead.address().ToString(), "'], ", Text(), " }]\n"}));
  EXPECT_EQ(Status(), 503);
  EXPECT_EQ(Status(), 503);
  EXPECT_EQ(mode(), BreakerMode::kOpen);
}

TEST_F(Breakers, TimeOuts) {
  StartWith("slow_after: 0", "timeout: 1s");
  for (int i = 0; i < 2; ++i) {
    RawClient client(driver_, port());
    client.Send(Get("/"));
    driver_.RunUntil([&] { return upstream_.connection_count() > static_cast<size_t>(i); }, "it");
    Advance(kSecond);
    EXPECT_EQ(client.ReadResponse().status, 504);
  }
  EXPECT_EQ(mode(), BreakerMode::kOpen);
}

TEST_F(Breakers, SlowCalls) {
  StartWith("slow_rate: 100%, slow_after: 1s");
  upstream_.Others().AwaitRequest().Hold().Send(kOk).Close();
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(mode(), BreakerMode::kClosed);
    RawClient client(driver_, port());
    client.Send(Get("/"));
    driver_.RunUntil([&] { return upstream_.connection_count() > i; }, "the request");
    Advance(kSecond + 1);
    upstream_.connection(i).Release();
    EXPECT_EQ(client.ReadResponse().status, 200);
  }
  EXPECT_EQ(mode(), BreakerMode::kOpen);
  EXPECT_EQ(breaker().state().reason, BreakerReason::kSlow);
}

TEST_F(Breakers, ACallGivenUpWhileItWasSlowIsSlow) {
  StartWith("slow_rate: 100%, slow_after: 1s");
  for (size_t i = 0; i < 3; ++i) {
    RawClient client(driver_, port());
    client.Send(Get("/"));
    driver_.RunUntil([&] { return upstream_.connection_count() > i; }, "the request");
    Advance(i == 0 ? kMillisecond : 2 * kSecond);
    client.Reset();
    Ended(i + 1);
  }
  EXPECT_EQ(breaker().state().reason, BreakerReason::kSlow);
}

TEST_F(Breakers, WhatTheUpstreamAsksFor) {
  StartWith();
  Answer(Response(503, "Retry-After: 30\r\n"));
  Status();
  Status();
  EXPECT_EQ(Ask(Get("/")).Header("retry-after"), "30");
}

// The third try may not be made: then the upstream's own answer is the one to see.
TEST_F(Breakers, RetriesCount) {
  StartWith({}, "retries: { on: [5xx], attempts: 3, back_off: { base: 1ms, jitter: none } }");
  upstream_.AlwaysAnswer(kBusy);
  RawClient client(driver_, port());
  client.Send(Get("/"));
  driver_.RunUntil([&] { return upstream_.request_count() > 0; }, "the first try");
  for (int i = 0; i < 10; ++i) Advance(kMillisecond);
  const HttpText response = client.ReadResponse();
  EXPECT_EQ(response.body, "busy");
  EXPECT_EQ(response.Header("x-sluice-attempt-count"), "2");
  EXPECT_FALSE(response.Header("x-breaker"));
  EXPECT_EQ(upstream_.request_count(), 2U);
  const EndedRequest ended = Ended(1);
  EXPECT_EQ(ended.attempts, 2U);
  EXPECT_EQ(ended.flags, "UO");
  EXPECT_EQ(ended.details, "via_upstream");
  EXPECT_EQ(ended.upstream, upstream_.text());
}

TEST_F(Breakers, ARoutesOwn) {
  StartYaml(
      StrCat({"listeners:\n- name: web\n  listen: '127.0.0.1:0'\n  routes:\n"
              "  - { name: pay, match: /pay, cluster: api, ",
              Text(), " }\n  - { match: /, cluster: api }\n",
              "clusters: [{ name: api, endpoints: [\"$UP\"] }]\n"}));
  Answer(kBusy);
  EXPECT_EQ(Status(Get("/pay")), 503);
  EXPECT_EQ(Status(Get("/pay")), 503);
  EXPECT_TRUE(Ask(Get("/pay")).Header("x-breaker"));
  EXPECT_EQ(Ended(3).details, "breaker_open{listeners.web.routes.pay.clusters.api}");
  EXPECT_EQ(Ask(Get("/")).body, "busy");
}

TEST_F(Breakers, ARoutesOwnIsForEachOfItsClusters) {
  StartYaml(StrCat(
      {"listeners:\n- name: web\n  listen: '127.0.0.1:0'\n  hosts:\n"
       "  - domains: ['*']\n    routes:\n    - match: /\n"
       "      weighted_clusters: { clusters: [old, new], sticky: { header: x-user } }\n      ",
       Text(), "\nclusters: [{ name: old, endpoints: [\"$UP\"] }, ",
       "{ name: new, endpoints: [\"$OTHER\"] }]\n"}));
  upstream_.AlwaysAnswer(kOk);
  other_.AlwaysAnswer(kBusy);
  // A user of each.
  std::string users[2];
  for (char user = 'a'; users[0].empty() || users[1].empty(); ++user) {
    const std::string field = StrCat({"X-User: ", std::string(1, user), "\r\n"});
    users[Status(Get("/", field)) == 200 ? 0 : 1] = field;
  }
  for (int i = 0; i < 3; ++i) Status(Get("/", users[1]));
  EXPECT_EQ(Ended(ended_.size()).details,
            "breaker_open{listeners.web.hosts.*.routes./.clusters.new}");
  EXPECT_EQ(Status(Get("/", users[0])), 200);
}

// What stands in for an open breaker does so too where it is a retry that the breaker refuses.
TEST_F(Breakers, AFallbackIsBetterThanTheAnswerThatWasToBeTriedAgain) {
  StartYaml(
      StrCat({"listeners:\n- name: web\n  listen: '127.0.0.1:0'\n  routes:\n"
              "  - { match: /, cluster: api, retries: { on: [5xx], back_off: { base: 1ms, jitter: "
              "none } },"
              " fallbacks: [{ on: [breaker_open], cluster: spare }] }\n"
              "clusters: [{ name: api, endpoints: [\"$UP\"], ",
              Text("consecutive_failures: 1"), " }, { name: spare, endpoints: [\"$OTHER\"] }]\n"}));
  Answer(kBusy);
  other_.AlwaysAnswer(kOk);
  RawClient client(driver_, port());
  client.Send(Get("/"));
  driver_.RunUntil([&] { return rig_->cluster().stats().responses[5].value() == 1; }, "the 503");
  for (int i = 0; i < 5; ++i) Advance(kMillisecond);
  const HttpText response = client.ReadResponse();
  EXPECT_EQ(response.body, "ok");
  EXPECT_EQ(response.Header("x-sluice-fallback"), "breaker_open");
}

TEST_F(Breakers, AFallbackIsNotJudgedByTheRoutes) {
  StartYaml(
      StrCat({"listeners:\n- name: web\n  listen: '127.0.0.1:0'\n  routes:\n"
              "  - { match: /, cluster: api, ",
              Text(), ", fallbacks: [{ on: [breaker_open], cluster: spare }] }\n",
              "clusters: [{ name: api, endpoints: [\"$UP\"] }, ",
              "{ name: spare, endpoints: [\"$OTHER\"] }]\n"}));
  Answer(kBusy);
  other_.AlwaysAnswer(kOk);
  EXPECT_EQ(Status(), 503);
  EXPECT_EQ(Status(), 503);
  const HttpText response = Ask(Get("/"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.Header("x-sluice-fallback"), "breaker_open");
  EXPECT_EQ(upstream_.request_count(), 2U);
}

TEST_F(Breakers, AnEndpointsOwn) {
  StartYaml(
      StrCat({"listeners: [{ name: web, listen: '127.0.0.1:0', routes: [{ match: /, cluster: ",
              "api }] }]\nclusters: [{ name: api, endpoints: [\"$UP\", \"$OTHER\"], ",
              Text("per_endpoint: on"), " }]\n"}));
  upstream_.AlwaysAnswer(kBusy);
  other_.AlwaysAnswer(kOk);
  int good = 0;
  for (int i = 0; i < 20; ++i) good += Status() == 200 ? 1 : 0;
  EXPECT_EQ(good, 18);
  EXPECT_EQ(mode(), BreakerMode::kClosed);
  EXPECT_EQ(upstream_.request_count(), 2U);
  // Of both, nobody is left.
  rig_->endpoints().endpoints[1].breaker->Force(BreakerMode::kForcedOpen);
  EXPECT_EQ(Status(), 503);
  EXPECT_EQ(Ended(21).flags, "UO");
}

// Whenever a probe's client goes, its permit is there for the next.
TEST_F(Breakers, AProbeThatIsBrokenOffGivesItsPermitBack) {
  StartWith("probes: 1");
  upstream_.AlwaysAnswer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
  std::unique_ptr<RawClient> client;
  const int turns = CancelLoop(
      [&] {
        // Half open.
        breaker().Force(BreakerMode::kClosed);
        for (int i = 0; i < 2; ++i) {
          const auto admission = breaker().TryEnter(loop_->now(), random_);
          breaker().Leave(admission.token, {true, false}, loop_->now(), random_);
        }
        EXPECT_EQ(mode(), BreakerMode::kOpen);
        Advance(5 * kSecond);
        client = std::make_unique<RawClient>(driver_, port());
        client->SendInPieces(Get("/"), 9);
      },
      [&] {
        driver_.RunRounds(1);
        return client->received().ends_with("hello");
      },
      [&] { client->Reset(); },
      [&]() -> std::string {
        client->Reset();
        for (int i = 0; i < 1000 && !rig_->Quiet(); ++i) driver_.RunRounds(1);
        const std::string rest = rig_->NotQuiet();
        if (!rest.empty()) return rest;
        return breaker().TryEnter(loop_->now(), random_).admitted ? "" : "the permit is gone";
      });
  EXPECT_GT(turns, 5);
}

}  // namespace
}  // namespace sluice::test
