// Requests that are tried again because the route says so: each condition by its name, what keeps
// a try from being repeated, and what the client and the upstream see of it.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/strings.h"
#include "core/stats/directory.h"
#include "tests/support/cancel_loop.h"
#include "tests/support/dead_ports.h"
#include "tests/support/proxy_fixture.h"

namespace sluice::test {
namespace {

constexpr std::string_view kBusy = "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy";

std::string Response(int status, std::string_view fields = {}) {
  return StrCat({"HTTP/1.1 ", Decimal(static_cast<uint64_t>(status)), " X\r\n", fields,
                 "Content-Length: 1\r\n\r\nx"});
}

class Retries : public ProxyFixture {
 protected:
  void StartWith(std::string_view retries, std::string_view route = "timeout: 15s",
                 std::string_view cluster = {}) {
    Start({.route = StrCat({"retries: { ", retries, " }, ", route}),
           .cluster = std::string(cluster)});
  }
  ClusterStats& stats() { return rig_->cluster().stats(); }
  uint64_t refused(ClusterStats::RetryRefusal reason) {
    return stats().retries_refused[reason].value();
  }
  // The first answer is `first`, the second 200. What the client got.
  HttpText AnswerTwice(std::string_view first, std::string_view request) {
    upstream_.Next().AwaitRequest().Send(first).AwaitRequest().Send(kOk);
    upstream_.Others().AwaitRequest().Send(kOk);
    RawClient client(driver_, port());
    client.Send(request);
    driver_.RunUntil([&] { return upstream_.request_count() > 0; }, "the first try");
    PassBackOff();
    return client.ReadResponse();
  }
  // The wait before the next try, which is drawn at random up to this.
  void PassBackOff() {
    for (int i = 0; i < 30; ++i) Advance(10 * kMillisecond);
  }
};

TEST_F(Retries, OurOwnAnswerSaysHowManyTriesThereWere) {
  StartWith("on: [reset], attempts: 3");
  upstream_.Others().AwaitRequest().Reset();
  RawClient client(driver_, port());
  client.Send(Get("/"));
  for (const uint64_t retries : {1u, 2u}) {
    driver_.RunUntil([&] { return stats().retries.value() == retries; }, "the retry");
    PassBackOff();
  }
  const HttpText response = client.ReadResponse();
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.Header("x-sluice-attempt-count"), "3");
}

TEST_F(Retries, AResponseThatIsNamed) {
  StartWith("on: [gateway-error]");
  const HttpText response = AnswerTwice(kBusy, Get("/a"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "ok");
  EXPECT_EQ(response.Header("x-sluice-attempt-count"), "2");
  EXPECT_EQ(upstream_.connection_count(), 1U) << "the refusal was short: its connection goes on";
  ASSERT_EQ(upstream_.connection(0).requests().size(), 2U);
  EXPECT_FALSE(upstream_.connection(0).requests()[0].Header("x-sluice-attempt-count"));
  EXPECT_EQ(upstream_.connection(0).requests()[1].Header("x-sluice-attempt-count"), "2");
  const EndedRequest ended = Ended(1);
  EXPECT_EQ(ended.attempts, 2U);
  EXPECT_EQ(ended.flags, "-");
  EXPECT_EQ(ended.details, "via_upstream");
  EXPECT_EQ(stats().retries.value(), 1U);
  EXPECT_EQ(stats().retries_succeeded.value(), 1U);
  EXPECT_EQ(stats().requests.value(), 2U);
  EXPECT_EQ(stats().responses[5].value(), 1U);
  EXPECT_EQ(stats().responses[2].value(), 1U);
}

TEST_F(Retries, WithoutAPolicyNoResponseIsRepeated) {
  Start();
  EXPECT_EQ(AnswerTwice(kBusy, Get("/")).status, 503);
  EXPECT_EQ(stats().retries.value(), 0U);
}

struct ByName {
  std::string_view retries;
  std::string response;
  bool repeated;
};

class RetriesByName : public Retries, public testing::WithParamInterface<ByName> {};

TEST_P(RetriesByName, Holds) {
  StartWith(GetParam().retries);
  const HttpText response = AnswerTwice(GetParam().response, Get("/"));
  EXPECT_EQ(response.status == 200 && response.body == "ok", GetParam().repeated);
  EXPECT_EQ(stats().retries.value(), GetParam().repeated ? 1U : 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Conditions, RetriesByName,
    testing::Values(
        ByName{"on: [5xx]", Response(500), true}, ByName{"on: [5xx]", Response(599), true},
        ByName{"on: [5xx]", Response(499), false},
        ByName{"on: [gateway-error]", Response(500), false},
        ByName{"on: [gateway-error]", Response(502), true},
        ByName{"on: [gateway-error]", Response(504), true},
        ByName{"on: [gateway-error]", Response(505), false},
        ByName{"on: [idempotent]", Response(503), true},
        ByName{"on: [idempotent]", Response(500), false},
        ByName{"on: [reset, connect-failure, refused-stream]", Response(503), false},
        ByName{"on: [retriable-4xx]", Response(409), true},
        ByName{"on: [retriable-4xx]", Response(404), false},
        ByName{"on: [ratelimited]", Response(429), true}, ByName{"on: [5xx]", Response(429), false},
        ByName{"on: [5xx]", Response(503, "X-Sluice-Ratelimited: true\r\n"), false},
        ByName{"on: [5xx, ratelimited]", Response(503, "X-Sluice-Ratelimited: true\r\n"), true},
        ByName{"statuses: [404]", Response(404), true},
        ByName{"statuses: [404]", Response(403), false},
        ByName{"headers: { x-again: { exact: 'yes' } }", Response(200, "X-Again: yes\r\n"), true},
        ByName{"headers: { x-again: { exact: 'yes' } }", Response(404, "X-Again: no\r\n"), false},
        ByName{"on: [cancelled]", Response(200, "Grpc-Status: 1\r\n"), true},
        ByName{"on: [deadline-exceeded]", Response(200, "Grpc-Status: 4\r\n"), true},
        ByName{"on: [internal]", Response(200, "Grpc-Status: 13\r\n"), true},
        ByName{"on: [resource-exhausted]", Response(200, "Grpc-Status: 8\r\n"), true},
        ByName{"on: [unavailable]", Response(200, "Grpc-Status: 14\r\n"), true},
        ByName{"on: [unavailable]", Response(404, "Grpc-Status: 0\r\n"), false}));

TEST_F(Retries, ARequestThatIsNotIdempotent) {
  StartWith("on: [idempotent]");
  EXPECT_EQ(AnswerTwice(kBusy, Post("/", "x")).status, 503);
  EXPECT_EQ(stats().retries.value(), 0U);
}

TEST_F(Retries, AnIdempotencyKeyMakesItOne) {
  StartWith("on: [idempotent]");
  EXPECT_EQ(AnswerTwice(kBusy, Post("/", "x", "Idempotency-Key: 7\r\n")).status, 200);
  EXPECT_EQ(stats().retries.value(), 1U);
}

TEST_F(Retries, AReset) {
  StartWith("on: [reset]");
  upstream_.Next().AwaitRequest().Reset();
  upstream_.Others().AwaitRequest().Send(kOk);
  RawClient client(driver_, port());
  client.Send(Post("/", "not idempotent, but named"));
  ASSERT_TRUE(upstream_.WaitForRequests(1));
  PassBackOff();
  EXPECT_EQ(client.ReadResponse().status, 200);
  EXPECT_EQ(LastRequest().body, "not idempotent, but named");
  EXPECT_EQ(stats().retries.value(), 1U);
}

TEST_F(Retries, AConnectThatFails) {
  const RefusingPort refusing;
  StartYaml(
      StrCat({"listeners: [{ name: web, listen: 127.0.0.1:0, routes: [{ match: /, cluster: "
              "api, retries: { on: [connect-failure], attempts: 3 } }] }]\n"
              "clusters: [{ name: api, endpoints: [\"",
              refusing.address().ToString(), "\"] }]\n"}));
  RawClient client(driver_, port());
  client.Send(Get("/"));
  driver_.RunUntil([&] { return stats().connect_failures.value() >= 1; }, "the first connect");
  PassBackOff();
  driver_.RunUntil([&] { return stats().connect_failures.value() >= 2; }, "the second");
  PassBackOff();
  EXPECT_EQ(client.ReadResponse().status, 503);
  EXPECT_EQ(stats().connect_failures.value(), 3U);
  const EndedRequest ended = Ended(1);
  EXPECT_EQ(ended.attempts, 3U);
  EXPECT_EQ(ended.flags, "UF,URX");
  EXPECT_EQ(refused(ClusterStats::kByAttempts), 1U);
}

TEST_F(Retries, ATryThatTakesTooLong) {
  StartWith("on: [reset], per_try_timeout: 1s");
  upstream_.Next().AwaitRequest().AwaitEnd();
  upstream_.Others().AwaitRequest().Send(kOk);
  RawClient client(driver_, port());
  client.Send(Get("/"));
  ASSERT_TRUE(upstream_.WaitForRequests(1));
  Advance(1001 * kMillisecond);
  PassBackOff();
  EXPECT_EQ(client.ReadResponse().status, 200);
  EXPECT_EQ(stats().per_try_timeouts.value(), 1U);
  EXPECT_EQ(stats().retries.value(), 1U);
}

TEST_F(Retries, TheLastAnswerIsPassedOn) {
  StartWith("on: [5xx], attempts: 3");
  upstream_.AlwaysAnswer(kBusy);
  RawClient client(driver_, port());
  client.Send(Get("/"));
  for (size_t tries = 1; tries <= 2; ++tries) {
    ASSERT_TRUE(upstream_.WaitForRequests(tries));
    PassBackOff();
  }
  const HttpText response = client.ReadResponse();
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.body, "busy");
  EXPECT_EQ(response.Header("x-sluice-attempt-count"), "3");
  EXPECT_EQ(Ended(1).flags, "URX");
  EXPECT_EQ(upstream_.request_count(), 3U);
  EXPECT_EQ(stats().retries.value(), 2U);
  EXPECT_EQ(stats().retries_succeeded.value(), 0U);
}

TEST_F(Retries, ABodyIsSentAgain) {
  StartWith("on: [5xx], attempts: 3");
  const std::string body(60000, 'b');
  upstream_.AlwaysAnswer(kBusy);
  RawClient client(driver_, port());
  client.Send(Post("/", body));
  for (size_t tries = 1; tries <= 2; ++tries) {
    ASSERT_TRUE(upstream_.WaitForRequests(tries));
    PassBackOff();
  }
  EXPECT_EQ(client.ReadResponse().status, 503);
  for (const HttpText& request : upstream_.connection(0).requests()) EXPECT_EQ(request.body, body);
  EXPECT_EQ(upstream_.request_count(), 3U);
}

TEST_F(Retries, ABodyThatIsTooLongIsNot) {
  StartWith("on: [5xx]");
  EXPECT_EQ(AnswerTwice(kBusy, Post("/", std::string(70000, 'b'))).status, 503);
  EXPECT_EQ(refused(ClusterStats::kByBody), 1U);
  EXPECT_EQ(upstream_.request_count(), 1U);
}

TEST_F(Retries, ARefusalBeforeTheBodyHasCome) {
  StartWith("on: [5xx]");
  upstream_.Next().AwaitText("\r\n\r\n").Send(kBusy).AwaitEnd();
  upstream_.Others().AwaitRequest().Send(kOk);
  RawClient client(driver_, port());
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n01234");
  driver_.RunUntil([&] { return stats().responses[5].value() == 1; }, "the refusal");
  client.Send("56789");
  PassBackOff();
  EXPECT_EQ(client.ReadResponse().status, 200);
  EXPECT_EQ(LastRequest().body, "0123456789");
}

TEST_F(Retries, ARefusalBeforeTheBodyHasComeWaitsNoLongerThanTheRoute) {
  StartWith("on: [5xx]", "timeout: 1s");
  upstream_.Next().AwaitText("\r\n\r\n").Send(Response(503, "Retry-After: 3\r\n")).AwaitEnd();
  RawClient client(driver_, port());
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n01234");
  EXPECT_EQ(client.ReadResponse().Header("retry-after"), "3");
  EXPECT_EQ(refused(ClusterStats::kByTime), 1U);
}

TEST_F(Retries, ALongRefusalCostsItsConnection) {
  StartWith("on: [5xx]");
  upstream_.Next().AwaitRequest().Send("HTTP/1.1 503 Busy\r\nContent-Length: 1000000\r\n\r\nx");
  upstream_.Others().AwaitRequest().Send(kOk);
  RawClient client(driver_, port());
  client.Send(Get("/"));
  driver_.RunUntil([&] { return stats().responses[5].value() == 1; }, "the refusal");
  PassBackOff();
  EXPECT_EQ(client.ReadResponse().status, 200);
  driver_.RunUntil([&] { return upstream_.connection(0).ended(); }, "the connection's end");
  EXPECT_EQ(upstream_.connection_count(), 2U);
}

// Another has taken the place that the second try needs.
class RetriesThatAreRefused : public Retries {
 protected:
  void TearDown() override {
    LetAllGo();
    Retries::TearDown();
  }
  void LetAllGo() {
    for (const auto& client : clients_) client->Reset();
    driver_.RunUntil([&] { return rig_->Quiet(); }, "the proxy at rest");
    clients_.clear();
  }
  // The first request is answered so, later ones wait for their answers.
  void StartWithLimits(std::string_view limits, std::string_view answer,
                       std::string_view more = "timeout: 15s") {
    StartWith("on: [5xx]", more, StrCat({"limits: { ", limits, " }"}));
    upstream_.Next().AwaitRequest().Send(answer).AwaitRequest().Hold();
    upstream_.Others().AwaitRequest().Hold();
    Send();
    driver_.RunUntil([&] { return stats().responses[5].value() == 1; }, "the refusal");
    driver_.RunRounds(5);
  }
  RawClient& Send() {
    clients_.push_back(std::make_unique<RawClient>(driver_, port()));
    clients_.back()->Send(Get("/"));
    return *clients_.back();
  }
  HttpText First() {
    PassBackOff();
    return clients_[0]->ReadResponse();
  }
  std::vector<std::unique_ptr<RawClient>> clients_;
};

TEST_F(RetriesThatAreRefused, TheAnswerThereIsIsPassedOn) {
  StartWithLimits("requests: 1", kBusy);
  Send();
  ASSERT_TRUE(upstream_.WaitForRequests(2));
  const HttpText response = First();
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.body, "busy");
  EXPECT_FALSE(response.Header("x-sluice-overloaded")) << "it is the upstream's";
  const EndedRequest ended = Ended(1);
  EXPECT_EQ(ended.attempts, 1U);
  EXPECT_EQ(ended.flags, "UO");
  EXPECT_EQ(ended.details, "via_upstream");
  // Nothing of it is timed any more.
  Advance(20 * kSecond);
  EXPECT_EQ(stats().timeouts.value(), 1U) << "the other's";
}

TEST_F(RetriesThatAreRefused, NorMayItWaitForAConnection) {
  StartWithLimits("connections: 1, pending: 1", kBusy);
  Send();
  ASSERT_TRUE(upstream_.WaitForRequests(2));
  Send();
  driver_.RunUntil([&] { return rig_->cluster().limits().pending.value() == 1; }, "the third");
  EXPECT_EQ(First().body, "busy");
  const EndedRequest ended = Ended(1);
  EXPECT_EQ(ended.attempts, 1U);
  EXPECT_EQ(ended.upstream, upstream_.text());
}

TEST_F(RetriesThatAreRefused, WithTrailersOrWithoutABody) {
  StartWithLimits("requests: 1",
                  "HTTP/1.1 503 Busy\r\nTrailer: x-t\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "2\r\nno\r\n0\r\nx-t: 1\r\n\r\n");
  Send();
  ASSERT_TRUE(upstream_.WaitForRequests(2));
  EXPECT_EQ(First().body, "no");
  LetAllGo();
  rig_.reset();
  const size_t before = upstream_.request_count();
  StartWithLimits("requests: 1", "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
  Send();
  ASSERT_TRUE(upstream_.WaitForRequests(before + 2));
  const HttpText response = First();
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.Header("content-length"), "0");
}

// One that is not whole when the next try is due is not waited for.
TEST_F(RetriesThatAreRefused, AnAnswerThatTrickles) {
  StartWithLimits("requests: 1", "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbu");
  EXPECT_EQ(rig_->cluster().limits().requests.value(), 1U);
  PassBackOff();
  ASSERT_TRUE(upstream_.WaitForRequests(2));
  EXPECT_EQ(rig_->cluster().limits().requests.value(), 1U) << "of the second try";
  driver_.RunUntil([&] { return upstream_.connection(0).ended(); }, "the first one's end");
}

TEST_F(RetriesThatAreRefused, AFallbackForTheStatusStillStandsIn) {
  StartWithLimits("requests: 1", kBusy,
                  "fallbacks: [{ statuses: [503], respond: { status: 200, body: spare } }]");
  Send();
  ASSERT_TRUE(upstream_.WaitForRequests(2));
  const HttpText response = First();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "spare");
  EXPECT_EQ(response.Header("x-sluice-fallback"), "status");
}

TEST_F(RetriesThatAreRefused, AFallbackForTheStatusNeedsNoWholeAnswer) {
  StartWithLimits("requests: 1", "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbu",
                  "fallbacks: [{ statuses: [503], respond: { status: 200, body: spare } }]");
  SharedGauge used = rig_->cluster().limits().requests;
  used.Add();  // on another worker
  const HttpText response = First();
  used.Sub();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "spare");
  EXPECT_EQ(response.Header("x-sluice-fallback"), "status");
}

