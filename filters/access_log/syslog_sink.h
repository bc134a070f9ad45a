// SyslogSink: each line a datagram to the system log's unix socket, in the format of RFC 3164,
// which every such daemon takes.
#ifndef SLUICE_FILTERS_ACCESS_LOG_SYSLOG_SINK_H_
#define SLUICE_FILTERS_ACCESS_LOG_SYSLOG_SINK_H_

#include <memory>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/filter/time_format.h"
#include "filters/access_log/log_sink.h"

namespace sluice::access_log {

class SyslogSink final : public LogSink {
 public:
  // `priority`: facility * 8 + severity. A daemon that is not there yet is no error.
  static Result<std::unique_ptr<SyslogSink>> Open(std::string socket, int priority,
                                                  std::string_view tag, Clock& clock);
  ~SyslogSink() override;
  SyslogSink(const SyslogSink&) = delete;
  SyslogSink& operator=(const SyslogSink&) = delete;

  Outcome Write(std::string_view data) override;
  Result<void> Reopen() override;
  void SetRotation(const Rotation&) override {}

 private:
  SyslogSink(std::string socket, TimeFormat time, Clock& clock)
      : socket_(std::move(socket)), time_(std::move(time)), clock_(clock) {}
  // 0 or errno.
  int Send(std::string_view line);

  const std::string socket_;
  const TimeFormat time_;
  Clock& clock_;
  std::string priority_;  // "<190>"
  std::string tag_;       // " sluice[123]: "
  std::string message_;
  int fd_ = -1;
};

}  // namespace sluice::access_log

#endif  // SLUICE_FILTERS_ACCESS_LOG_SYSLOG_SINK_H_
