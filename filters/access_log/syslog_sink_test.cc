#include "filters/access_log/syslog_sink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "filters/access_log/temp_folder.h"

namespace sluice::access_log {
namespace {

using ::testing::MatchesRegex;

// The system log's end.
class Daemon {
 public:
  explicit Daemon(const std::string& path) : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    CHECK(path.size() < sizeof(address.sun_path));
    std::memcpy(address.sun_path, path.data(), path.size());
    unlink(path.c_str());
    CHECK(bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  }
  ~Daemon() { close(fd_); }
  // "" if nothing came.
  std::string Receive() {
    char message[4096];
    const ssize_t size = recv(fd_, message, sizeof(message), 0);
    return size < 0 ? "" : std::string(message, static_cast<size_t>(size));
  }

 private:
  int fd_;
};

class SyslogSinkTest : public ::testing::Test {
 protected:
  std::unique_ptr<SyslogSink> Open() {
    auto sink = SyslogSink::Open(folder.Path("log"), 190, "edge", clock);
    EXPECT_TRUE(sink);
    return std::move(*sink);
  }
  FakeClock clock;
  TempFolder folder;
};

TEST_F(SyslogSinkTest, EachLineIsAMessage) {
  Daemon daemon(folder.Path("log"));
  const auto sink = Open();
  const LogSink::Outcome outcome = sink->Write("one\ntwo\n");
  EXPECT_EQ(outcome.taken, 8U);
  EXPECT_EQ(outcome.error, 0);
  EXPECT_THAT(daemon.Receive(), MatchesRegex("<190>Nov 1[45] [0-9:]{8} edge\\[[0-9]+\\]: one"));
  EXPECT_THAT(daemon.Receive(), MatchesRegex("<190>.*: two"));
  EXPECT_EQ(daemon.Receive(), "");
}

TEST_F(SyslogSinkTest, WaitsForADaemonThatIsNotThere) {
  const auto sink = Open();
  const LogSink::Outcome outcome = sink->Write("one\n");
  EXPECT_EQ(outcome.taken, 0U);
  EXPECT_NE(outcome.error, 0);
  Daemon daemon(folder.Path("log"));
  EXPECT_EQ(sink->Write("one\n").taken, 4U);
  EXPECT_THAT(daemon.Receive(), MatchesRegex(".*: one"));
}

TEST_F(SyslogSinkTest, FindsADaemonThatWasRestarted) {
  auto first = std::make_unique<Daemon>(folder.Path("log"));
  const auto sink = Open();
  EXPECT_EQ(sink->Write("one\n").taken, 4U);
  first.reset();
  Daemon second(folder.Path("log"));
  EXPECT_EQ(sink->Write("two\n").taken, 4U);
  EXPECT_THAT(second.Receive(), MatchesRegex(".*: two"));
}

TEST_F(SyslogSinkTest, ADaemonThatDoesNotReadIsTriedAgain) {
  Daemon daemon(folder.Path("log"));
  const auto sink = Open();
  LogSink::Outcome outcome;
  for (int i = 0; i < 100'000 && outcome.error == 0; ++i) outcome = sink->Write("line\n");
  EXPECT_EQ(outcome.error, EAGAIN);
  EXPECT_NE(daemon.Receive(), "");
  EXPECT_EQ(sink->Write("line\n").taken, 5U);
}

TEST_F(SyslogSinkTest, APathThatNoSocketCanHave) {
  EXPECT_FALSE(SyslogSink::Open(std::string(200, 'x'), 190, "edge", clock));
}

}  // namespace
}  // namespace sluice::access_log
