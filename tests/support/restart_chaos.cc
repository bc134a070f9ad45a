#include "tests/support/restart_chaos.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <optional>
#include <ostream>

#include "core/server/restart/step.h"
#include "tests/support/counting_load.h"
#include "tests/support/listener_line.h"
#include "tests/support/process.h"
#include "tests/support/process_figures.h"
#include "tests/support/raw_client.h"
#include "tests/support/scripted_upstream.h"
#include "tests/support/stats_watch.h"
#include "tests/support/step_gate.h"
#include "tests/support/temp_folder.h"

namespace sluice::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view kSteps[] = {
    restart_step::kConnecting,    restart_step::kHelloSent,     restart_step::kHelloReceived,
    restart_step::kOffered,       restart_step::kOfferReceived, restart_step::kStatsAttached,
    restart_step::kChecked,       restart_step::kAccepting,     restart_step::kDoorOpen,
    restart_step::kReadySent,     restart_step::kReadyReceived, restart_step::kHandedOver,
    restart_step::kDrainingHeard, restart_step::kDrained,
};

bool Before(std::string_view step, std::string_view other) {
  return std::find(std::begin(kSteps), std::end(kSteps), step) <
         std::find(std::begin(kSteps), std::end(kSteps), other);
}

// "one" is the old process, "two" the new one.
class Chaos {
 public:
  Chaos(const std::string& binary, const RestartChaosCase& chaos)
      : binary_(binary), case_(chaos), gate_(driver_, folder_.Path("steps")) {}

  void Run() {
    old_ = Start("one");
    if (!old_->WaitForErr("server: ready: ")) return;
    web_ = ListenerIn(old_->err(), "web");
    std::optional<RawClient> held;  // so that the old one does not end
    if (case_.step != restart_step::kDrained) {
      upstream_.Next().AwaitRequest().Hold().Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      held.emplace(driver_, web_);
      held->Send("GET /held HTTP/1.1\r\nHost: a.example\r\n\r\n");
      if (!upstream_.WaitForRequests(1)) return;
    }
    // What the victim does not serve yet, it cannot lose.
    const bool unharmed = !case_.old && Before(case_.step, restart_step::kAccepting);
    std::optional<CountingLoad> load;
    if (unharmed) load.emplace(CountingLoad::Options{web_, {}, {}});

    gate_.HoldAt(case_.step);
    new_ = Start("two");
    if (gate_.WaitForHeld() == 0) return;
    victim().Signal(case_.signal);
    if (case_.signal == SIGKILL) {
      victim().WaitForExit();
    } else {
      AwaitStopped(victim().pid());
    }
    gate_.Release();
    case_.signal == SIGKILL ? AfterKill() : AfterStop();
    if (load) {
      load->Stop();
      EXPECT_EQ(load->failures(), "");
    }
    if (testing::Test::HasFailure()) return Explain();
    if (held && !old_->exited()) {  // it may end, if it is the one that drains
      upstream_.connection(0).Release();
      EXPECT_EQ(held->ReadResponse().body, "ok");
    }
    held.reset();
    RestartAgain();
    if (testing::Test::HasFailure()) Explain();
  }

 private:
  Process& victim() { return case_.old ? *old_ : *new_; }
  Process& other() { return case_.old ? *new_ : *old_; }

  std::unique_ptr<Process> Start(std::string_view body) {
    const std::string file = folder_.Write(
        std::string(body) + ".yaml",
        "workers: 2\ndrain_timeout: 30s\nready_timeout: 1s\nstats: " + stats_ +
            "\nlisteners:\n  - name: web\n    listen: 127.0.0.1:0\n    routes: " + Routes(body) +
            "\n  - name: local\n    listen: 'unix:" + folder_.Path("web.sock") +
            "'\n    routes: " + Routes(body) + "\nclusters:\n  - { name: app, endpoints: [" +
            upstream_.text() + "] }\n");
    return std::make_unique<Process>(driver_, binary_, std::vector<std::string>{"run", "-c", file});
  }
  static std::string Routes(std::string_view body) {
    return "[{ match: { path: /held }, cluster: app }, { match: { prefix: / }, respond: { status: "
           "200, body: " +
           std::string(body) + " } }]";
  }

  std::string AskAt(const Address& address) {
    RawClient client(driver_, address);
    client.Send("GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n");
    return client.ReadResponse().body;
  }
  // Both listeners are served by `body`, on each of their sockets.
  void ExpectServedBy(std::string_view body, const Address& web) {
    const Address local = Address::Unix(folder_.Path("web.sock")).value();
    EXPECT_TRUE(driver_.RunUntil([&] { return AskAt(local) == body; }, body));
    EXPECT_TRUE(driver_.RunUntil([&] { return AskAt(web) == body; }, body));
    for (int i = 0; i < 8; ++i) EXPECT_EQ(AskAt(web), body);
  }