// Whenever the client goes while its answer is held.
TEST_F(RetriesThatAreRefused, ClientsThatGoMeanwhile) {
  StartWith("on: [5xx], back_off: { base: 5ms, jitter: none }", "timeout: 15s",
            "limits: { requests: 2 }");
  upstream_.Others().AwaitRequest().Send(kBusy).Repeat();
  const int turns = CancelLoop([&] { Send(); },
                               [&] {
                                 clock_.Advance(kMillisecond);
                                 driver_.RunRounds(1);
                                 return clients_.back()->received().ends_with("busy");
                               },
                               [&] { clients_.back()->Reset(); },
                               [&] {
                                 LetAllGo();
                                 return rig_->NotQuiet();
                               });
  EXPECT_GT(turns, 3);
}

TEST_F(Retries, ALongRetryAfterIsTheClientsToWaitFor) {
  StartWith("on: [5xx]", "timeout: 0");
  upstream_.Next().AwaitRequest().Send(Response(503, "Retry-After: 61\r\n")).Close();
  upstream_.AlwaysAnswer(Response(503, "Retry-After: 60\r\n"));
  EXPECT_EQ(Ask(Get("/")).Header("retry-after"), "61");
  EXPECT_EQ(refused(ClusterStats::kByTime), 1U);
  RawClient client(driver_, port());
  client.Send(Get("/"));
  driver_.RunUntil([&] { return stats().retries.value() == 1; }, "the wait");
  client.Reset();
  driver_.RunUntil([&] { return rig_->Quiet(); }, "the proxy at rest");
}

