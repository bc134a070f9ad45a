// Loop: one thread's events: readiness of fds, timers, posts from other threads, tasks that wait
// for the current callback to end, and objects that wait to be destroyed.
//
// Readiness is edge-triggered epoll: one epoll_ctl for the life of an fd, and none when the wish to
// read or write changes. libuv's loop stands inside (its backend fd is one of the watched fds) and
// brings what is not about sockets on the request path: wake-ups between threads, signals, the pool
// for slow pure work. Measured against a uv_poll_t per socket: see perf/README.md.
//
// Everything but Post is for the loop's own thread.
#ifndef SLUICE_CORE_EVENT_LOOP_H_
#define SLUICE_CORE_EVENT_LOOP_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/base/clock.h"
#include "core/base/intrusive_list.h"
#include "core/base/result.h"
#include "core/event/callback.h"
#include "core/event/timer.h"

extern "C" {
struct uv_loop_s;
struct epoll_event;
}

namespace sluice {

class Loop;

// Readiness of one fd. A member of whoever owns the fd; destroying it stops it. Nothing is called
// after Stop.
class FdWatch {
 public:
  static constexpr uint32_t kReadable = 1;
  static constexpr uint32_t kWritable = 2;
  static constexpr uint32_t kPeerClosed = 4;  // the peer sends no more
  static constexpr uint32_t kFailed = 8;      // reset, or closed both ways: nothing can be written

  class Handler {
   public:
    // `events` became true since the last call, edge-triggered: read or write until it would block
    // (a short read or write says so too), or remember that there is more.
    virtual void OnReady(uint32_t events) = 0;

   protected:
    ~Handler() = default;
  };

  FdWatch(Loop& loop, Handler& handler) : loop_(&loop), handler_(&handler) {}
  FdWatch(const FdWatch&) = delete;
  FdWatch& operator=(const FdWatch&) = delete;
  ~FdWatch();

  // Watches for kReadable, and for kWritable too if asked. REQUIRES: not started; `fd` does not
  // block.
  Result<void> Start(int fd, bool writable);
  // Watches for kWritable too: after the first write that would have blocked. Stays so.
  void WatchWritable();
  // Watches for kReadable, level-triggered and for listening sockets only: said again each turn
  // while something waits. `shared`: other loops watch the same socket, and what comes wakes one of
  // those that wait, instead of all.
  Result<void> StartListening(int fd, bool shared = false);
  // Call it before close(fd): the open file may live on in another process.
  void Stop();
  // Stop without a system call, for an fd that is closed next. A child that is just being started
  // may hold the file a moment longer, and with it the kernel's registration: what that still says
  // is said to nobody.
  void StopBeforeClose();
  bool started() const { return fd_ >= 0; }

 private:
  friend class Loop;
  Result<void> Add(int fd, uint32_t epoll_events);
  // Names the watch to epoll.
  uint64_t key() const;

  Loop* loop_;
  Handler* handler_;
  int fd_ = -1;
  uint32_t generation_ = 0;
  bool writable_ = false;
};

// A callback that runs when the current one has ended, before the loop waits. A member of whoever
// asks; destroying it cancels.
class Task : private ListNode<> {
 public:
  explicit Task(Callback callback) : callback_(callback) {}
  bool pending() const { return linked(); }
  void Cancel() { Unlink(); }

 private:
  friend class Loop;
  template <typename T, typename Tag>
  friend class List;
  Callback callback_;
};

// What can be given to Loop::Retire.
class Retirable {
 public:
  virtual ~Retirable() = default;

 private:
  friend class Loop;
  Retirable* next_retired_ = nullptr;
};

class Loop {
 public:
  // `clock` outlives the loop.
  static Result<std::unique_ptr<Loop>> Create(Clock& clock);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Runs until Stop.
  void Run();
  // From the loop's thread; from another one: Post it.
  void Stop() { stopped_ = true; }
  // One turn: waits at most `wait_ms` milliseconds (-1: until something happens) for an event.
  void RunOnce(int wait_ms);

  // CLOCK_MONOTONIC, read once a turn.
  Nanos now() const { return now_; }
  // Since the epoch, of the same turn.
  Nanos wall() const { return now_ + wall_offset_; }
  Clock& clock() { return clock_; }
  // For a turn that took long: reads the clock again.
  void UpdateTime();

  // Runs `task` after the current callback. Does nothing if it waits already.
  void Defer(Task& task) {
    if (!task.pending()) deferred_.PushBack(task);
  }
  // The same, when nothing is left that was deferred: for writing out what those tasks produce, so
  // that it leaves in one system call.
  void DeferWrite(Task& task) {
    if (!task.pending()) deferred_writes_.PushBack(task);
  }
  // The same, after the loop has looked at everybody else's events once.
  void DeferToNextTurn(Task& task) {
    if (!task.pending()) next_turn_.PushBack(task);
  }
  // Runs the tasks that wait now, and those that they add. The loop does it after each callback; a
  // callback that goes on reading does it between two reads, so that what it caused gets written.
  void RunDeferred() {
    // A task may be such a callback itself. Beyond a few levels the outer ones do the rest.
    if (deferred_depth_ >= kMaxDeferredDepth) return;
    ++deferred_depth_;
    while (!deferred_.empty() || !deferred_writes_.empty()) RunFirstDeferred();
    --deferred_depth_;
  }

  // Destroys the object at the end of this turn: for what may be on the stack.
  void Retire(std::unique_ptr<Retirable> object);

  // Runs `function` on the loop's thread, in the order of the calls. From any thread. Dropped,
  // unrun, if the loop is destroyed before.
  void Post(std::function<void()> function);

  TimerWheel& timers() { return timers_; }
  uv_loop_s* uv() { return uv_.get(); }
  // How long turns took from wake-up to the next wait, as a running maximum; reset by reading.
  Nanos TakeLongestTurn();

 private:
  friend class FdWatch;
  struct Posts;
  struct DeleteUv {
    void operator()(uv_loop_s* loop) const;
  };

  static constexpr int kMaxDeferredDepth = 8;

  explicit Loop(Clock& clock);
  Result<void> Init();
  void RunFirstDeferred();
  void DestroyRetired();
  int WaitMillis(int at_most);
  // Says whether libuv has something to do.
  bool Dispatch(int count);
  void RunPosts();

  Clock& clock_;
  Nanos now_;
  Nanos wall_offset_ = 0;
  Nanos longest_turn_ = 0;
  bool stopped_ = false;
  int epoll_fd_ = -1;
  int deferred_depth_ = 0;
  std::unique_ptr<epoll_event[]> events_;
  // By fd. An event of an earlier generation is of a watch that is no more: epoll knows files, not
  // fds, and a file lives as long as any process has it.
  struct Watched {
    FdWatch* watch = nullptr;
    uint32_t generation = 0;
  };
  std::vector<Watched> watched_;
  TimerWheel timers_;
  List<Task> deferred_;
  List<Task> deferred_writes_;
  List<Task> next_turn_;
  Retirable* retired_ = nullptr;
  std::unique_ptr<Posts> posts_;
  std::unique_ptr<uv_loop_s, DeleteUv> uv_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_EVENT_LOOP_H_
