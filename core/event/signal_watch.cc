#include "core/event/signal_watch.h"

#include <uv.h>

#include <utility>

#include "core/event/loop.h"

namespace sluice {

Result<void> SignalWatch::Start(Loop& loop, int signal) {
  Stop();
  handle_ = new uv_signal_t;
  uv_signal_init(loop.uv(), handle_);
  handle_->data = this;
  const int error = uv_signal_start(
      handle_,
      [](uv_signal_t* handle, int) { static_cast<SignalWatch*>(handle->data)->callback_(); },
      signal);
  if (error != 0) {
    Stop();
    return Fail(SystemError("uv_signal_start", -error));
  }
  return {};
}

void SignalWatch::Stop() {
  if (handle_ == nullptr) return;
  uv_close(reinterpret_cast<uv_handle_t*>(std::exchange(handle_, nullptr)),
           [](uv_handle_t* handle) { delete reinterpret_cast<uv_signal_t*>(handle); });
}

}  // namespace sluice
