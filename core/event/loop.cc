#include "core/event/loop.h"

#include <sys/epoll.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <utility>
#include <vector>

#include "core/base/check.h"

namespace sluice {
namespace {

constexpr int kMaxEvents = 256;
// Stands for libuv.
constexpr uint64_t kUvKey = UINT64_MAX;
// Posts and timers are looked at once in so many milliseconds even if epoll says nothing.
constexpr Nanos kLongestWait = 60 * kSecond;

}  // namespace

struct Loop::Posts {
  std::mutex lock;
  std::vector<std::function<void()>> functions;  // guarded by lock
  uv_async_t async;
};

FdWatch::~FdWatch() { Stop(); }

uint64_t FdWatch::key() const { return uint64_t{generation_} << 32 | static_cast<uint32_t>(fd_); }

Result<void> FdWatch::Add(int fd, uint32_t epoll_events) {
  CHECK(fd_ < 0);
  std::vector<Loop::Watched>& watched = loop_->watched_;
  const auto index = static_cast<size_t>(fd);
  if (fd >= 0 && index >= watched.size()) watched.resize(index + index / 2 + 1);
  fd_ = fd;
  generation_ = fd < 0 ? 0 : watched[index].generation + 1;
  epoll_event event{};
  event.events = epoll_events;
  event.data.u64 = key();
  if (epoll_ctl(loop_->epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0) {
    fd_ = -1;
    return Fail(SystemError("epoll_ctl", errno));
  }
  watched[index] = {this, generation_};
  return {};
}

Result<void> FdWatch::Start(int fd, bool writable) {
  writable_ = writable;
  return Add(fd, EPOLLIN | EPOLLRDHUP | EPOLLET | (writable ? EPOLLOUT : 0U));
}

void FdWatch::WatchWritable() {
  if (writable_ || fd_ < 0) return;
  writable_ = true;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u64 = key();
  epoll_ctl(loop_->epoll_fd_, EPOLL_CTL_MOD, fd_, &event);
}

// With EPOLLEXCLUSIVE the kernel's walk through the loops ends at the first that waits in
// epoll_wait (ep_poll_callback in fs/eventpoll.c); those that it passes are busy, and look
// themselves before they wait again, as does whoever begins to watch. So no connection is left
// lying, whichever loop pauses, and a process that hangs is passed over.
Result<void> FdWatch::StartListening(int fd, bool shared) {
  return Add(fd, EPOLLIN | (shared ? EPOLLEXCLUSIVE : 0U));
}

void FdWatch::Stop() {
  if (fd_ < 0) return;
  epoll_ctl(loop_->epoll_fd_, EPOLL_CTL_DEL, fd_, nullptr);
  StopBeforeClose();
}

void FdWatch::StopBeforeClose() {
  if (fd_ < 0) return;
  loop_->watched_[static_cast<size_t>(fd_)].watch = nullptr;
  fd_ = -1;
}

Result<std::unique_ptr<Loop>> Loop::Create(Clock& clock) {
  std::unique_ptr<Loop> loop(new Loop(clock));
  SLUICE_TRY(loop->Init());
  return loop;
}

Loop::Loop(Clock& clock)
    : clock_(clock),
      now_(clock.Monotonic()),
      events_(new epoll_event[kMaxEvents]),
      timers_(now_),
      posts_(new Posts),
      uv_(nullptr) {
  UpdateTime();
}

Result<void> Loop::Init() {
  epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_fd_ < 0) return Fail(SystemError("epoll_create1", errno));
  uv_loop_t* uv = new uv_loop_t;
  if (const int error = uv_loop_init(uv); error != 0) {
    delete uv;
    return Fail(SystemError("uv_loop_init", -error));
  }
  uv_.reset(uv);
  posts_->async.data = this;
  const int error = uv_async_init(
      uv, &posts_->async, [](uv_async_t* async) { static_cast<Loop*>(async->data)->RunPosts(); });
  if (error != 0) return Fail(SystemError("uv_async_init", -error));
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kUvKey;
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, uv_backend_fd(uv), &event) != 0) {
    return Fail(SystemError("epoll_ctl", errno));
  }
  return {};
}

void Loop::DeleteUv::operator()(uv_loop_s* loop) const {
  uv_walk(
      loop,
      [](uv_handle_t* handle, void*) {
        if (uv_is_closing(handle) == 0) uv_close(handle, nullptr);
      },
      nullptr);
  uv_run(loop, UV_RUN_DEFAULT);
  CHECK(uv_loop_close(loop) == 0);
  delete loop;
}

