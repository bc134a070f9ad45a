// What answers in place of a failure: each reason, the order, what the client and the log see.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "core/base/strings.h"
#include "tests/support/dead_ports.h"
#include "tests/support/proxy_fixture.h"

namespace sluice::test {
namespace {

constexpr std::string_view kBusy = "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy";

class Fallbacks : public ProxyFixture {
 protected:
  // The cluster api is upstream_, spare is other_, nobody has no endpoint that answers.
  void StartWith(std::string_view fallbacks, std::string_view route = "cluster: api") {
    StartYaml(StrCat(
        {"listeners: [{ name: web, listen: 127.0.0.1:0, routes: [{ match: /, ", route,
         ", fallbacks: [", fallbacks, "] }] }]\nclusters:\n",
         "  - { name: api, endpoints: [$UP] }\n", "  - { name: spare, endpoints: [$OTHER] }\n",
         "  - { name: nobody, endpoints: [\"", refusing_.address().ToString(), "\"] }\n"}));
  }
  uint64_t taken(FailReason reason) {
    return rig_->stats().fallbacks[static_cast<size_t>(reason)].value();
  }

  const RefusingPort refusing_;
};

TEST_F(Fallbacks, AnAnswerRightHere) {
  StartWith(
      "{ respond: { status: 203, body: \"sorry: %status% %response_flags%\", content_type: "
      "text/x, headers: { cache-control: no-store } } }",
      "cluster: nobody");
  const HttpText response = Ask(Get("/"));
  EXPECT_EQ(response.status, 203);
  EXPECT_EQ(response.body, "sorry: 503 UF");
  EXPECT_EQ(response.Header("content-type"), "text/x");
  EXPECT_EQ(response.Header("cache-control"), "no-store");
  EXPECT_EQ(response.Header("x-sluice-fallback"), "failure");
  EXPECT_EQ(taken(FailReason::kFailure), 1U);
  const EndedRequest ended = Ended(1);
  EXPECT_EQ(ended.status, 203);
  EXPECT_EQ(ended.flags, "UF");
  EXPECT_EQ(ended.details.rfind("upstream_reset_before_response_started{", 0), 0U) << ended.details;
}

TEST_F(Fallbacks, FieldsHoldVariablesAsTheBodyDoes) {
  StartWith(
      "{ respond: { status: 200, headers: { x-was: \"%status% %response_flags%\", x-who: "
      "\"%header(x-user)%\", x-none: \"%header(x-absent)%\" } } }",
      "cluster: nobody");
  const HttpText response = Ask(Get("/", "x-user: me\r\n"));
  EXPECT_EQ(response.Header("x-was"), "503 UF");
  EXPECT_EQ(response.Header("x-who"), "me");
  EXPECT_FALSE(response.Header("x-none")) << "one that comes out empty is not sent";
}

// What a client sends must not become part of the document.
TEST_F(Fallbacks, InJsonVariablesAreEscaped) {
  for (const char* type : {"application/json", "Application/Problem+JSON; charset=utf-8"}) {
    rig_.reset();
    StartWith(StrCat({"{ respond: { status: 200, content_type: \"", type,
                      "\", body: '{\"user\": \"%header(x-user)%\"}' } }"}),
              "cluster: nobody");
    EXPECT_EQ(Ask(Get("/", "x-user: a\", \"admin\": \"b\r\n")).body,
              "{\"user\": \"a\\\", \\\"admin\\\": \\\"b\"}");
  }
  rig_.reset();
  StartWith("{ respond: { status: 200, body: \"%header(x-user)%\" } }", "cluster: nobody");
  EXPECT_EQ(Ask(Get("/", "x-user: a\"b\r\n")).body, "a\"b");
}

TEST_F(Fallbacks, AnotherCluster) {
  StartWith("{ cluster: spare }", "cluster: nobody");
  other_.AlwaysAnswer(kOk);
  const HttpText response = Ask(Post("/", "body"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.Header("x-sluice-fallback"), "failure");
  EXPECT_EQ(LastRequest(other_).body, "body");
  const EndedRequest ended = Ended(1);
  EXPECT_EQ(ended.cluster, "spare");
  EXPECT_EQ(ended.upstream, other_.text());
  EXPECT_EQ(ended.flags, "-");
  EXPECT_EQ(ended.details.rfind("fallback{upstream_reset_before_response_started{", 0), 0U)
      << ended.details;
}

// The spare cluster has no subsets: what the route wants of its own cluster's endpoints is not
// asked of others.
TEST_F(Fallbacks, TheRoutesSubsetIsOfItsOwnCluster) {
  StartYaml(
      StrCat({"listeners: [{ name: web, listen: 127.0.0.1:0, routes: [{ match: /, cluster: api, "
              "subset: { version: 2 }, fallbacks: [{ cluster: spare }] }] }]\nclusters:\n  - { "
              "name: api, balance: { subsets: [[version]] }, endpoints: [{ address: \"",
              refusing_.address().ToString(),
              "\", metadata: { version: 2 } }] }\n  - { name: spare, endpoints: [$OTHER] }\n"}));
  other_.AlwaysAnswer(kOk);
  EXPECT_EQ(Ask(Get("/")).status, 200);
}

// Each tells the client which failure it stands in for, also when the next one fails at once.
TEST_F(Fallbacks, TheLastFailureIsTheOneThatIsTold) {
  StartWith("{ on: [no_endpoint], cluster: nobody }, { on: [failure], respond: { status: 200 } }",
            "cluster_header: x-cluster");
  const HttpText response = Ask(Get("/", "x-cluster: missing\r\n"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.Header("x-sluice-fallback"), "failure");
}

TEST_F(Fallbacks, TheyAreTakenInTheirOrder) {
  StartWith("{ cluster: nobody }, { cluster: spare }, { respond: { status: 200, body: last } }",
            "cluster: nobody");
  other_.Next().AwaitRequest().Close();
  other_.Next().AwaitRequest().Close();
  const HttpText response = Ask(Get("/"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "last");
  EXPECT_EQ(taken(FailReason::kFailure), 3U);
}

TEST_F(Fallbacks, WhatFailsInTheEndFails) {
  StartWith("{ cluster: nobody }", "cluster: nobody");
  EXPECT_EQ(Ask(Get("/")).status, 503);
  EXPECT_EQ(Ended(1).flags, "UF");
}

TEST_F(Fallbacks, ForAClusterThatIsNotThere) {
  StartWith("{ on: [no_endpoint], cluster: spare }", "cluster_header: x-cluster");
  other_.AlwaysAnswer(kOk);
  upstream_.AlwaysAnswer(kOk);
  const HttpText response = Ask(Get("/", "x-cluster: missing\r\n"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.Header("x-sluice-fallback"), "no_endpoint");
  EXPECT_EQ(Ask(Get("/", "x-cluster: api\r\n")).Header("x-sluice-fallback"), std::nullopt);
  EXPECT_EQ(upstream_.request_count(), 1U);
}

TEST_F(Fallbacks, ForATimeout) {
  StartWith("{ on: [timeout], cluster: spare }", "cluster: api, timeout: 1s");
  upstream_.Next().AwaitRequest().AwaitEnd();
  other_.Next().AwaitRequest().Hold().Send(kOk);
  RawClient client(driver_, port());
  client.Send(Get("/"));
  ASSERT_TRUE(upstream_.WaitForRequests(1));
  Advance(1001 * kMillisecond);
  ASSERT_TRUE(other_.WaitForRequests(1));
  WaitForUpstreamEnd();
  // It has the same time again.
  Advance(900 * kMillisecond);
  other_.connection(0).Release();
  const HttpText response = client.ReadResponse();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.Header("x-sluice-fallback"), "timeout");
}

TEST_F(Fallbacks, TheFallbackTakesNoLongerEither) {
  StartWith("{ on: [timeout], cluster: spare }", "cluster: api, timeout: 1s");
  upstream_.Next().AwaitRequest().AwaitEnd();
  other_.Next().AwaitRequest().AwaitEnd();
  RawClient client(driver_, port());
  client.Send(Get("/"));
  ASSERT_TRUE(upstream_.WaitForRequests(1));
  Advance(1001 * kMillisecond);
  ASSERT_TRUE(other_.WaitForRequests(1));
  Advance(1001 * kMillisecond);
  EXPECT_EQ(client.ReadResponse().status, 504);
}

// Only where the time itself ran out there is more of it.
TEST_F(Fallbacks, WhatIsLeftOfTheTimeIsTheFallbacks) {
  StartWith("{ on: [failure], cluster: spare }", "cluster: api, timeout: 1s");
  upstream_.Next().AwaitRequest().Hold().Reset();
  other_.Next().AwaitRequest().AwaitEnd();
  RawClient client(driver_, port());
  client.Send(Get("/"));
  ASSERT_TRUE(upstream_.WaitForRequests(1));
  Advance(600 * kMillisecond);
  upstream_.connection(0).Release();
  ASSERT_TRUE(other_.WaitForRequests(1));
  Advance(399 * kMillisecond);
  driver_.RunRounds(5);
  EXPECT_EQ(client.received(), "");
  Advance(2 * kMillisecond);
  EXPECT_EQ(client.ReadResponse().status, 504);
}

TEST_F(Fallbacks, ATryThatTookTooLongLeavesTheRestOfTheTime) {
  StartWith("{ on: [timeout], cluster: spare }",
            "cluster: api, timeout: 1s, retries: { per_try_timeout: 600ms }");
  upstream_.Next().AwaitRequest().AwaitEnd();
  other_.Next().AwaitRequest().AwaitEnd();
  RawClient client(driver_, port());
  client.Send(Get("/"));
  ASSERT_TRUE(upstream_.WaitForRequests(1));
  Advance(601 * kMillisecond);
  ASSERT_TRUE(other_.WaitForRequests(1));
  Advance(400 * kMillisecond);
  EXPECT_EQ(client.ReadResponse().status, 504);
}

TEST_F(Fallbacks, ForAStatus) {
  StartWith("{ statuses: [503], cluster: spare }");
  upstream_.Next().AwaitRequest().Send(kBusy).AwaitRequest().Send(kOk);
  other_.AlwaysAnswer(kOk);
  RawClient client(driver_, port());
  client.Send(Get("/"));
  driver_.RunUntil([&] { return taken(FailReason::kStatus) == 1; }, "the fallback");
  Advance(2 * kMillisecond);
  const HttpText response = client.ReadResponse();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.Header("x-sluice-fallback"), "status");
  EXPECT_EQ(response.body, "ok");
  EXPECT_EQ(Ended(1).cluster, "spare");
}

TEST_F(Fallbacks, ForAStatusAnAnswerRightHere) {
  StartWith("{ statuses: [503], respond: { status: 200, body: \"was %status%\" } }");
  upstream_.AlwaysAnswer(kBusy);
  const HttpText response = Ask(Get("/"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "was 503");
  EXPECT_EQ(response.Header("x-sluice-fallback"), "status");
}

// An answer that is not wanted costs no connection.
TEST_F(Fallbacks, TheConnectionOfAnAnswerThatIsReplacedServesOthers) {
  StartWith("{ statuses: [503], respond: { status: 200 } }");
  upstream_.AlwaysAnswer(kBusy);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Ask(Get("/")).status, 200);
  EXPECT_EQ(upstream_.connection_count(), 1U);
  EXPECT_EQ(rig_->cluster().stats().responses[5].value(), 5U);
}

TEST_F(Fallbacks, ALongAnswerThatIsReplacedIsNotWaitedFor) {
  StartWith("{ statuses: [503], respond: { status: 200 } }");
  upstream_.Next()
      .AwaitRequest()
      .Send("HTTP/1.1 503 Busy\r\nContent-Length: 1000000\r\n\r\nbusy")
      .AwaitEnd();
  EXPECT_EQ(Ask(Get("/")).status, 200);
  WaitForUpstreamEnd();
}

TEST_F(Fallbacks, OtherStatusesPass) {
  StartWith("{ statuses: [502], respond: { status: 200 } }");
  upstream_.AlwaysAnswer(kBusy);
  EXPECT_EQ(Ask(Get("/")).status, 503);
}

TEST_F(Fallbacks, OtherReasonsPass) {
  StartWith("{ on: [timeout, breaker_open, limit, no_endpoint], respond: { status: 200 } }",
            "cluster: nobody");
  EXPECT_EQ(Ask(Get("/")).status, 503);
}

TEST_F(Fallbacks, StatusesAreNotAmongWhatIsMeantWithoutAWord) {
  StartWith("{ respond: { status: 200, body: x } }");
  upstream_.AlwaysAnswer(kBusy);
  EXPECT_EQ(Ask(Get("/")).status, 503);
}

TEST_F(Fallbacks, RetriesComeFirst) {
  StartWith("{ statuses: [503], respond: { status: 200, body: spare } }",
            "cluster: api, retries: { on: [5xx], back_off: { base: 1ms, max: 1ms } }");
  upstream_.AlwaysAnswer(kBusy);
  RawClient client(driver_, port());
  client.Send(Get("/"));
  driver_.RunUntil([&] { return rig_->cluster().stats().retries.value() == 1; }, "the retry");
  Advance(5 * kMillisecond);
  const HttpText response = client.ReadResponse();
  EXPECT_EQ(response.body, "spare");
  EXPECT_EQ(response.Header("x-sluice-attempt-count"), "2");
  EXPECT_EQ(upstream_.request_count(), 2U);
}

TEST_F(Fallbacks, ABodyThatIsTooLongToBeKeptGoesNowhereElse) {
  StartWith("{ cluster: spare }, { respond: { status: 200, body: here } }");
  upstream_.Next().AwaitText("end").Close();
  RawClient client(driver_, port());
  client.Send(Post("/", std::string(70'000, 'x') + "end"));
  EXPECT_EQ(client.ReadResponse().body, "here");
  EXPECT_EQ(other_.connection_count(), 0U);
}

TEST_F(Fallbacks, AClientThatLeavesWhileTheFallbackIsAsked) {
  StartWith("{ cluster: spare }", "cluster: nobody");
  other_.Next().AwaitRequest().AwaitEnd();
  RawClient client(driver_, port());
  client.Send(Get("/"));
  ASSERT_TRUE(other_.WaitForRequests(1));
  client.Reset();
  EXPECT_EQ(Ended(1).flags, "DC");
  driver_.RunUntil([&] { return other_.connection(0).ended(); }, "its end");
  EXPECT_EQ(rig_->NotQuiet(), "");
}

TEST_F(Fallbacks, NothingOfAResponseThatBeganIsReplaced) {
  StartWith("{ respond: { status: 200, body: here } }");
  upstream_.Next().AwaitRequest().Send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart").Reset();
  RawClient client(driver_, port());
  client.Send(Get("/"));
  EXPECT_TRUE(client.WaitForEnd());
  EXPECT_EQ(rig_->stats().local_resets.value(), 1U);
}

}  // namespace
}  // namespace sluice::test
