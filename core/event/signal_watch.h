// SignalWatch: a callback on the loop's thread for a signal. A member of its owner; destroying it
// restores nothing but stops the calls. One loop of the process watches signals: the main thread's.
#ifndef SLUICE_CORE_EVENT_SIGNAL_WATCH_H_
#define SLUICE_CORE_EVENT_SIGNAL_WATCH_H_

#include "core/base/result.h"
#include "core/event/callback.h"

extern "C" {
struct uv_signal_s;
}

namespace sluice {

class Loop;

class SignalWatch {
 public:
  explicit SignalWatch(Callback callback) : callback_(callback) {}
  ~SignalWatch() { Stop(); }
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  Result<void> Start(Loop& loop, int signal);
  void Stop();

 private:
  Callback callback_;
  uv_signal_s* handle_ = nullptr;  // libuv's until its close callback
};

}  // namespace sluice

#endif  // SLUICE_CORE_EVENT_SIGNAL_WATCH_H_
