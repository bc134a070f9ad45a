// HotRestart: the process' part in restarts, as the one that takes over and as the one that hands
// over: who is its predecessor, who its successor, and the restart socket. Owned by the server; of
// the main thread. DESIGN: at no moment is there no process that accepts, and nothing that fails on
// the new side harms the old.
#ifndef SLUICE_CORE_SERVER_RESTART_HOT_RESTART_H_
#define SLUICE_CORE_SERVER_RESTART_HOT_RESTART_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/event/loop.h"
#include "core/event/signal_watch.h"
#include "core/server/restart/other_process.h"
#include "core/server/restart/predecessor.h"
#include "core/server/restart/restart_host.h"
#include "core/server/restart/successor.h"

namespace sluice {

class HotRestartOwner {
 public:
  virtual std::vector<OfferedSocket> SocketsToOffer() = 0;
  // A successor serves: accept no more. Returns how long what is in flight may take.
  virtual Nanos OnHandOver() = 0;
  // It is lost: accept again.
  virtual void OnHandOverUndone() = 0;
  // Empty, or why this process can have no successor now.
  virtual std::string WhyNoSuccessor() const = 0;
  // The other process is gone, or silent: connections may wait that it alone was told of.
  virtual void OnOtherLost() = 0;
  // The predecessor is gone for good.
  virtual void OnReplaced() = 0;
  // The predecessor has taken the listeners back.
  virtual void OnTakenBack(std::string_view why) = 0;
  virtual void OnReopenLogsAsked() = 0;
  virtual void OnEndAsked() = 0;
  // "stop", "reload" and the like; see RestartHostOwner.
  virtual void OnServerCommand(std::string_view name, const std::vector<std::string>& arguments,
                               RestartCommand& command) = 0;
  virtual void OnServerCommandGone(RestartCommand& command) = 0;

 protected:
  ~HotRestartOwner() = default;
};

struct HotRestartOptions {
  std::string socket;                // the restart socket's path
  std::vector<std::string> command;  // the binary's path and its arguments
  Nanos ready_timeout = 30 * kSecond;
  uid_t user = static_cast<uid_t>(-1);  // whose the socket is
  gid_t group = static_cast<gid_t>(-1);
};

class HotRestart final : private RestartHostOwner,
                         private SuccessorOwner,
                         private PredecessorOwner {
 public:
  // In the environment of a process that was started to take over: the restart socket.
  static constexpr const char* kVariable = "SLUICE_RESTART_SOCKET";

  HotRestart(Loop& loop, HotRestartOwner& owner, HotRestartOptions options);
  ~HotRestart();
  HotRestart(const HotRestart&) = delete;
  HotRestart& operator=(const HotRestart&) = delete;

  // As the new one --------------------------------------------------------------------------------

  // The sockets of the process that lives, none if there is none. Blocks. `force`: it may end one
  // that still drains for it.
  Result<std::vector<InheritedSocket>> TakeOver(bool force);
  // We accept: a predecessor may go, a successor may come. After an error none can come, and a
  // predecessor goes on.
  Result<void> Serve();
  // We end for this reason before we served.
  void GiveUp(std::string_view reason);
  // The same where there is no HotRestart yet: the configuration is bad. Nothing, if nobody started
  // us to take over.
  static void SayStartFailed(std::string_view reason);
  // The loop is about to be busy for so long at most: a predecessor that drains is not to take that
  // for silence.
  void AnnouncePause(Nanos longest);

  // As the old one --------------------------------------------------------------------------------

  // Starts the binary that is on the disk, to take over. `command`, if given, is finished with the
  // outcome. `force`: the new one may end a process that still drains for us.
  void Start(RestartCommand* command, bool force = false);
  // Is there one that serves, or did, until we do?
  bool has_predecessor() const { return predecessor_ != nullptr; }
  // Its outcome is not waited for any more.
  void Forget(RestartCommand& command) {
    if (command_ == &command) command_ = nullptr;
  }
  // 0: there is none.
  pid_t predecessor_pid() const { return predecessor_ == nullptr ? 0 : predecessor_->pid(); }
  pid_t successor_pid() const { return successor_ == nullptr ? 0 : successor_->pid(); }
  // Is a successor serving?
  bool handed_over() const { return successor_ != nullptr && successor_->ready(); }

  // SIGUSR1 is for a predecessor that still drains, too.
  void ReopenLogs();
  // No restart any more: we end, and a predecessor that still drains does not come back.
  void Close();

 private:
  // RestartHostOwner
  void OnSuccessor(Fd fd, bool force) override;
  void OnCommand(std::string_view name, const std::vector<std::string>& arguments,
                 RestartCommand& command) override;
  void OnCommandGone(RestartCommand& command) override;
  // SuccessorOwner
  Nanos OnSuccessorReady() override;
  void OnSuccessorLost(bool was_ready, std::string_view why) override;
  void OnReopenLogsAsked() override { owner_.OnReopenLogsAsked(); }
  void OnEndAsked() override { owner_.OnEndAsked(); }
  void OnLastAsked() override { successor_->Close(); }
  // PredecessorOwner
  void OnPredecessorDraining(Nanos longest) override;
  void OnPredecessorGone() override;
  void OnPredecessorSilent() override;
  void OnGivenUp(std::string_view why) override;

  void OnStartFailed(pid_t pid, std::string_view reason) override;

  Result<std::vector<InheritedSocket>> TakeOverOnce(bool force);
  // Empty: nobody; else who lives still of the restart before.
  std::string WhoIsInTheWay() const;
  Result<void> StartSuccessor(bool force);
  void OnChild();
  void OnSpawnTimeout();
  void OnDoorTimer();
  void Finish(bool ok, std::string_view text);
  void End(const OtherProcess& process);

  Loop& loop_;
  HotRestartOwner& owner_;
  const HotRestartOptions options_;
  RestartHost host_;
  SignalWatch child_watch_;
  Timer spawn_timer_;
  Timer door_timer_;
  std::unique_ptr<Predecessor> predecessor_;
  std::unique_ptr<Successor> successor_;
  RestartCommand* command_ = nullptr;  // waits for the outcome of a restart
  pid_t child_ = 0;                    // that was started and is not known to serve
  bool child_connected_ = false;
  bool child_timed_out_ = false;
  std::string child_failure_;  // why it did not come to say hello
  OtherProcess lost_;          // served in our place and fell silent
  bool said_ready_ = false;
  bool door_failed_ = false;  // the socket could not be opened when we last tried
  bool given_up_ = false;     // by our predecessor
  Nanos drained_by_ = 0;      // the predecessor's deadline
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_RESTART_HOT_RESTART_H_
