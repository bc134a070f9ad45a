// Listener: takes the connections of one listening socket, on one worker's loop, and gives each to
// its handler. The worker owns it, one for each socket that it accepts from; the socket is the
// server's (listen_socket.h) and outlives the Listener.
//
// When the process is out of fds or memory, accepting pauses for 100 ms: the connections wait in
// the kernel's queue, and a level-triggered fd does not spin.
#ifndef SLUICE_CORE_NET_LISTENER_H_
#define SLUICE_CORE_NET_LISTENER_H_

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/event/loop.h"
#include "core/event/timer.h"
#include "core/net/address.h"
#include "core/net/fd.h"

namespace sluice {

class Listener final : private FdWatch::Handler {
 public:
  static constexpr Nanos kErrorPause = 100 * kMillisecond;

  // May call anything of the listener, but not destroy it.
  class Handler {
   public:
    // `fd` does not block and is closed on exec; a TCP one has TCP_NODELAY.
    virtual void OnAccept(Fd fd, const Address& peer) = 0;
    // accept4 failed with `errno_value` (EMFILE, ENFILE, ENOBUFS, ENOMEM, ...) and is tried again
    // in kErrorPause.
    virtual void OnAcceptPaused(int errno_value) = 0;

   protected:
    ~Handler() = default;
  };

  Listener(Loop& loop, Handler& handler)
      : handler_(handler),
        watch_(loop, *this),
        error_pause_(loop, Callback::To<&Listener::Watch>(this)) {}
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // `shared`: other loops accept from the same socket. REQUIRES: not started.
  Result<void> Start(int fd, bool shared = false);
  // Stops accepting, as often as wanted: the kernel queues what comes. Resume goes on.
  void Pause();
  void Resume();
  bool paused() const { return paused_; }
  // Hands over at once what waits in the kernel's queue, up to kMostQueued connections: for a
  // socket that is about to be closed, which resets the rest. Does nothing while paused.
  void TakeQueued();
  // Another loop that shares the socket is gone, and may have been the only one that was told of
  // what waits.
  void LookAgain();
  // Does a connection wait in the kernel's queue?
  bool HasQueued() const;
  bool shared() const { return shared_; }
  // For good. The socket still listens, and queues, until the last process that has it closes it.
  void Close();
  int fd() const { return fd_; }

 private:
  static constexpr int kMostAtOnce = 64;
  static constexpr int kMostQueued = 4096;
  static constexpr int kMostPatience = 64;

  void OnReady(uint32_t events) override;
  // False: nothing waits, or accepting has ended for now.
  bool AcceptOne();
  void PauseForError(int errno_value);
  void Watch();

  Handler& handler_;
  FdWatch watch_;
  Timer error_pause_;
  int fd_ = -1;
  int at_once_ = 1;   // connections that the next turn takes
  int turns_ = 0;     // in a row in which all of them were there
  int patience_ = 1;  // so many turns, and at_once_ grows
  bool shared_ = false;
  bool paused_ = false;
};

}  // namespace sluice

#endif  // SLUICE_CORE_NET_LISTENER_H_