TEST_F(Retries, RetryAfterIsWaitedFor) {
  StartWith("on: [5xx]");
  upstream_.AlwaysAnswer(Response(503, "Retry-After: 3\r\n"));
  RawClient client(driver_, port());
  client.Send(Get("/"));
  ASSERT_TRUE(upstream_.WaitForRequests(1));
  driver_.RunUntil([&] { return stats().responses[5].value() == 1; }, "the refusal");
  Advance(2900 * kMillisecond);
  EXPECT_EQ(upstream_.request_count(), 1U);
  Advance(200 * kMillisecond);
  ASSERT_TRUE(upstream_.WaitForRequests(2));
  EXPECT_EQ(client.ReadResponse().status, 503);
}

TEST_F(Retries, ARetryAfterBeyondTheRoutesTimeIsForTheClient) {
  StartWith("on: [5xx]", "timeout: 2s");
  upstream_.AlwaysAnswer(Response(503, "Retry-After: 3\r\n"));
  const HttpText response = Ask(Get("/"));
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.Header("retry-after"), "3");
  EXPECT_EQ(refused(ClusterStats::kByTime), 1U);
}

TEST_F(Retries, TheRoutesTimeCoversAllTries) {
  StartWith(
      "on: [5xx], back_off: { growth: fixed, jitter: none, base: 600ms, max: 1s }, "
      "attempts: 20",
      "timeout: 2s");
  upstream_.Others().AwaitRequest().Send(kBusy).AwaitRequest().Send(kBusy).AwaitRequest();
  RawClient client(driver_, port());
  client.Send(Get("/"));
  for (size_t tries = 1; tries <= 2; ++tries) {
    ASSERT_TRUE(upstream_.WaitForRequests(tries));
    driver_.RunUntil([&] { return stats().responses[5].value() == tries; }, "a refusal");
    Advance(601 * kMillisecond);
  }
  ASSERT_TRUE(upstream_.WaitForRequests(3));
  Advance(900 * kMillisecond);
  EXPECT_EQ(client.ReadResponse().status, 504);
  EXPECT_EQ(Ended(1).flags, "UT");
}

