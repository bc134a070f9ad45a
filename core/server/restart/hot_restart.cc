#include "core/server/restart/hot_restart.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/server/notify.h"
#include "core/server/spawn.h"

namespace sluice {
namespace {

constexpr int kKillMillis = 2000;

void LogInfo(std::string_view text) { Log(LogLevel::kInfo, "restart", text); }
void LogWarning(std::string_view text) { Log(LogLevel::kWarning, "restart", text); }

std::string Number(int64_t value) { return std::to_string(value); }

}  // namespace

HotRestart::HotRestart(Loop& loop, HotRestartOwner& owner, HotRestartOptions options)
    : loop_(loop),
      owner_(owner),
      options_(std::move(options)),
      host_(loop, *this),
      child_watch_(Callback::To<&HotRestart::OnChild>(this)),
      spawn_timer_(loop, Callback::To<&HotRestart::OnSpawnTimeout>(this)) {}

HotRestart::~HotRestart() { Close(); }

Result<std::vector<InheritedSocket>> HotRestart::TakeOver(bool force) {
  const bool started_for_it = std::getenv(kVariable) != nullptr;
  unsetenv(kVariable);  // not for whoever we start
  PredecessorOwner& owner = *this;
  Result<std::unique_ptr<Predecessor>> found = Predecessor::Find(loop_, owner, options_.socket);
  if (!found) return Fail(std::move(found).error());
  if (*found == nullptr) {
    if (!started_for_it) return std::vector<InheritedSocket>();
    return Fail(Code::kNotFound, "the process that this one was to take over from is gone");
  }
  predecessor_ = std::move(*found);
  const std::string who = Number(predecessor_->pid());
  Result<std::vector<InheritedSocket>> sockets = predecessor_->Receive(force);
  if (!sockets) {
    return Fail(sockets.error().code,
                StrCat({"process ", who,
                        " runs already and cannot be taken over from: ", sockets.error().detail}));
  }
  LogInfo(StrCat({"taking over from process ", who}));
  return sockets;
}

Result<void> HotRestart::Serve() {
  SLUICE_TRY(host_.Open(options_.socket, options_.user, options_.group));
  // First: when the predecessor says that the restart is done, signals must come to us.
  NotifyStarter(StrCat({"READY=1\nMAINPID=", Number(getpid())}));
  if (predecessor_ != nullptr) predecessor_->SayReady();
  return child_watch_.Start(loop_, SIGCHLD);
}

void HotRestart::GiveUp(std::string_view reason) {
  if (predecessor_ != nullptr) predecessor_->SayFailed(reason);
}

void HotRestart::Start(RestartCommand* command) {
  std::string why_not = owner_.WhyNoSuccessor();
  if (why_not.empty() && (child_ != 0 || successor_ != nullptr)) why_not = "a restart is under way";
  if (why_not.empty()) {
    const Result<void> spawned = StartSuccessor();
    if (!spawned) why_not = spawned.error().detail;
  }
  if (why_not.empty()) {
    command_ = command;
    return;
  }
  LogWarning(StrCat({"no restart: ", why_not}));
  if (command != nullptr) command->Finish(false, why_not);
}

Result<void> HotRestart::StartSuccessor() {
  const Result<pid_t> pid = Spawn(options_.command, kVariable, options_.socket, SpawnGroup::kOurs);
  if (!pid) return Fail(pid.error());
  child_ = *pid;
  LogInfo(StrCat({"process ", Number(child_), " is started to take over"}));
  spawn_timer_.Start(options_.ready_timeout);
  return {};
}

void HotRestart::OnChild() {
  for (;;) {
    int status = 0;
    const pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid <= 0) return;
    if (pid != child_) continue;
    child_ = 0;
    spawn_timer_.Cancel();
    // One that was connected has said why, or is missed by the heartbeat.
    if (successor_ != nullptr) continue;
    Finish(false, WIFEXITED(status)
                      ? StrCat({"the new process ended with status ", Number(WEXITSTATUS(status)),
                                ": its log says why"})
                      : StrCat({"the new process was ended by signal ", Number(WTERMSIG(status))}));
  }
}

void HotRestart::OnSpawnTimeout() {
  if (child_ == 0) return;
  LogWarning("the new process was not ready in time");
  kill(child_, SIGKILL);  // OnChild tells the rest
}

