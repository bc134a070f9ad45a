// What a service manager hears (sd_notify(3)): who serves, over restarts and reloads.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/server/restart/step.h"
#include "tests/support/process_figures.h"
#include "tests/support/raw_client.h"
#include "tests/support/sluice_process.h"
#include "tests/support/stats_watch.h"
#include "tests/support/step_gate.h"
#include "tests/support/temp_folder.h"

namespace sluice::test {
namespace {

using ::testing::HasSubstr;

// In the place of systemd: keeps what each process says.
class Notices final : public Actor {
 public:
  Notices(Driver& driver, const std::string& path) : driver_(driver) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof(address.sun_path) - 1));
    fd_ = Fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const int on = 1;
    EXPECT_EQ(setsockopt(fd_.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
    EXPECT_EQ(bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    setenv("NOTIFY_SOCKET", path.c_str(), 1);
    driver_.Add(*this);
  }
  ~Notices() override {
    unsetenv("NOTIFY_SOCKET");
    driver_.Remove(*this);
  }

  // Waits until this process has said this; what came up to then, and it, is forgotten.
  bool WaitFor(int pid, const std::string& text) {
    const auto is_it = [&](const auto& each) {
      return each.first == pid && each.second.starts_with(text);
    };
    const bool came =
        driver_.RunUntil([&] { return std::any_of(said_.begin(), said_.end(), is_it); }, text);
    if (!came) {
      ADD_FAILURE() << "process " << pid << "; all that came:\n" << All();
      return false;
    }
    const auto found = std::find_if(said_.begin(), said_.end(), is_it);
    last_ = found->second;
    said_.erase(said_.begin(), found + 1);
    return true;
  }
  const std::string& last() const { return last_; }
  std::string All() const {
    std::string all;
    for (const auto& [pid, text] : said_) all += std::to_string(pid) + ": " + text + "\n";
    return all;
  }

  bool Step() override {
    char text[1024];
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ucred))];
    iovec vector{text, sizeof(text)};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    const ssize_t size = recvmsg(fd_.get(), &message, 0);
    if (size < 0) return false;
    ucred sender{};
    if (const cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr) {
      std::memcpy(&sender, CMSG_DATA(part), sizeof(sender));
    }
    said_.emplace_back(sender.pid, std::string(text, static_cast<size_t>(size)));
    return true;
  }
  void AddPollFds(std::vector<pollfd>& fds) const override {
    fds.push_back({fd_.get(), POLLIN, 0});
  }

 private:
  Driver& driver_;
  Fd fd_;
  std::vector<std::pair<int, std::string>> said_;
  std::string last_;
};

class RestartNotifyTest : public testing::Test {
 protected:
  std::unique_ptr<SluiceProcess> Run() {
    return std::make_unique<SluiceProcess>(driver_, std::vector<std::string>{"run", "-c", file_});
  }
  static std::string Main(const Process& process) {
    return "MAINPID=" + std::to_string(process.pid());
  }

  Driver driver_;
  TempFolder folder_;
  Notices notices_{driver_, folder_.Path("notify")};
  const std::string stats_ = folder_.Path("stats");
  const std::string file_ = folder_.Write(
      "sluice.yaml",
      "drain_timeout: 30s\nstats: " + stats_ +
          "\nlisteners:\n  - name: web\n    listen: 127.0.0.1:0\n"
          "    routes: [{ match: { prefix: / }, respond: { status: 200, body: ok } }]\n");
};