TEST_F(Retries, TheBudgetEndsThem) {
  StartWith("on: [5xx], attempts: 20", "timeout: 15s",
            "retry_budget: { percent: 0%, rate: 0.2/s }");
  upstream_.AlwaysAnswer(kBusy);
  RawClient client(driver_, port());
  client.Send(Get("/"));
  for (size_t tries = 1; tries <= 2; ++tries) {
    ASSERT_TRUE(upstream_.WaitForRequests(tries));
    PassBackOff();
  }
  EXPECT_EQ(client.ReadResponse().status, 503);
  EXPECT_EQ(upstream_.request_count(), 3U);
  EXPECT_EQ(refused(ClusterStats::kByBudget), 1U);
  EXPECT_EQ(Ended(1).flags, "-");
}

TEST_F(Retries, AClientThatLeavesWhileItWaits) {
  StartWith("on: [5xx], back_off: { growth: fixed, jitter: none, base: 1s, max: 1s }");
  upstream_.AlwaysAnswer(kBusy);
  RawClient client(driver_, port());
  client.Send(Get("/"));
  ASSERT_TRUE(upstream_.WaitForRequests(1));
  client.Reset();
  EXPECT_EQ(Ended(1).flags, "DC");
  Advance(2 * kSecond);
  EXPECT_EQ(upstream_.request_count(), 1U);
}