Loop::~Loop() {
  DestroyRetired();
  for (List<Task>* list : {&deferred_, &deferred_writes_, &next_turn_}) {
    list->ForEach([](Task& task) { task.Cancel(); });
  }
  uv_.reset();
  if (epoll_fd_ >= 0) close(epoll_fd_);
}

void Loop::UpdateTime() {
  now_ = clock_.Monotonic();
  wall_offset_ = clock_.Wall() - now_;
}

int Loop::WaitMillis(int at_most) {
  if (!deferred_.empty() || !deferred_writes_.empty() || !next_turn_.empty() ||
      retired_ != nullptr) {
    return 0;
  }
  Nanos wait = at_most < 0 ? kLongestWait : at_most * kMillisecond;
  if (const Nanos wake = timers_.NextWake(); wake >= 0) wait = std::min(wait, wake - now_);
  if (const int uv_wait = uv_backend_timeout(uv_.get()); uv_wait >= 0) {
    wait = std::min(wait, uv_wait * kMillisecond);
  }
  return static_cast<int>((std::max<Nanos>(wait, 0) + kMillisecond - 1) / kMillisecond);
}

void Loop::RunOnce(int wait_ms) {
  const int wait = WaitMillis(wait_ms);
  if (wait > 0) longest_turn_ = std::max(longest_turn_, clock_.Monotonic() - now_);
  const int count = epoll_wait(epoll_fd_, events_.get(), kMaxEvents, wait);
  UpdateTime();
  deferred_.Splice(next_turn_);
  const bool uv_ready = Dispatch(count);
  // Zero also says that libuv has handles to add to its epoll or to close.
  if (uv_ready || uv_backend_timeout(uv_.get()) == 0) {
    uv_run(uv_.get(), UV_RUN_NOWAIT);
    RunDeferred();
  }
  timers_.Advance(now_);
  RunDeferred();
  DestroyRetired();
}

bool Loop::Dispatch(int count) {
  bool uv_ready = false;
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events_[static_cast<size_t>(i)];
    if (event.data.u64 == kUvKey) {
      uv_ready = true;
      continue;
    }
    const auto fd = static_cast<uint32_t>(event.data.u64);
    const Watched& watched = watched_[fd];
    if (watched.watch == nullptr || watched.generation != event.data.u64 >> 32) continue;
    uint32_t ready = 0;
    if ((event.events & EPOLLIN) != 0) ready |= FdWatch::kReadable;
    if ((event.events & EPOLLOUT) != 0) ready |= FdWatch::kWritable;
    if ((event.events & (EPOLLRDHUP | EPOLLHUP)) != 0) ready |= FdWatch::kPeerClosed;
    if ((event.events & (EPOLLERR | EPOLLHUP)) != 0) ready |= FdWatch::kFailed;
    watched.watch->handler_->OnReady(ready);
    RunDeferred();
  }
  return uv_ready;
}

void Loop::Run() {
  stopped_ = false;
  while (!stopped_) RunOnce(-1);
}

void Loop::RunFirstDeferred() {
  Task& task = deferred_.empty() ? deferred_writes_.front() : deferred_.front();
  task.Cancel();
  task.callback_();
}

void Loop::Retire(std::unique_ptr<Retirable> object) {
  if (object == nullptr) return;
  object->next_retired_ = retired_;
  retired_ = object.release();
}

void Loop::DestroyRetired() {
  while (retired_ != nullptr) {
    std::unique_ptr<Retirable> object(retired_);
    retired_ = object->next_retired_;
  }
}

void Loop::Post(std::function<void()> function) {
  {
    const std::lock_guard<std::mutex> guard(posts_->lock);
    posts_->functions.push_back(std::move(function));
  }
  uv_async_send(&posts_->async);
}

void Loop::RunPosts() {
  std::vector<std::function<void()>> functions;
  {
    const std::lock_guard<std::mutex> guard(posts_->lock);
    functions.swap(posts_->functions);
  }
  for (const std::function<void()>& function : functions) {
    function();
    RunDeferred();
  }
}

Nanos Loop::TakeLongestTurn() { return std::exchange(longest_turn_, 0); }

}  // namespace sluice