  bool TakesOver() const {
    return new_->err().find("taking over from process") != std::string::npos;
  }

  void AfterKill() {
    if (!case_.old) {
      // It is lost; whoever was there before goes on, or does so again.
      return ExpectServedBy("one", web_);
    }
    if (!new_->WaitForErr("server: ready: ")) return;
    // What was offered is the new one's; before that nobody holds it, and it begins anew.
    const bool inherited = TakesOver();
    EXPECT_TRUE(inherited || !Before(restart_step::kHelloReceived, case_.step));
    const Address web = ListenerIn(new_->err(), "web");
    EXPECT_TRUE(!inherited || web == web_);
    web_ = web;
    ExpectServedBy("two", web_);
  }

  void AfterStop() {
    // At hello_sent both go on: it may have offered before it was stopped.
    driver_.RunUntil([this] { return !case_.old || new_->exited() || TakesOver(); }, "an answer");
    if (case_.old && !TakesOver()) {
      // Nobody else has the listeners.
      EXPECT_TRUE(Before(case_.step, restart_step::kOffered));
      EXPECT_EQ(new_->WaitForExit(), 1);
      EXPECT_THAT(new_->err(), HasSubstr("does not answer"));
      old_->Signal(SIGCONT);
      return ExpectServedBy("one", web_);
    }
    if (case_.old) {
      ExpectServedBy("two", web_);
      if (!new_->WaitForErr("is silent: is it stopped?")) return;
      old_->Signal(SIGCONT);
      if (case_.step != restart_step::kDrained && !old_->WaitForErr("serves; draining")) return;
      return ExpectServedBy("two", web_);
    }
    ExpectServedBy("one", web_);
    if (case_.step == restart_step::kConnecting) {  // nobody knows of it yet
      new_->Signal(SIGCONT);
      if (new_->WaitForErr("server: ready: ")) ExpectServedBy("two", web_);
      return;
    }
    const bool ready = !Before(case_.step, restart_step::kReadySent);
    if (!old_->WaitForErr(ready ? "it is silent" : "it was not ready within 1 s")) return;
    new_->Signal(SIGCONT);
    EXPECT_EQ(new_->WaitForExit(), 1);
    ExpectServedBy("one", web_);
  }

  // Nothing is in the way of the next restart, and nothing is left when it is over.
  void RestartAgain() {
    driver_.RunUntil([this] { return LiveProcesses(stats_).size() == 1; }, "one process alone");
    auto third = Start("three");
    if (!third->WaitForErr("server: ready: ")) return;
    EXPECT_EQ(ListenerIn(third->err(), "web"), web_);
    for (Process* process : {old_.get(), new_.get()}) process->WaitForExit();
    ExpectServedBy("three", web_);
    third->Signal(SIGTERM);
    EXPECT_EQ(third->WaitForExit(), 0) << third->err();
    EXPECT_THAT(ProcessesWith(folder_.path()), IsEmpty());
    EXPECT_THAT(FilesIn(folder_.path()),
                ElementsAre("one.yaml", "stats", "steps", "three.yaml", "two.yaml"));
  }

  void Explain() {
    std::string steps;
    for (const std::string& step : gate_.passed()) steps += " " + step;
    ADD_FAILURE() << "steps:" << steps << "\nold:\n" << old_->err() << "\nnew:\n" << new_->err();
  }

  const std::string binary_;
  const RestartChaosCase case_;
  Driver driver_;
  TempFolder folder_;
  StepGate gate_;
  ScriptedUpstream upstream_{driver_};
  const std::string stats_ = folder_.Path("stats");
  Address web_;
  std::unique_ptr<Process> old_;
  std::unique_ptr<Process> new_;
};

}  // namespace

std::string RestartChaosCase::Name() const {
  std::string name = signal == SIGKILL ? "Kill" : "Stop";
  name += old ? "OldAt" : "NewAt";
  bool upper = true;
  for (const char c : step) {
    if (c != '_') name += upper ? static_cast<char>(std::toupper(c)) : c;
    upper = c == '_';
  }
  return name;
}

std::ostream& operator<<(std::ostream& out, const RestartChaosCase& value) {
  return out << value.Name();
}

std::vector<RestartChaosCase> RestartChaosCases(int signal, bool old) {
  std::vector<RestartChaosCase> cases;
  for (const std::string_view step : kSteps) {
    // A process that has drained is gone before it could come back.
    if (step == restart_step::kDrained && !old) continue;
    cases.push_back({signal, old, step});
  }
  return cases;
}

void RunRestartChaos(const std::string& binary, const RestartChaosCase& chaos) {
  Chaos(binary, chaos).Run();
}

}  // namespace sluice::test