TEST_F(Retries, AnotherPriorityIsTried) {
  StartYaml(
      "listeners: [{ name: web, listen: 127.0.0.1:0, routes: [{ match: /, cluster: api, retries: { "
      "on: [5xx], other_priority: on } }] }]\nclusters: [{ name: api, endpoints: [$UP, { address: "
      "$OTHER, priority: 1 }, { address: \"127.0.0.1:1\" }] }]\n");
  upstream_.AlwaysAnswer(kBusy);
  other_.AlwaysAnswer(kOk);
  for (uint64_t i = 0; i < 4; ++i) {
    RawClient client(driver_, port());
    client.Send(Get("/"));
    // One of the two of priority 0, if need be after a connect that fails, then the other priority.
    for (int wait = 0; wait < 20; ++wait) Advance(10 * kMillisecond);
    EXPECT_EQ(client.ReadResponse().status, 200);
    EXPECT_EQ(other_.request_count(), i + 1);
  }
}

TEST_F(Retries, AnotherEndpointIsTried) {
  StartYaml(
      "listeners: [{ name: web, listen: 127.0.0.1:0, routes: [{ match: /, cluster: api, retries: { "
      "on: [5xx] } }] }]\nclusters: [{ name: api, endpoints: [$UP, $OTHER] }]\n");
  upstream_.AlwaysAnswer(kBusy);
  other_.AlwaysAnswer(kOk);
  for (int i = 0; i < 4; ++i) {
    RawClient client(driver_, port());
    client.Send(Get("/"));
    driver_.RunUntil([&] { return stats().requests.value() > static_cast<uint64_t>(i); }, "a try");
    for (int wait = 0; wait < 5; ++wait) Advance(10 * kMillisecond);
    EXPECT_EQ(client.ReadResponse().status, 200);
  }
}

}  // namespace
}  // namespace sluice::test
