#include "core/upstream/health/tcp_probe.h"

#include <gmock/gmock.h>

#include <string>

#include "core/upstream/health/health_settings.h"
#include "tests/support/checked_cluster.h"

namespace sluice {
namespace {

using testing::HasSubstr;

class TcpProbeTest : public HealthTest {
 protected:
  std::string Redis(std::string_view answer) {
    upstream_.Next().AwaitText("*1\r\n$4\r\nPING\r\n").Send(answer);
    return FirstCheck("protocol: redis");
  }
};

TEST_F(TcpProbeTest, AConnectIsEnough) {
  EXPECT_EQ(FirstCheck("protocol: tcp"), "ok");
  upstream_.WaitForConnections(1);
  driver_.RunUntil([&] { return upstream_.connection(0).peer_closed(); }, "the end");
  EXPECT_EQ(upstream_.connection(0).received(), "");
}

TEST_F(TcpProbeTest, ARefusedConnectIsAFailure) {
  upstream_.StopListening();
  EXPECT_THAT(FirstCheck("protocol: tcp"), HasSubstr("Connection refused"));
}

TEST_F(TcpProbeTest, WhatIsToBeSentIs) {
  EXPECT_EQ(FirstCheck("protocol: tcp, send: \"hello\\n\""), "ok");
  upstream_.WaitForConnections(1);
  driver_.RunUntil([&] { return upstream_.connection(0).peer_closed(); }, "the end");
  EXPECT_EQ(upstream_.connection(0).received(), "hello\n");
}

TEST_F(TcpProbeTest, WhatIsExpectedMayComeAnywhere) {
  upstream_.Next().AwaitText("hello").SendByteByByte("well: I am up and running");
  EXPECT_EQ(FirstCheck("protocol: tcp, send: hello, expect: up"), "ok");
}

TEST_F(TcpProbeTest, WhatIsExpectedMayComeUnasked) {
  upstream_.Next().Send("220 mail.example ESMTP\r\n");
  EXPECT_EQ(FirstCheck("protocol: tcp, expect: '220 '"), "ok");
}

TEST_F(TcpProbeTest, AnotherAnswerIsAFailureWhenItEnds) {
  upstream_.Next().Send("down").Close();
  EXPECT_EQ(FirstCheck("protocol: tcp, expect: up"),
            "closed, and the answer lacks what is expected");
}

TEST_F(TcpProbeTest, ACloseWithoutAnAnswerIsAFailure) {
  upstream_.Next().Close();
  EXPECT_EQ(FirstCheck("protocol: tcp, expect: up"), "closed without an answer");
}

TEST_F(TcpProbeTest, AResetIsAFailure) {
  upstream_.Next().AwaitText("hello").Reset();
  EXPECT_EQ(FirstCheck("protocol: tcp, send: hello, expect: up"), "read: Connection reset by peer");
}

TEST_F(TcpProbeTest, AnEndlessAnswerIsAFailure) {
  upstream_.Next().Send(std::string(HealthSettings::kMostAnswer - 1, 'x') + "up").AwaitEnd();
  EXPECT_EQ(FirstCheck("protocol: tcp, expect: up"),
            "the answer's first 64KiB lack what is expected");
}

TEST_F(TcpProbeTest, NoAnswerInTimeIsAFailure) {
  upstream_.Next().Send("u");
  StartOne("protocol: tcp, expect: up, timeout: 2s");
  BeginFirst();
  upstream_.WaitForConnections(1);
  driver_.RunRounds(20);
  Advance(1999 * kMillisecond);
  EXPECT_EQ(Checks("failure"), 0u);
  Advance(3 * kMillisecond);
  WaitForChecks(1);
  EXPECT_EQ(Reason(), "timed out: no answer");
}

TEST_F(TcpProbeTest, RedisIsToAnswerPong) { EXPECT_EQ(Redis("+PONG\r\n"), "ok"); }

TEST_F(TcpProbeTest, WhatElseRedisSaysIsTold) {
  EXPECT_EQ(Redis("-LOADING Redis is \x1bloading\r\n"),
            "the answer is \"-LOADING Redis is ?loading\"");
}

TEST_F(TcpProbeTest, AnotherLineOfRedisIsNoPong) {
  EXPECT_EQ(Redis("-ERR +PONG\r\n"), "the answer is \"-ERR +PONG\"");
}

TEST_F(TcpProbeTest, AnEndlessLineOfRedisIsCut) {
  EXPECT_EQ(Redis(std::string(HealthSettings::kMostAnswer, 'x')),
            "the answer is \"" + std::string(64, 'x') + "\"");
}

TEST_F(TcpProbeTest, EachCheckIsAConnectionOfItsOwn) {
  StartOne("protocol: tcp");
  BeginFirst();
  WaitForChecks(1);
  Advance(5 * kSecond);
  WaitForChecks(2);
  EXPECT_TRUE(upstream_.WaitForConnections(2));
}

}  // namespace
}  // namespace sluice
