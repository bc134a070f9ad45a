// The cancel loop: each scenario is broken off at every turn, by the client and by the upstream.
// Whatever was pending then must end: gauges are zero, counters add up, no stream is left (and
// nothing is leaked or used after its end: ASan).
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "core/base/clock.h"
#include "core/base/strings.h"
#include "core/event/loop.h"
#include "tests/support/cancel_loop.h"
#include "tests/support/dead_ports.h"
#include "tests/support/driver.h"
#include "tests/support/proxy_rig.h"
#include "tests/support/raw_client.h"
#include "tests/support/scripted_upstream.h"

namespace sluice::test {
namespace {

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

enum class Victim { kClientResets, kClientCloses, kClientEnds, kUpstreamResets, kUpstreamCloses };

class CancelTest : public ::testing::TestWithParam<Victim> {
 protected:
  struct Scenario {
    std::string request;
    std::string listener = {};  // further fields, as in a flow map
    std::string route = {};
    std::string cluster = {};
    std::string endpoints = {};  // in front of the upstream
    // Further bytes, when the answer to the request's head is there.
    std::string after_head = {};
    size_t pieces = 9;
    // Time that passes each turn.
    Nanos step = kMillisecond;
    size_t responses = 1;
    std::string ends_with = {};  // of what the untouched client gets
    // For so many turns the route's bulkhead, of one request, is full of another worker's.
    int full_turns = 0;
    // For so many turns the client reads nothing.
    int stalls = 0;
    int each_until = 2000;
    // The client ends its side when the other has ended.
    bool answers_end = false;
  };

  void Run(const Scenario& scenario) {
    Start(scenario);
    bool sent_rest = false;
    bool sent_end = false;
    size_t responses_before = 0;
    int turns_done = 0;
    const int turns = CancelLoop(
        [&] {
          if (scenario.full_turns > 0) Occupy(true);
          client_ = std::make_unique<RawClient>(driver_, rig_->port());
          client_->SendInPieces(scenario.request, scenario.pieces);
          client_->SetReading(scenario.stalls == 0);
          turns_done = 0;
          sent_rest = sent_end = false;
          responses_before = Responses();
        },
        [&] {
          Turn(scenario.step);
          if (++turns_done == scenario.stalls) client_->SetReading(true);
          if (turns_done == scenario.full_turns) Occupy(false);
          const std::string& got = client_->received();
          if (!sent_rest && got.find("\r\n\r\n") != std::string::npos) {
            sent_rest = true;
            client_->SendInPieces(scenario.after_head, scenario.pieces);
          }
          if (scenario.answers_end && client_->peer_closed() && !std::exchange(sent_end, true)) {
            client_->HalfClose();
          }
          const bool over = Responses() == responses_before + scenario.responses &&
                            got.ends_with(scenario.ends_with) && client_->all_sent();
          if (over) client_->Reset();
          return over;
        },
        [&] { BreakOff(); }, [&] { return WhatIsLeft(); }, scenario.each_until);
    EXPECT_GT(turns, 5);
  }

  void Start(const Scenario& scenario) {
    rig_ = std::make_unique<ProxyRig>(
        *loop_, clock_,
        StrCat({"listeners:\n  - { name: web, listen: 127.0.0.1:0, ", scenario.listener,
                "routes: [{ match: { prefix: / }, ", scenario.route,
                "cluster: api }] }\nclusters: [{ name: api, ", scenario.cluster, "endpoints: [",
                scenario.endpoints, upstream_.text(), "] }, { name: copy, endpoints: [",
                other_.text(), "] }]\n"}));
  }

  void Turn(Nanos step) {
    clock_.Advance(step);
    driver_.RunRounds(1);
  }

  void Occupy(bool on) {
    if (occupied_ == on) return;
    occupied_ = on;
    const RouteTable& routes = *rig_->runtime().settings.routes;
    const SharedGauge& active =
        rig_->runtime().bulkhead(&routes.hosts()[0]->routes()[0])->settings().active;
    on ? active.Add() : active.Sub();
  }

  uint64_t Responses() {
    uint64_t sum = 0;
    for (const Counter& responses : rig_->stats().responses) sum += responses.value();
    return sum;
  }

  void BreakOff() {
    switch (GetParam()) {
      case Victim::kClientResets:
        return client_->Reset();
      case Victim::kClientCloses:
        return client_->Close();
      case Victim::kClientEnds:
        return client_->HalfClose();
      case Victim::kUpstreamResets:
      case Victim::kUpstreamCloses:
        for (ScriptedUpstream* upstream : {&upstream_, &other_}) {
          for (size_t i = 0; i < upstream->connection_count(); ++i) {
            ScriptedConnection& connection = upstream->connection(i);
            if (connection.closed()) continue;
            GetParam() == Victim::kUpstreamResets ? connection.Reset() : connection.Close();
          }
        }
    }
  }

