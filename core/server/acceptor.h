// Acceptor: takes the connections of one listening socket on one worker, makes a ServerConnection
// of each, and keeps within the limits. Owned by the worker (or by the admin listener); of its
// thread.
//
// At a limit the next client is taken from the kernel's queue but not served: it waits here,
// accepting stops (the kernel queues the rest), and the connection that has been idle for longest
// is closed to make room for it: a keep-alive one, or one that has not sent a byte of its first
// request for kSilentGrace. One that is answered and has lingered for kLingerGrace goes before
// these. So nothing is closed unless somebody waits, and only one for each. Room
// that this worker makes is used at once; that of other workers, which are asked for it, is found
// by a short timer.
//
// While something runs short (OverloadStep::kRefuseConnections) clients are reset as they come: so
// that who balances over several proxies hears of it at once, and asks another one.
#ifndef SLUICE_CORE_SERVER_ACCEPTOR_H_
#define SLUICE_CORE_SERVER_ACCEPTOR_H_

#include <cstddef>
#include <functional>

#include "core/base/result.h"
#include "core/event/loop.h"
#include "core/net/listener.h"
#include "core/proxy/listener_runtime.h"
#include "core/proxy/server_connection.h"
#include "core/server/connection_limit.h"

namespace sluice {

class Acceptor;

class AcceptorOwner {
 public:
  // A connection has come, or has gone. Called from inside of the acceptor.
  virtual void OnConnectionCount(int change) = 0;
  // A client waits, for the overall limit or for the listener's, and the acceptor has no idle
  // connection that it could close: others may. Said again every kRetry. Called from inside of the
  // acceptor.
  virtual void OnRoomWanted(Acceptor& acceptor, bool overall) = 0;

 protected:
  ~AcceptorOwner() = default;
};

// Borrowed; they outlive the acceptor.
struct AcceptorLimits {
  ConnectionLimit& listener;
  ConnectionLimit& overall;
  bool essential = false;  // clients are served whatever runs short: operators
};

class Acceptor final : private Listener::Handler, private ServerConnectionOwner {
 public:
  // How often a client that waits looks for room that other workers made.
  static constexpr Nanos kRetry = 10 * kMillisecond;
  // How long a client may say nothing before it can lose its place to one that waits.
  static constexpr Nanos kSilentGrace = kSecond;
  // How long a client that was answered in mid-request has to read the answer, before that.
  static constexpr Nanos kLingerGrace = 200 * kMillisecond;
  // How long, at a drain, clients that waited may take to send its request.
  static constexpr Nanos kLastRequestTime = kSecond;

  // `runtime` outlives the acceptor.
  Acceptor(AcceptorOwner& owner, ListenerRuntime& runtime, AcceptorLimits limits);
  // REQUIRES: empty().
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  // Begins to accept. The socket stays its owner's.
  Result<void> Start(int fd);
  // A reload: connections go over to `runtime`, which outlives the acceptor.
  void SetRuntime(ListenerRuntime& runtime);
  // Looks at the socket no more, or again: another process accepts from it meanwhile. A client that
  // waits at a limit is served: nobody else can.
  void StopAccepting();
  void ResumeAccepting();
  // See Listener.
  void LookAgain() { listener_.LookAgain(); }
  // Asks the client of one connection that was not asked yet to come again, with its next response.
  void RetireOne();
  // Closes those that wait for a request.
  void CloseIdle();
  // Of these only those that were asked to come again.
  void CloseIdleRetiring();
  // Accepts what waits and then no more, lets every connection end after what it has in flight. The
  // socket goes on to queue until its owner closes it.
  void Drain();
  // Closes every connection at once.
  void Abort();
  // There may be room: serves the client that waits, if there is one.
  void OnRoom() { loop_.Defer(admit_task_); }
  // Closes a connection that lingers, or the one that has been idle for longest; false: there is
  // none that may be closed.
  bool CloseOneIdle();

  bool empty() const { return open_ == 0; }
  size_t open() const { return open_; }
  void ForEachConnection(const std::function<void(ServerConnection&)>& visit);
  bool full() const { return static_cast<bool>(waiting_); }

 private:
  void OnAccept(Fd fd, const Address& peer) override;
  void OnAcceptPaused(int errno_value) override;
  void OnConnectionClosed(ServerConnection& connection) override;

  void Admit();
  void AdmitBeyondLimits();
  void DrainAll();
  bool Refuses() const;
  void Serve(Fd fd, const Address& peer);
  bool TryAcquire();
  void SaySilent();

  AcceptorOwner& owner_;
  Loop& loop_;
  ListenerRuntime* runtime_;
  AcceptorLimits limits_;
  Listener listener_;
  Task admit_task_;
  Timer retry_;
  Timer last_drain_;
  Fd waiting_;
  Address waiting_peer_;
  Address local_;  // of every connection; empty: it is for each to ask
  size_t open_ = 0;
  Nanos silent_said_ = 0;      // when the log was told of silent clients; 0: never
  bool overall_full_ = false;  // it was the overall limit that the client in waiting_ met
  ServerConnection::AllList all_;
  ServerConnection::IdleList idle_;  // the one that is idle for longest in front
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_ACCEPTOR_H_
