#include "core/upstream/health/http_probe.h"

#include <gmock/gmock.h>

#include <string>

#include "core/upstream/health/health_settings.h"
#include "tests/support/checked_cluster.h"
#include "tests/support/dead_ports.h"

namespace sluice {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class HttpProbeTest : public HealthTest {
 protected:
  // How the first check ends that is answered so.
  std::string Answer(std::string_view response, const std::string& health = "path: /") {
    upstream_.Next().AwaitText("\r\n\r\n").Send(response);
    return FirstCheck(health);
  }
  std::string Request() { return upstream_.connection(0).received(); }
  std::string Timeout(const std::string& health = "timeout: 700ms") {
    StartOne(health);
    BeginFirst();
    upstream_.WaitForConnections(1);
    driver_.RunRounds(20);
    Advance(699 * kMillisecond);
    EXPECT_EQ(Checks("failure"), 0u);
    Advance(3 * kMillisecond);
    WaitForChecks(1);
    return Reason();
  }
};

TEST_F(HttpProbeTest, AsksAsItIsTold) {
  EXPECT_EQ(Answer(kOk,
                   "path: '/ready?x=1', method: OPTIONS, host: a.example, "
                   "headers: { x-probe: sluice, user-agent: me }"),
            "ok");
  EXPECT_THAT(Request(), StartsWith("OPTIONS /ready?x=1 HTTP/1.1\r\n"));
  EXPECT_THAT(Request(), HasSubstr("\r\nhost: a.example\r\n"));
  EXPECT_THAT(Request(), HasSubstr("\r\nx-probe: sluice\r\n"));
  EXPECT_THAT(Request(), HasSubstr("\r\nuser-agent: me\r\n"));
}

TEST_F(HttpProbeTest, AsksForTheRootOfTheAddressUnlessTold) {
  EXPECT_EQ(Answer(kOk), "ok");
  EXPECT_THAT(Request(), StartsWith("GET / HTTP/1.1\r\n"));
  EXPECT_THAT(Request(), HasSubstr("\r\nhost: " + upstream_.text() + "\r\n"));
  EXPECT_THAT(Request(), HasSubstr("\r\nuser-agent: sluice-health\r\n"));
}

TEST_F(HttpProbeTest, AsksForTheNameThatDnsResolved) {
  upstream_.Next().AwaitText("\r\n\r\n").Send(kOk);
  const std::string port = std::to_string(upstream_.port());
  Create({"api.test:" + port}, "path: /");
  Start();
  dns_.Answer("api.test", {"127.0.0.1"});
  BeginFirst();
  WaitForChecks(1);
  EXPECT_THAT(Request(), HasSubstr("\r\nhost: api.test:" + port + "\r\n"));
}

TEST_F(HttpProbeTest, AsksForTheNameThatNowLeadsThere) {
  upstream_.Others() = test::Script().AwaitRequest().Send(kOk).Close();
  const std::string port = std::to_string(upstream_.port());
  Create({"a.test:" + port, "b.test:" + port}, "interval: 120s");
  Start();
  dns_.Answer("a.test", {"127.0.0.1"});
  dns_.Answer("b.test", {});
  BeginFirst();
  WaitForChecks(1);
  Advance(61 * kSecond);
  dns_.Answer("b.test", {"127.0.0.1"});
  dns_.Answer("a.test", {"127.0.0.2"});
  Advance(60 * kSecond);
  driver_.RunUntil([&] { return upstream_.request_count() == 2; }, "the second check");
  EXPECT_THAT(upstream_.connection(1).received(), HasSubstr("\r\nhost: b.test:" + port + "\r\n"));
}

TEST_F(HttpProbeTest, AnotherStatusIsAFailure) {
  EXPECT_EQ(Answer("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"), "status 503");
}

TEST_F(HttpProbeTest, OnlyTheStatusesInTheListAreGood) {
  EXPECT_EQ(Answer(kOk, "statuses: [204, 301]"), "status 200");
}

TEST_F(HttpProbeTest, EachStatusInTheListIsGood) {
  EXPECT_EQ(
      Answer("HTTP/1.1 301 Go\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", "statuses: [204, 301]"),
      "ok");
}

TEST_F(HttpProbeTest, AStatusThatIsOnItsWayDoesNotCount) {
  EXPECT_EQ(Answer("HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + std::string(kOk)), "ok");
}

TEST_F(HttpProbeTest, TheBodyMustContainWhatIsWritten) {
  EXPECT_EQ(Answer(kOk, "body: up"), "the body lacks what is expected");
}

TEST_F(HttpProbeTest, TheBodyMayComeInPieces) {
  upstream_.Next()
      .AwaitText("\r\n\r\n")
      .SendByteByByte(
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nxu\r\n2\r\npx\r\n0\r\n\r\n");
  EXPECT_EQ(FirstCheck("body: up"), "ok");
}

TEST_F(HttpProbeTest, ABodyThatEndsWithTheConnectionCounts) {
  upstream_.Next().AwaitText("\r\n\r\n").Send("HTTP/1.1 200 OK\r\n\r\nall is up").Close();
  EXPECT_EQ(FirstCheck("body: is up"), "ok");
}

// More is neither kept nor waited for.
TEST_F(HttpProbeTest, TheBodysFirst64KiBDecide) {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n";
  const std::string full(HealthSettings::kMostAnswer - 2, 'x');
  upstream_.Next().AwaitText("\r\n\r\n").Send(head + full + "up").AwaitEnd();
  upstream_.Next().AwaitText("\r\n\r\n").Send(head + full + "yup").AwaitEnd();
  EXPECT_EQ(FirstCheck("body: up"), "ok");
  driver_.RunUntil([&] { return upstream_.connection(0).script_done(); }, "the end");
  Advance(5 * kSecond);
  WaitForChecks(2);
  EXPECT_EQ(Reason(), "the body lacks what is expected");
}

TEST_F(HttpProbeTest, GarbageIsAFailure) {
  EXPECT_EQ(Answer("SSH-2.0-OpenSSH_9.2p1\r\n"), "the answer is not valid HTTP");
  EXPECT_EQ(State(), "failed");
}

TEST_F(HttpProbeTest, AHeadThatIsTooLargeIsAFailure) {
  EXPECT_EQ(Answer("HTTP/1.1 200 OK\r\nx: " + std::string(70 * 1024, 'x') + "\r\n\r\n"),
            "the answer's head is too large");
}

TEST_F(HttpProbeTest, AnEndInsideTheBodyIsAFailure) {
  upstream_.Next()
      .AwaitText("\r\n\r\n")
      .Send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nup")
      .Close();
  EXPECT_EQ(FirstCheck("path: /"), "closed in the middle of the answer");
}

TEST_F(HttpProbeTest, ACloseWithoutAnAnswerIsAFailure) {
  upstream_.Next().AwaitText("\r\n\r\n").Close();
  EXPECT_EQ(FirstCheck("path: /"), "closed without an answer");
}

TEST_F(HttpProbeTest, AResetIsAFailure) {
  upstream_.Next().AwaitText("\r\n\r\n").Reset();
  EXPECT_EQ(FirstCheck("path: /"), "read: Connection reset by peer");
}

TEST_F(HttpProbeTest, ARefusedConnectIsAFailure) {
  upstream_.StopListening();
  EXPECT_THAT(FirstCheck("path: /"), HasSubstr("Connection refused"));
}

TEST_F(HttpProbeTest, NoConnectionInTimeIsAFailure) {
  const test::SilentPort silent;
  Create({silent.address().ToString()}, "path: /");
  Start();
  BeginFirst();
  driver_.RunRounds(20);
  Advance(1001 * kMillisecond);
  WaitForChecks(1);
  EXPECT_EQ(Reason(silent.address().ToString()), "timed out: no connection");
}

TEST_F(HttpProbeTest, NoAnswerInTimeIsAFailure) {
  upstream_.Next().AwaitEnd();
  EXPECT_EQ(Timeout(), "timed out: no answer");
  driver_.RunUntil([&] { return upstream_.connection(0).script_done(); }, "the end");
}

// The answer may stand in the kernel by then.
TEST_F(HttpProbeTest, ATimeInWhichTheLoopWasBusyDoesNotCount) {
  upstream_.Next().AwaitText("\r\n\r\n").Hold().Send(kOk);
  StartOne("path: /");
  BeginFirst();
  upstream_.WaitForConnections(1);
  driver_.RunRounds(20);
  Advance(3 * kSecond);
  EXPECT_EQ(Checks("failure"), 0u);
  upstream_.connection(0).Release();
  WaitForChecks(1);
  EXPECT_EQ(Reason(), "ok");
}

TEST_F(HttpProbeTest, NoEndOfTheBodyInTimeIsAFailure) {
  upstream_.Next().AwaitText("\r\n\r\n").Send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nup");
  EXPECT_EQ(Timeout(), "timed out: no end of the body");
}

TEST_F(HttpProbeTest, KeepsItsConnectionForAWhile) {
  upstream_.AlwaysAnswer(kOk);
  StartOne("path: /");
  BeginFirst();
  for (uint32_t i = 1; i <= HttpProbe::kMostChecks; ++i) {
    WaitForChecks(i);
    EXPECT_EQ(upstream_.connection_count(), 1u);
    Advance(5 * kSecond);
  }
  WaitForChecks(HttpProbe::kMostChecks + 1);
  EXPECT_EQ(upstream_.connection_count(), 2u);
}

TEST_F(HttpProbeTest, MakesANewConnectionWhereTheOldOneIsNotToBeUsed) {
  for (const char* close : {"Connection: close\r\n", ""}) {
    upstream_.Next()
        .AwaitText("\r\n\r\n")
        .Send(StrCat({"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", close, "\r\nok",
                      *close == 0 ? "surplus" : ""}));
  }
  upstream_.AlwaysAnswer(kOk);
  StartOne("path: /");
  BeginFirst();
  for (uint32_t i = 1; i <= 3; ++i) {
    WaitForChecks(i);
    EXPECT_EQ(upstream_.connection_count(), i);
    EXPECT_EQ(Reason(), "ok");
    Advance(5 * kSecond);
  }
}

// It was only idle for too long: that says nothing of the endpoint.
TEST_F(HttpProbeTest, AnOldConnectionThatIsClosedUnderACheckIsNoFailure) {
  upstream_.Next().AwaitRequest().Send(kOk).AwaitRequest().Reset();
  upstream_.AlwaysAnswer(kOk);
  StartOne("path: /");
  BeginFirst();
  WaitForChecks(1);
  Advance(5 * kSecond);
  WaitForChecks(2);
  EXPECT_EQ(Reason(), "ok");
  EXPECT_EQ(upstream_.connection_count(), 2u);
  EXPECT_EQ(Checks("failure"), 0u);
}

TEST_F(HttpProbeTest, AnOldConnectionThatIsClosedInBetweenIsLeft) {
  upstream_.Next().AwaitRequest().Send(kOk).Hold().Close();
  upstream_.AlwaysAnswer(kOk);
  StartOne("path: /");
  BeginFirst();
  WaitForChecks(1);
  upstream_.connection(0).Release();
  driver_.RunUntil([&] { return upstream_.connection(0).script_done(); }, "the end");
  driver_.RunRounds(20);
  Advance(5 * kSecond);
  WaitForChecks(2);
  EXPECT_EQ(Reason(), "ok");
}

TEST_F(HttpProbeTest, APortOfItsOwnIsChecked) {
  other_.AlwaysAnswer(kOk);
  EXPECT_EQ(FirstCheck("port: " + std::to_string(other_.port())), "ok");
  EXPECT_EQ(other_.request_count(), 1u);
  EXPECT_EQ(upstream_.connection_count(), 0u);
}

TEST_F(HttpProbeTest, SendsThePROXYHeaderWhereRequestsHaveIt) {
  upstream_.Next().AwaitText("\r\n\r\n").Send(kOk);
  EXPECT_EQ(FirstCheck("path: /", "proxy_protocol: v1,"), "ok");
  EXPECT_THAT(Request(), StartsWith("PROXY UNKNOWN\r\nGET / HTTP/1.1\r\n"));
}

TEST_F(HttpProbeTest, SendsNoPROXYHeaderToAPortOfItsOwn) {
  upstream_.Next().AwaitText("\r\n\r\n").Send(kOk);
  EXPECT_EQ(FirstCheck("port: " + std::to_string(upstream_.port()), "proxy_protocol: v2,"), "ok");
  EXPECT_THAT(Request(), StartsWith("GET / HTTP/1.1\r\n"));
}

TEST_F(HttpProbeTest, CountsInNoMetricOfRequests) {
  upstream_.AlwaysAnswer(kOk);
  EXPECT_EQ(FirstCheck("path: /"), "ok");
  for (const char* name : {"sluice_upstream_requests_total", "sluice_upstream_connections_total"}) {
    EXPECT_EQ(reader_.counter(*reader_.Find(name, {{"cluster", "api"}})), 0u) << name;
  }
}

}  // namespace
}  // namespace sluice