  // Lets everything end, time-outs too.
  std::string WhatIsLeft() {
    const bool client_stays =
        GetParam() == Victim::kUpstreamResets || GetParam() == Victim::kUpstreamCloses;
    client_->SetReading(true);
    for (int i = 0; i < 20; ++i) driver_.RunRounds(1);
    Occupy(false);
    if (client_stays) client_->Reset();
    // A client that only closed still gets its answer; when the route's time is up if not before.
    for (int i = 0; i < 400 && !rig_->Quiet(); ++i)
      Turn(i < 50 ? kMillisecond : 100 * kMillisecond);
    std::string left = rig_->NotQuiet();
    if (Responses() != rig_->stats().requests.value()) left += "listener's counters differ ";
    for (size_t index : {0U, 1U}) {
      const ClusterStats& stats = rig_->cluster(index).stats();
      uint64_t sum = 0;
      for (const Counter& responses : stats.responses) sum += responses.value();
      if (sum != stats.requests.value()) left += "cluster's counters differ ";
    }
    return left;
  }

  FakeClock clock_;
  std::unique_ptr<Loop> loop_ = std::move(*Loop::Create(clock_));
  Driver driver_{loop_.get()};
  ScriptedUpstream upstream_{driver_};
  ScriptedUpstream other_{driver_};
  std::unique_ptr<ProxyRig> rig_;
  std::unique_ptr<RawClient> client_;
  bool occupied_ = false;
};

TEST_P(CancelTest, Get) {
  upstream_.Others() = Script().AwaitRequest().SendInPieces(kOk, 7).Repeat();
  Run({.request = std::string(kGet), .ends_with = "ok"});
}

TEST_P(CancelTest, GetOnConnectionsThatAreNotKept) {
  upstream_.Others() = Script().AwaitRequest().SendInPieces(kOk, 7).Repeat();
  Run({.request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
       .cluster = "pool: { idle: 0 }, ",
       .ends_with = "ok"});
}

TEST_P(CancelTest, RetriesAfterAWait) {
  upstream_.Others() = Script()
                           .AwaitRequest()
                           .SendInPieces("HTTP/1.1 503 X\r\nContent-Length: 4\r\n\r\nbusy", 7)
                           .AwaitRequest()
                           .SendInPieces(kOk, 7)
                           .Repeat();
  Run({.request = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody",
       .route =
           "timeout: 1s, retries: { on: [5xx], attempts: 3, back_off: { growth: fixed, jitter: "
           "none, base: 4ms, max: 4ms } }, "});
}

TEST_P(CancelTest, ATrySideBySideWithAnother) {
  // Every second request of a connection is answered late.
  upstream_.Others() = Script().AwaitRequest().AwaitEnd();
  other_.Others() = Script().AwaitRequest().SendInPieces(kOk, 7).Repeat();
  Run({.request = std::string(kGet),
       .route = "timeout: 1s, hedge: { after: 4ms }, ",
       .cluster = StrCat({"balance: { policy: round_robin }, connect_timeout: 500ms, "}),
       .endpoints = StrCat({"{ address: \"", other_.text(), "\" }, "})});
}

TEST_P(CancelTest, AFallbackThatIsAsked) {
  upstream_.Others() = Script()
                           .AwaitRequest()
                           .SendInPieces("HTTP/1.1 503 X\r\nContent-Length: 4\r\n\r\nbusy", 7)
                           .Repeat();
  other_.Others() = Script().AwaitRequest().SendInPieces(kOk, 7).Repeat();
  Run({.request = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody",
       .route = "timeout: 1s, fallbacks: [{ statuses: [503], cluster: copy }, { respond: { status: "
                "200 } }], "});
}

TEST_P(CancelTest, PostWithAStreamedBody) {
  upstream_.Others() = Script().AwaitRequest().SendInPieces(kOk, 7).Repeat();
  Run({.request = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "5\r\nhello\r\n20\r\n12345678901234567890123456789012\r\n0\r\nx-t: 1\r\n\r\n",
       .ends_with = "ok"});
}

TEST_P(CancelTest, PostThatExpectsContinue) {
  upstream_.Others() = Script().AwaitRequest().SendInPieces(kOk, 7).Repeat();
  Run({.request =
           "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 20\r\n\r\n",
       .after_head = "01234567890123456789",
       .ends_with = "ok"});
}

TEST_P(CancelTest, Pipelined) {
  upstream_.Others() = Script().AwaitRequest().SendInPieces(kOk, 7).Repeat();
  Run({.request = StrCat({kGet, kGet, kGet}), .pieces = 40, .responses = 3, .ends_with = "ok"});
}

TEST_P(CancelTest, ChunkedResponseWithTrailers) {
  upstream_.Others() = Script()
                           .AwaitRequest()
                           .SendInPieces(
                               "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
                               "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
                               "a\r\n0123456789\r\n0\r\nx-t: 1\r\n\r\n",
                               11)
                           .Repeat();
  Run({.request = std::string(kGet), .pieces = 20, .ends_with = "x-t: 1\r\n\r\n"});
}

TEST_P(CancelTest, ResponseToAStalledClient) {
  // More than the kernel takes for it.
  upstream_.Others() = Script()
                           .AwaitRequest()
                           .Send(StrCat({"HTTP/1.1 200 OK\r\nContent-Length: 6000003\r\n\r\n",
                                         std::string(6000000, 'l'), "end"}))
                           .Repeat();
  Run({.request = std::string(kGet), .ends_with = "lend", .stalls = 12, .each_until = 16});
}

TEST_P(CancelTest, Tunnel) {
  upstream_.Others() = Script()
                           .AwaitText("\r\n\r\n")
                           .Send(
                               "HTTP/1.1 101 Switching Protocols\r\nConnection: "
                               "upgrade\r\nUpgrade: websocket\r\n\r\n")
                           .AwaitText("ping")
                           .SendInPieces("a long pong", 2)
                           .Close();
  Run({.request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
       .route = "upgrades: [websocket], idle_timeout: 5s, ",
       .after_head = "ping",
       .pieces = 30,
       .ends_with = "a long pong",
       .answers_end = true});
}

TEST_P(CancelTest, FilterThatDelays) {
  upstream_.Others() = Script().AwaitRequest().SendInPieces(kOk, 7).Repeat();
  Run({.request = std::string(kGet),
       .listener = "filters: [{ fault: { delay: 10ms, bandwidth: 100 } }], ",
       .ends_with = "ok"});
}

TEST_P(CancelTest, FilterThatCollectsTheBody) {
  upstream_.Others() = Script().AwaitRequest().SendInPieces(kOk, 7).Repeat();
  Run({.request = StrCat(
           {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 90\r\n\r\n", std::string(90, 'b')}),
       .listener = "filters: [{ fault: { delay: 2ms } }, { buffer: 1KiB }], ",
       .ends_with = "ok"});
}

TEST_P(CancelTest, Mirror) {
  upstream_.Others() = Script().AwaitRequest().SendInPieces(kOk, 7).Repeat();
  other_.Others() = Script().AwaitRequest().SendInPieces(kOk, 1).Repeat();
  Run({.request = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\n\r\n"
                  "012345678901234567890123456789",
       .route = "mirror: { cluster: copy }, ",
       .ends_with = "ok"});
}

TEST_P(CancelTest, WaitingForAConnect) {
  const SilentPort silent;
  // Its time is up after some turns; then the other endpoint answers.
  upstream_.Others() = Script().AwaitRequest().SendInPieces(kOk, 7).Repeat();
  Run({.request = std::string(kGet),
       .cluster = "connect_timeout: 8ms, ",
       .endpoints = StrCat({"{ address: \"", silent.address().ToString(), "\", weight: 99 }, "}),
       .ends_with = "ok"});
}

TEST_P(CancelTest, ConnectThatIsRefusedAndRetried) {
  const RefusingPort refusing;
  upstream_.Others() = Script().AwaitRequest().SendInPieces(kOk, 7).Repeat();
  Run({.request = std::string(kGet),
       .cluster = "pool: { idle: 0 }, ",
       .endpoints = StrCat({"{ address: \"", refusing.address().ToString(), "\", weight: 99 }, "}),
       .ends_with = "ok"});
}

TEST_P(CancelTest, WaitingAtABulkhead) {
  upstream_.Others() = Script().AwaitRequest().SendInPieces(kOk, 7).Repeat();
  Run({.request = StrCat(
           {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 90\r\n\r\n", std::string(90, 'b')}),
       .route = "bulkhead: { requests: 1, queue: 2 }, ",
       .cluster = "bulkhead: { requests: 1, queue: 2 }, ",
       .ends_with = "ok",
       .full_turns = 14});
}

TEST_P(CancelTest, WaitingAtABulkheadForTooLong) {
  upstream_.Others() = Script().AwaitRequest().SendInPieces(kOk, 7).Repeat();
  Run({.request = std::string(kGet),
       .route = "bulkhead: { requests: 1, queue: { requests: 2, wait: 10ms } }, ",
       .ends_with = "overloaded\n",
       .full_turns = 40});
}

TEST_P(CancelTest, StaleConnectionThatIsRetried) {
  // Each connection answers once, and closes when the second request comes.
  upstream_.Others() = Script().AwaitRequest().Send(kOk).AwaitText("GET").Close();
  Run({.request = StrCat({kGet, kGet}), .pieces = 15, .responses = 2, .ends_with = "ok"});
}

INSTANTIATE_TEST_SUITE_P(Victims, CancelTest,
                         ::testing::Values(Victim::kClientResets, Victim::kClientCloses,
                                           Victim::kClientEnds, Victim::kUpstreamResets,
                                           Victim::kUpstreamCloses),
                         [](const auto& parameter) {
                           switch (parameter.param) {
                             case Victim::kClientResets:
                               return "ClientResets";
                             case Victim::kClientCloses:
                               return "ClientCloses";
                             case Victim::kClientEnds:
                               return "ClientEnds";
                             case Victim::kUpstreamResets:
                               return "UpstreamResets";
                             default:
                               return "UpstreamCloses";
                           }
                         });

}  // namespace
}  // namespace sluice::test
