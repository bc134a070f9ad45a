// LogSink: where lines end up: a file or the system log. Owned by a LogFile, of its writer thread;
// may block it for a while, never for good.
#ifndef SLUICE_FILTERS_ACCESS_LOG_LOG_SINK_H_
#define SLUICE_FILTERS_ACCESS_LOG_LOG_SINK_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/result.h"

namespace sluice::access_log {

// When a file is replaced by a new one.
struct Rotation {
  uint64_t size = 0;  // 0: never because of it
  Nanos age = 0;
  uint32_t keep = 1;
};

class LogSink {
 public:
  struct Outcome {
    size_t taken = 0;            // bytes from the start of the data that are done with
    uint64_t lost = 0;           // lines among them that could not be written
    int error = 0;               // errno: the rest may be tried again later
    uint64_t reopen_errors = 0;  // the file should have been replaced by a new one, and was not
  };

  virtual ~LogSink() = default;
  // Writes some of `data`: lines, the first of which may have been begun by the last call. Takes at
  // least a byte if there is no error; EAGAIN: it would block.
  virtual Outcome Write(std::string_view data) = 0;
  // Opens it again, after someone renamed it. The old one stays on failure.
  virtual Result<void> Reopen() = 0;
  virtual void SetRotation(const Rotation& rotation) = 0;
};

}  // namespace sluice::access_log

#endif  // SLUICE_FILTERS_ACCESS_LOG_LOG_SINK_H_
