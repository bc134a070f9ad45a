// FileSink: lines to a file that may be rotated, to a pipe, or to stdout or stderr.
#ifndef SLUICE_FILTERS_ACCESS_LOG_FILE_SINK_H_
#define SLUICE_FILTERS_ACCESS_LOG_FILE_SINK_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/append_file.h"
#include "core/base/clock.h"
#include "core/base/result.h"
#include "filters/access_log/log_sink.h"

namespace sluice::access_log {

class FileSink final : public LogSink {
 public:
  // Opens `path` to append; /dev/stdout and /dev/stderr are our own. What it makes, now and later,
  // is `owner`'s. `clock` outlives the sink; the writer's thread asks it.
  static Result<std::unique_ptr<FileSink>> Open(std::string path, Clock& clock,
                                                const FileOwner& owner = {});
  // Whether it could be opened; opens nothing.
  static Result<void> Check(const std::string& path);
  ~FileSink() override;
  FileSink(const FileSink&) = delete;
  FileSink& operator=(const FileSink&) = delete;

  Outcome Write(std::string_view data) override;
  Result<void> Reopen() override;
  void SetRotation(const Rotation& rotation) override { rotation_ = rotation; }

 private:
  FileSink(std::string path, Clock& clock, const FileOwner& owner)
      : path_(std::move(path)), clock_(clock), owner_(owner) {}
  bool RotationDue(size_t next_line) const;
  Result<void> Rotate();
  // How much of `data` this file may take.
  size_t Fitting(std::string_view data) const;

  const std::string path_;
  Clock& clock_;
  const FileOwner owner_;
  Rotation rotation_;
  int fd_ = -1;
  bool regular_ = false;          // else it may block
  bool rotation_failed_ = false;  // the last one that was tried
  bool mid_line_ = false;         // the last byte that was written is not a line's end
  uint64_t size_ = 0;
  Nanos born_ = 0;      // since the epoch
  Nanos retry_at_ = 0;  // a rotation failed: not again before
};

}  // namespace sluice::access_log

#endif  // SLUICE_FILTERS_ACCESS_LOG_FILE_SINK_H_
