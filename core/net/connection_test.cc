#include "core/net/connection.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/net/fd.h"
#include "core/net/transport.h"

namespace sluice {
namespace {

// Two ends of a stream.
struct Ends {
  Fd ours;
  Fd theirs;
};

Ends UnixEnds() {
  int fds[2];
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
  return {Fd(fds[0]), Fd(fds[1])};
}

Ends TcpEnds() {
  const Fd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof(address);
  EXPECT_EQ(bind(listener.get(), any, size), 0);
  EXPECT_EQ(listen(listener.get(), 1), 0);
  EXPECT_EQ(getsockname(listener.get(), any, &size), 0);
  Fd theirs(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(connect(theirs.get(), any, size), 0);
  Fd ours(accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  return {std::move(ours), std::move(theirs)};
}

void Say(const Fd& fd, std::string_view bytes) {
  EXPECT_EQ(write(fd.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
}

void Reset(Fd& fd) {
  const linger now{1, 0};
  EXPECT_EQ(setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
  fd.Close();
}

class ConnectionTest : public ::testing::Test, public ConnectionHandler {
 protected:
  void Watch(Ends ends, Side side) {
    theirs_ = std::move(ends.theirs);
    connection_ =
        std::make_unique<Connection>(*loop_, *this, NewPlainTransport(ends.ours.Release()), side);
    ASSERT_TRUE(connection_->Start(false));
    Run();
  }
  // What has happened is with the kernel already: nothing needs to be waited for.
  void Run() {
    for (int i = 0; i < 10; ++i) loop_->RunOnce(0);
  }

  FakeClock clock_;
  std::unique_ptr<Loop> loop_ = std::move(*Loop::Create(clock_));
  Fd theirs_;
  std::unique_ptr<Connection> connection_;
  std::string log_;

 private:
  void OnConnected() override { log_ += "connected "; }
  void OnData(Buffer& in) override {
    log_ += in.ToString() + " ";
    in.Clear();
  }
  void OnPeerClosed() override { log_ += "end "; }
  void OnWritten() override { log_ += "written "; }
  void OnFailed(const Error&) override { log_ += "failed "; }
};

TEST_F(ConnectionTest, AUnixPeerThatClosedIsReadToTheEndLater) {
  for (const Side side : {Side::kUpstream, Side::kDownstream}) {
    Watch(UnixEnds(), side);
    connection_->SetReading(false);
    Say(theirs_, "last");
    theirs_.Close();
    Run();
    EXPECT_EQ(log_, "");
    connection_->SetReading(true);
    Run();
    EXPECT_EQ(log_, "last end ");
    log_.clear();
  }
}

TEST_F(ConnectionTest, BothSidesClosedIsNoFailure) {
  Watch(TcpEnds(), Side::kUpstream);
  connection_->SetReading(false);
  connection_->EndWhenWritten();
  Run();
  Say(theirs_, "last");
  theirs_.Close();
  Run();
  EXPECT_EQ(log_, "");
  connection_->SetReading(true);
  Run();
  EXPECT_EQ(log_, "last end ");
}

TEST_F(ConnectionTest, AnUpstreamsLastWordsComeBeforeItsReset) {
  Watch(TcpEnds(), Side::kUpstream);
  connection_->SetReading(false);
  Say(theirs_, "last");
  Reset(theirs_);
  Run();
  EXPECT_EQ(log_, "");
  connection_->SetReading(true);
  Run();
  EXPECT_EQ(log_, "last failed ");
}

// The kernel tells of a reset once. Told to a write, it reads as an end, and what was cut off must
// not be taken for the whole.
TEST_F(ConnectionTest, AResetThatAWriteMetIsNoEnd) {
  Watch(TcpEnds(), Side::kUpstream);
  connection_->SetReading(false);
  Say(theirs_, "half");
  Reset(theirs_);
  connection_->output().Append("x");
  connection_->Write();
  Run();
  connection_->SetReading(true);
  Run();
  EXPECT_EQ(log_, "failed half failed ");
}

// A peer that ended its side in order, and resets because we went on writing: its end is an end.
TEST_F(ConnectionTest, AnEndBeforeTheResetIsAnEnd) {
  Watch(TcpEnds(), Side::kUpstream);
  connection_->SetReading(false);
  Say(theirs_, "whole");
  theirs_.Close();
  for (int i = 0; i < 2; ++i) {  // the first makes it reset
    connection_->output().Append("x");
    connection_->Write();
    Run();
  }
  connection_->SetReading(true);
  Run();
  EXPECT_EQ(log_, "failed whole end ");
}

TEST_F(ConnectionTest, AClientsResetIsSeenAlsoWhileItIsNotRead) {
  Watch(TcpEnds(), Side::kDownstream);
  connection_->SetReading(false);
  Say(theirs_, "more");
  Reset(theirs_);
  Run();
  EXPECT_EQ(log_, "failed ");
}

TEST_F(ConnectionTest, KnowsWhatItLeftToTheKernel) {
  Watch(TcpEnds(), Side::kDownstream);
  EXPECT_FALSE(connection_->may_have_unread());
  Say(theirs_, "one");
  Run();
  EXPECT_FALSE(connection_->may_have_unread());
  connection_->SetReading(false);
  Say(theirs_, "two");
  Run();
  EXPECT_TRUE(connection_->may_have_unread());
  connection_->SetReading(true);
  Run();
  EXPECT_FALSE(connection_->may_have_unread());
  EXPECT_EQ(log_, "one two ");
}

TEST_F(ConnectionTest, SaysWhenThePeerLastTookSomething) {
  Watch(TcpEnds(), Side::kDownstream);
  EXPECT_EQ(connection_->last_written(), 0);
  clock_.Advance(5 * kSecond);
  Run();
  connection_->output().Append("x");
  connection_->Write();
  Run();
  EXPECT_EQ(connection_->last_written(), loop_->now());
}

}  // namespace
}  // namespace sluice
