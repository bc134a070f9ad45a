#include "core/server/restart/hot_restart.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/server/notify.h"
#include "core/server/restart/restart.pb.h"
#include "core/server/restart/restart_channel.h"
#include "core/server/restart/step.h"
#include "core/server/spawn.h"

namespace sluice {
namespace {

constexpr int kKillMillis = 2000;
constexpr int kVanishMillis = 2000;
// Of why a process did not start: more is in its log.
constexpr size_t kMostReason = 4096;
// How often we look whether those who call still come to us.
constexpr Nanos kDoorCheck = kSecond;
// How long a child that has failed, or was given up, may take to end.
constexpr Nanos kChildEndLimit = 2 * kSecond;

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
      spawn_timer_(loop, Callback::To<&HotRestart::OnSpawnTimeout>(this)),
      door_timer_(loop, Callback::To<&HotRestart::OnDoorTimer>(this)) {}

HotRestart::~HotRestart() { Close(); }

Result<std::vector<InheritedSocket>> HotRestart::TakeOver(bool force) {
  const bool started_for_it = std::getenv(kVariable) != nullptr;
  unsetenv(kVariable);  // not for whoever we start
  RestartStep(restart_step::kConnecting);
  Result<std::vector<InheritedSocket>> sockets = TakeOverOnce(force);
  if (sockets && predecessor_ == nullptr && started_for_it) {
    // It was asked to end meanwhile: that holds for us too.
    return Fail(Code::kNotFound, "the process that this one was to take over from is gone");
  }
  // Who ended between our call and its answer left nothing, and is in nobody's way.
  if (!sockets && sockets.error().code == Code::kNotFound && !started_for_it) {
    lost_.AwaitEnd(kVanishMillis);
    lost_ = {};
    return TakeOverOnce(force);
  }
  return sockets;
}

Result<std::vector<InheritedSocket>> HotRestart::TakeOverOnce(bool force) {
  PredecessorOwner& owner = *this;
  Result<std::unique_ptr<Predecessor>> found = Predecessor::Find(loop_, owner, options_.socket);
  if (!found) return Fail(std::move(found).error());
  if (*found == nullptr) return std::vector<InheritedSocket>();
  predecessor_ = std::move(*found);
  const std::string who = Number(predecessor_->pid());
  Result<std::vector<InheritedSocket>> sockets = predecessor_->Receive(force);
  if (!sockets) {
    lost_ = OtherProcess(predecessor_->pid());
    predecessor_.reset();
    return Fail(sockets.error().code,
                StrCat({"process ", who,
                        " runs already and cannot be taken over from: ", sockets.error().detail}));
  }
  LogInfo(StrCat({"taking over from process ", who}));
  if (predecessor_->gone()) OnPredecessorGone();
  return sockets;
}

Result<void> HotRestart::Serve() {
  // It may have given us up while we were stopped: then the door is its own.
  if (predecessor_ != nullptr) predecessor_->TakeWaiting();
  if (given_up_) return Fail(Code::kUnavailable, "the process before this one goes on");
  const Result<void> opened = host_.Open(options_.socket, options_.user, options_.group);
  if (!opened && predecessor_ != nullptr) {
    GiveUp(opened.error().detail);
    return opened;
  }
  RestartStep(restart_step::kDoorOpen);
  // First: when the predecessor says that the restart is done, signals must come to us.
  NotifyStarter(StrCat({"READY=1\nMAINPID=", Number(getpid())}));
  if (predecessor_ != nullptr) {
    predecessor_->SayReady();
    said_ready_ = true;
    RestartStep(restart_step::kReadySent);
  }
  door_timer_.Start(kDoorCheck);
  SLUICE_TRY(child_watch_.Start(loop_, SIGCHLD));
  door_failed_ = !opened;
  return opened;
}

// A successor that was given up may have taken it with its last step, or somebody removed the file.
// While another process answers there it is that one's.
void HotRestart::OnDoorTimer() {
  door_timer_.Start(kDoorCheck);
  if (successor_ != nullptr || host_.reachable()) return;
  if (predecessor_ != nullptr) predecessor_->TakeWaiting();
  if (given_up_ || RestartChannel::Connect(options_.socket)) return;
  if (!door_failed_) {
    LogWarning(StrCat({options_.socket, " is not ours any more: it is opened anew"}));
  }
  const Result<void> opened = host_.Open(options_.socket, options_.user, options_.group);
  if (!opened && !door_failed_) LogWarning(opened.error().detail);
  if (opened && door_failed_) LogInfo(StrCat({options_.socket, " is open now"}));
  door_failed_ = !opened;
}

void HotRestart::GiveUp(std::string_view reason) {
  if (predecessor_ != nullptr) predecessor_->SayFailed(reason);
}

void HotRestart::Start(RestartCommand* command, bool force) {
  std::string why_not = owner_.WhyNoSuccessor();
  if (why_not.empty() && (child_ != 0 || successor_ != nullptr)) why_not = "a restart is under way";
  if (why_not.empty() && !host_.reachable()) {
    why_not = StrCat({"there is no restart socket at ", options_.socket, ": the log says why"});
  }
  if (why_not.empty() && !force) why_not = WhoIsInTheWay();
  if (why_not.empty()) {
    const Result<void> spawned = StartSuccessor(force);
    if (!spawned) why_not = spawned.error().detail;
  }
  if (why_not.empty()) {
    command_ = command;
    return;
  }
  LogWarning(StrCat({"no restart: ", why_not}));
  if (command != nullptr) command->Finish(false, why_not);
}

Result<void> HotRestart::StartSuccessor(bool force) {
  std::vector<std::string> command = options_.command;
  if (force) command.emplace_back("--force");
  const Result<pid_t> pid = Spawn(command, kVariable, options_.socket, SpawnGroup::kOurs);
  if (!pid) return Fail(pid.error());
  child_ = *pid;
  child_connected_ = child_timed_out_ = false;
  child_failure_.clear();
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
    if (child_connected_) continue;  // its channel says the rest
    if (child_timed_out_) {
      Finish(false, StrCat({"the new process was not ready within ",
                            Number(options_.ready_timeout / kSecond), " s"}));
    } else if (!child_failure_.empty()) {
      Finish(false, StrCat({"the new process: ", child_failure_}));
    } else if (WIFEXITED(status)) {
      Finish(false, StrCat({"the new process ended with status ", Number(WEXITSTATUS(status)),
                            ": its log says why"}));
    } else {
      Finish(false, StrCat({"the new process was ended by signal ", Number(WTERMSIG(status))}));
    }
  }
}

void HotRestart::OnSpawnTimeout() {
  if (child_ == 0) return;
  child_timed_out_ = true;
  kill(child_, SIGKILL);  // OnChild tells the rest
}

void HotRestart::Finish(bool ok, std::string_view text) {
  if (!ok) LogWarning(StrCat({"the restart has failed, this process goes on: ", text}));
  if (command_ != nullptr) std::exchange(command_, nullptr)->Finish(ok, text);
}

// Two at a time, and no third.
std::string HotRestart::WhoIsInTheWay() const {
  if (lost_.alive()) {
    return StrCat({"process ", Number(lost_.pid()),
                   ", which took over and fell silent, still lives; --force ends it"});
  }
  if (predecessor_ == nullptr) return "";
  const Nanos left = drained_by_ > loop_.now() ? drained_by_ - loop_.now() : 0;
  return StrCat({"process ", Number(predecessor_->pid()),
                 " still drains for the restart before, for at most ", Number(left / kSecond + 1),
                 " s; --force ends it now"});
}

void HotRestart::OnSuccessor(Fd fd, bool force) {
  std::string why_not = owner_.WhyNoSuccessor();
  if (why_not.empty() && successor_ != nullptr) why_not = "a restart is under way";
  if (why_not.empty() && !force) why_not = WhoIsInTheWay();
  if (why_not.empty() && lost_.alive()) End(lost_);
  if (why_not.empty() && predecessor_ != nullptr) {
    End(OtherProcess(predecessor_->pid()));
    predecessor_->Close();  // of what it said last nothing is to be heard
    OnPredecessorGone();
  }
  SuccessorOwner& owner = *this;
  auto successor = std::make_unique<Successor>(loop_, owner, std::move(fd), options_.ready_timeout);
  if (!why_not.empty()) return successor->Refuse(why_not);
  successor_ = std::move(successor);
  LogInfo(StrCat({"process ", Number(successor_->pid()), " wants to take over"}));
  if (successor_->pid() == child_) {
    child_connected_ = true;
    spawn_timer_.Cancel();  // it has the successor's limit
  }
  RestartStep(restart_step::kHelloReceived);
  if (const Result<void> offered = successor_->Offer(owner_.SocketsToOffer()); !offered) {
    LogWarning(offered.error().detail);
    loop_.Retire(std::move(successor_));
    return;
  }
  RestartStep(restart_step::kOffered);
}

// It may be stopped, or wedged: it is not asked.
void HotRestart::End(const OtherProcess& process) {
  LogWarning(StrCat({"--force: process ", Number(process.pid()), " is ended"}));
  process.Kill();
  // What it holds, such as its part of the stats, is free when it is gone: soon.
  process.AwaitEnd(kKillMillis);
}

Nanos HotRestart::OnSuccessorReady() {
  RestartStep(restart_step::kReadyReceived);
  if (successor_->pid() == child_) child_ = 0;  // no child any more, but a process like us
  lost_ = {};
  host_.Close();  // it has taken the path
  const Nanos longest = owner_.OnHandOver();
  // Whoever started us believes its main process, which we are until now.
  NotifyStarter(StrCat({"MAINPID=", Number(successor_->pid())}));
  RestartStep(restart_step::kHandedOver);
  LogInfo(StrCat({"process ", Number(successor_->pid()), " serves; draining for at most ",
                  Number(longest / kSecond), " s"}));
  Finish(true, StrCat({"process ", Number(successor_->pid()), " serves"}));
  return longest;
}

void HotRestart::OnSuccessorLost(bool was_ready, std::string_view why) {
  const pid_t pid = successor_->pid();
  loop_.Retire(std::move(successor_));
  if (pid == child_) spawn_timer_.Start(kChildEndLimit);  // it is ending, or is made to
  Finish(false, StrCat({"process ", Number(pid), ": ", why}));
  // It may have become the main process, in others' eyes, before we heard that it was ready.
  if (!was_ready) owner_.OnOtherLost();
  if (!was_ready && host_.reachable()) return;
  if (was_ready) {
    lost_ = OtherProcess(pid);
    owner_.OnHandOverUndone();
  }
  if (const Result<void> opened = host_.Open(options_.socket, options_.user, options_.group);
      !opened) {
    LogWarning(opened.error().detail);
  }
  NotifyStarter(StrCat({"MAINPID=", Number(getpid())}));
}

void HotRestart::OnPredecessorDraining(Nanos longest) {
  drained_by_ = loop_.now() + longest;
  RestartStep(restart_step::kDrainingHeard);
}

void HotRestart::OnPredecessorGone() {
  LogInfo(StrCat({"process ", Number(predecessor_->pid()), " is gone"}));
  loop_.Retire(std::move(predecessor_));
  owner_.OnOtherLost();
  owner_.OnReplaced();
}

void HotRestart::OnPredecessorSilent() {
  LogWarning(StrCat({"process ", Number(predecessor_->pid()),
                     ", which this one has taken over from, is silent: is it stopped?"}));
  owner_.OnOtherLost();
}

void HotRestart::OnGivenUp(std::string_view why) {
  given_up_ = true;
  LogWarning(StrCat(
      {"process ", Number(predecessor_->pid()), " serves in place of this one again: ", why}));
  owner_.OnTakenBack(why);
}

void HotRestart::OnStartFailed(pid_t pid, std::string_view reason) {
  if (child_ != 0 && pid == child_) child_failure_ = reason;
}

void HotRestart::AnnouncePause(Nanos longest) {
  if (predecessor_ != nullptr) predecessor_->AnnouncePause(longest);
}

void HotRestart::SayStartFailed(std::string_view reason) {
  const char* const socket = std::getenv(kVariable);
  if (socket == nullptr) return;
  const Result<Fd> fd = RestartChannel::Connect(socket);
  if (!fd) return;
  restart::Message message;
  message.mutable_failure()->set_reason(std::string(reason.substr(0, kMostReason)));
  const std::string bytes = message.SerializeAsString();
  (void)send(fd->get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

void HotRestart::OnCommand(std::string_view name, const std::vector<std::string>& arguments,
                           RestartCommand& command) {
  if (name == "restart") {
    return Start(&command,
                 std::find(arguments.begin(), arguments.end(), "force") != arguments.end());
  }
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
  door_timer_.Cancel();
  host_.Close();
  if (predecessor_ != nullptr && said_ready_) predecessor_->AskEnd(true);
  if (!said_ready_) GiveUp("it was asked to end");
  if (successor_ == nullptr) return;
  // One that is still starting would serve in spite of us.
  if (successor_->ready()) {
    successor_->Close();
  } else {
    successor_->Refuse("this process is asked to end");
  }
}

}  // namespace sluice