void HotRestart::Finish(bool ok, std::string_view text) {
  if (!ok) LogWarning(StrCat({"the restart has failed, this process goes on: ", text}));
  if (command_ != nullptr) std::exchange(command_, nullptr)->Finish(ok, text);
}

void HotRestart::OnSuccessor(Fd fd, bool force) {
  std::string why_not = owner_.WhyNoSuccessor();
  if (why_not.empty() && successor_ != nullptr) why_not = "a restart is under way";
  if (why_not.empty() && predecessor_ != nullptr) {
    if (force) {
      EndPredecessor();
    } else {
      const Nanos left = drained_by_ > loop_.now() ? drained_by_ - loop_.now() : 0;
      why_not = StrCat({"process ", Number(predecessor_->pid()),
                        " still drains for the restart before, for at most ",
                        Number(left / kSecond + 1), " s; --force ends it now"});
    }
  }
  SuccessorOwner& owner = *this;
  auto successor = std::make_unique<Successor>(loop_, owner, std::move(fd), options_.ready_timeout);
  if (!why_not.empty()) return successor->Refuse(why_not);
  successor_ = std::move(successor);
  LogInfo(StrCat({"process ", Number(successor_->pid()), " wants to take over"}));
  if (const Result<void> offered = successor_->Offer(owner_.SocketsToOffer()); !offered) {
    LogWarning(offered.error().detail);
    loop_.Retire(std::move(successor_));
  }
}

void HotRestart::EndPredecessor() {
  LogWarning(StrCat({"--force: process ", Number(predecessor_->pid()), " is ended"}));
  // It may be stopped, or wedged: it is not asked. Connected as it is, its pid is its own.
  const Fd process(static_cast<int>(syscall(SYS_pidfd_open, predecessor_->pid(), 0)));
  kill(predecessor_->pid(), SIGKILL);
  // What it holds, such as its part of the stats, is free when it is gone: soon.
  pollfd gone{process.get(), POLLIN, 0};
  if (process) poll(&gone, 1, kKillMillis);
  loop_.Retire(std::move(predecessor_));
}

Nanos HotRestart::OnSuccessorReady() {
  spawn_timer_.Cancel();
  host_.Close();  // it has taken the path
  const Nanos longest = owner_.OnHandOver();
  LogInfo(StrCat({"process ", Number(successor_->pid()), " serves; draining for at most ",
                  Number(longest / kSecond), " s"}));
  Finish(true, StrCat({"process ", Number(successor_->pid()), " serves"}));
  return longest;
}

void HotRestart::OnSuccessorLost(bool was_ready, std::string_view why) {
  const std::string text = StrCat({"process ", Number(successor_->pid()), ": ", why});
  loop_.Retire(std::move(successor_));
  spawn_timer_.Cancel();
  Finish(false, text);
  if (!was_ready) return;
  owner_.OnHandOverUndone();
  if (const Result<void> opened = host_.Open(options_.socket, options_.user, options_.group);
      !opened) {
    LogWarning(opened.error().detail);
  }
  NotifyStarter(StrCat({"MAINPID=", Number(getpid())}));
}

void HotRestart::OnPredecessorDraining(Nanos longest) { drained_by_ = loop_.now() + longest; }

void HotRestart::OnPredecessorGone() {
  LogInfo(StrCat({"process ", Number(predecessor_->pid()), " is gone"}));
  loop_.Retire(std::move(predecessor_));
}

void HotRestart::OnGivenUp(std::string_view why) {
  LogWarning(StrCat(
      {"process ", Number(predecessor_->pid()), " serves in place of this one again: ", why}));
  owner_.OnTakenBack(why);
}

void HotRestart::OnCommand(std::string_view name, const std::vector<std::string>& arguments,
                           RestartCommand& command) {
  if (name == "restart") return Start(&command);
  owner_.OnServerCommand(name, arguments, command);
}

void HotRestart::OnCommandGone(RestartCommand& command) {
  if (command_ == &command) {
    command_ = nullptr;
    return;
  }
  owner_.OnServerCommandGone(command);
}

void HotRestart::ReopenLogs() {
  if (predecessor_ != nullptr) predecessor_->AskReopenLogs();
}

void HotRestart::Close() {
  host_.Close();
  if (predecessor_ != nullptr) predecessor_->AskEnd(true);
  if (successor_ != nullptr) successor_->Close();
}

}  // namespace sluice
