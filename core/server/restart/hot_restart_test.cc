#include "core/server/restart/hot_restart.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/event/loop.h"
#include "core/net/fd.h"
#include "core/server/restart/restart.pb.h"
#include "core/server/restart/restart_channel.h"
#include "tests/support/driver.h"
#include "tests/support/temp_folder.h"

namespace sluice {
namespace {

bool SendMessage(int fd, const restart::Message& message) {
  const std::string bytes = message.SerializeAsString();
  return send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0;
}

sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

// A process that is taken over from and then, at a word, says something.
class OldProcess {
 public:
  explicit OldProcess(const std::string& path) {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    pid_ = fork();
    if (pid_ == 0) _exit(Run(path, ends[1]) ? 0 : 1);
    close(ends[1]);
    control_ = Fd(ends[0]);
    WaitForWord();
  }
  ~OldProcess() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  OldProcess(const OldProcess&) = delete;
  OldProcess& operator=(const OldProcess&) = delete;

  void SaySomething() {
    EXPECT_EQ(send(control_.get(), "x", 1, MSG_NOSIGNAL), 1);
    WaitForWord();
  }

 private:
  static bool Run(const std::string& path, int control) {
    const int listener = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    const sockaddr_un address = AddressOf(path);
    if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
        listen(listener, 1) != 0 || write(control, "x", 1) != 1) {
      return false;
    }
    const int successor = accept(listener, nullptr, nullptr);
    restart::Message offer;
    offer.mutable_offer()->set_last(true);
    restart::Message heartbeat;
    heartbeat.mutable_heartbeat();
    char byte;
    if (!SendMessage(successor, offer) || read(control, &byte, 1) != 1 ||
        !SendMessage(successor, heartbeat) || write(control, "x", 1) != 1) {
      return false;
    }
    pause();
    return true;
  }
  void WaitForWord() {
    char byte;
    EXPECT_EQ(read(control_.get(), &byte, 1), 1);
  }

  pid_t pid_ = 0;
  Fd control_;
};

class HotRestartTest : public testing::Test, public HotRestartOwner {
 protected:
  HotRestartTest() : loop_(Loop::Create(clock_).value()), driver_(loop_.get()) {}

  std::vector<OfferedSocket> SocketsToOffer() override { return {}; }
  Nanos OnHandOver() override { return 0; }
  void OnHandOverUndone() override {}
  std::string WhyNoSuccessor() const override { return {}; }
  void OnOtherLost() override {}
  void OnReplaced() override { ++replaced_; }
  void OnTakenBack(std::string_view) override {}
  void OnReopenLogsAsked() override {}
  void OnEndAsked() override {}
  void OnServerCommand(std::string_view, const std::vector<std::string>&,
                       RestartCommand&) override {}
  void OnServerCommandGone(RestartCommand&) override {}

  test::TempFolder folder_;
  const std::string path_ = folder_.Path("restart.sock");
  FakeClock clock_;
  std::unique_ptr<Loop> loop_;
  test::Driver driver_;
  int replaced_ = 0;
};

// What it said last is there in the same turn as the one who has it ended.
TEST_F(HotRestartTest, APredecessorThatIsEndedByForceIsGone) {
  OldProcess old(path_);
  HotRestartOptions options;
  options.socket = path_;
  HotRestartOwner& owner = *this;
  HotRestart restart(*loop_, owner, options);
  ASSERT_TRUE(restart.TakeOver(false));
  ASSERT_TRUE(restart.has_predecessor());
  ASSERT_TRUE(restart.Serve());

  const Fd third(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  const sockaddr_un address = AddressOf(path_);
  ASSERT_EQ(connect(third.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  driver_.RunRounds(5);  // it is heard
  restart::Message hello;
  hello.mutable_hello()->set_protocol(kRestartProtocol);
  hello.mutable_hello()->set_force(true);
  ASSERT_TRUE(SendMessage(third.get(), hello));
  old.SaySomething();
  driver_.RunUntil([&] { return !restart.has_predecessor(); }, "its end");
  driver_.RunRounds(5);
  EXPECT_EQ(replaced_, 1);
  EXPECT_EQ(restart.successor_pid(), getpid());
}

}  // namespace
}  // namespace sluice
