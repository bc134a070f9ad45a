// StatsSegment: the shared memory that every metric of the process lives in, and this process'
// part of it. See layout.h for what lies where.
//
//   Attach(path)  the segment of an instance: found or made. Its counters and histograms count on
//                 from the values found there: nothing is copied, folded or reset.
//   Create()      one of this process alone, without a name, through the same code.
//
// A process owns one of two banks, by a lock that the kernel frees when it ends, however it ends;
// its successor takes the other. Gauges are zeroed when a bank is taken, and count while its owner
// lives.
//
// Owned by the Server, made before the workers start, and outlives every row and handle. The main
// thread registers series (StatsDirectory), each thread counts in its own row, anybody reads
// (StatsReader). Main thread only, but for rows.
#ifndef SLUICE_CORE_STATS_SEGMENT_H_
#define SLUICE_CORE_STATS_SEGMENT_H_

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/stats/limits.h"
#include "core/stats/memory.h"
#include "core/stats/pages.h"
#include "core/stats/row.h"
#include "core/stats/row_pages.h"

namespace sluice {

struct StatsOptions {
  uint32_t workers = 1;                    // may differ between the processes of a segment
  std::optional<StatsLimits> limits = {};  // for tests; else as the size gives
  uint64_t size = kStatsDefaultSize;       // of addresses: memory is taken as it is needed
  std::optional<uid_t> owner = {};         // whom the server becomes: StatsFileOptions
  // For tests: where memory comes from, and where warnings go (null: the log).
  StatsMemory::Reserver reserver = StatsMemory::ReserveInFile;
  std::function<void(std::string_view message)> warn = {};
};

// How full it is.
struct StatsUse {
  uint64_t size = 0;   // bytes of addresses
  uint64_t taken = 0;  // of these, bytes behind the directory that rows have
  uint32_t series = 0;
  uint32_t series_limit = 0;
};

class StatsSegment {
 public:
  // Errors: kInvalidArgument for options out of range, kExhausted when there is no room.
  static Result<std::unique_ptr<StatsSegment>> Create(const StatsOptions& options);

  // What is at `path` and is no segment that this binary understands, or of another boot or size,
  // is renamed to `path`.old, with a line in the log that says what differs, and a fresh one begun.
  // Errors: kAlreadyExists when two processes use it and live, naming them; kPermission when the
  // file is not ours; kExhausted, kIo and others when none can be made. Each says so in full.
  static Result<std::unique_ptr<StatsSegment>> Attach(const std::string& path,
                                                      const StatsOptions& options);

  ~StatsSegment();
  StatsSegment(const StatsSegment&) = delete;
  StatsSegment& operator=(const StatsSegment&) = delete;

  uint32_t workers() const { return static_cast<uint32_t>(rows_.size()) - 1; }

  // The row of the main thread, and of worker 0 .. workers() - 1. A row has one writer: the caller
  // sees to it that only that thread uses the row's handles.
  StatsRow main_row() { return StatsRow(rows_[0].get()); }
  StatsRow worker_row(uint32_t worker);

  // Our bank, and a bit for each bank whose process lives. A system call.
  uint32_t bank() const { return bank_; }
  uint32_t LiveBanks() const;

  // As they were checked: what stands in shared memory may be damaged since.
  const StatsLimits& limits() const { return pages_->places().limits(); }
  uint64_t size() const { return memory_->size(); }
  const StatsPlaces<StatsSegmentHeader>& places() const { return pages_->places(); }

  // What to add to a monotonic time to have a wall time, as of the last attach of any process.
  Nanos clock_base() const;
  StatsUse use() const;
  // How often shared memory had no page, in this process.
  uint64_t page_failures() const { return pages_->failures(); }

  StatsMemory& memory() { return *memory_; }
  StatsSegmentHeader& header() { return memory_->header(); }
  const StatsSegmentHeader& header() const { return memory_->header(); }

 private:
  static Result<std::unique_ptr<StatsSegment>> Map(Fd fd, const StatsOptions& options);
  explicit StatsSegment(std::unique_ptr<StatsMemory> memory);

  // REQUIRES: a header with these limits has been checked, and the rest of it.
  Result<void> TakeBank(const StatsLimits& limits, uint32_t workers, const std::string& name);
  Result<void> TakeRows(uint32_t count, const std::string& name);
  void ForgetPredecessor();

  const std::unique_ptr<StatsMemory> memory_;
  uint32_t bank_ = kStatsBanks;      // none yet
  std::optional<StatsPages> pages_;  // from TakeBank on
  std::vector<std::unique_ptr<StatsRowPages>> rows_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_STATS_SEGMENT_H_