TEST_F(RestartNotifyTest, AReloadBeginsAndEnds) {
  auto process = Run();
  ASSERT_TRUE(notices_.WaitFor(process->pid(), "READY=1\n" + Main(*process)));
  SystemClock clock;
  const Nanos before = clock.Monotonic();
  process->Signal(SIGHUP);
  ASSERT_TRUE(notices_.WaitFor(process->pid(), "RELOADING=1\nMONOTONIC_USEC="));
  const int64_t micros =
      std::strtoll(notices_.last().c_str() + notices_.last().rfind('=') + 1, nullptr, 10);
  EXPECT_GE(micros, before / kMicrosecond);
  EXPECT_LE(micros, clock.Monotonic() / kMicrosecond);
  ASSERT_TRUE(notices_.WaitFor(process->pid(), "READY=1"));
  folder_.Write("sluice.yaml", "nonsense: 1");  // one that fails is over, too
  process->Signal(SIGHUP);
  ASSERT_TRUE(notices_.WaitFor(process->pid(), "RELOADING=1\n"));
  ASSERT_TRUE(notices_.WaitFor(process->pid(), "READY=1"));
  process->Signal(SIGTERM);
  ASSERT_TRUE(notices_.WaitFor(process->pid(), "STOPPING=1"));
}

// A reload's end would say that it is ready.
TEST_F(RestartNotifyTest, AReloadWhileItStartsIsNotTold) {
  const std::string config = "drain_timeout: 30s\nstats: " + stats_ +
                             "\nlisteners:\n  - name: web\n    listen: 127.0.0.1:0\n"
                             "    filters: [{ fault: { delay: 300ms } }]\n"
                             "    routes: [{ match: /, respond: 200 }]\n";
  folder_.Write("sluice.yaml", config);
  StepGate gate(driver_, folder_.Path("steps"));
  gate.HoldAt(restart_step::kStatsAttached);
  auto process = Run();
  ASSERT_NE(gate.WaitForHeld(), 0);
  process->Signal(SIGHUP);
  gate.Release();
  ASSERT_TRUE(process->WaitForErr("nothing has changed"));
  ASSERT_TRUE(notices_.WaitFor(process->pid(), ""));  // the first
  EXPECT_THAT(notices_.last(), HasSubstr(Main(*process)));
}

// systemd believes the main process alone, unless the unit says otherwise: the old one names the
// new, and names itself when it is back.
TEST_F(RestartNotifyTest, TheMainProcessIsTheOneThatServes) {
  auto first = Run();
  ASSERT_TRUE(notices_.WaitFor(first->pid(), "READY=1\n" + Main(*first)));
  RawClient held(driver_, first->Where("web"));  // it drains for a while
  ASSERT_TRUE(driver_.RunUntil(
      [&] { return ReadGauge(stats_, "sluice_downstream_connections_active") == 1; }, "a client"));
  auto second = Run();
  ASSERT_TRUE(notices_.WaitFor(second->pid(), "READY=1\n" + Main(*second)));
  ASSERT_TRUE(notices_.WaitFor(first->pid(), Main(*second)));
  second->Signal(SIGKILL);
  ASSERT_TRUE(notices_.WaitFor(first->pid(), Main(*first)));
  first->Signal(SIGTERM);
  ASSERT_TRUE(notices_.WaitFor(first->pid(), "STOPPING=1"));
}

// The service does not stop because one of its processes does.
TEST_F(RestartNotifyTest, OneThatIsTakenBackSaysNothingOfStopping) {
  auto first = Run();
  ASSERT_TRUE(first->WaitUntilReady());
  RawClient held(driver_, first->Where("web"));
  ASSERT_TRUE(driver_.RunUntil(
      [&] { return ReadGauge(stats_, "sluice_downstream_connections_active") == 1; }, "a client"));
  StepGate gate(driver_, folder_.Path("steps"));
  gate.HoldAt(restart_step::kDrainingHeard);
  auto second = Run();
  ASSERT_NE(gate.WaitForHeld(), 0);
  second->Signal(SIGSTOP);
  ASSERT_TRUE(first->WaitForErr("accepting again"));
  gate.Release();
  second->Signal(SIGCONT);
  EXPECT_EQ(second->WaitForExit(), 1);
  ASSERT_TRUE(notices_.WaitFor(first->pid(), Main(*second)));
  ASSERT_TRUE(notices_.WaitFor(first->pid(), Main(*first)));
  EXPECT_THAT(notices_.All(), testing::Not(HasSubstr("STOPPING")));
}

}  // namespace
}  // namespace sluice::test
