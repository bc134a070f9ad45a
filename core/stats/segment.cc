#include "core/stats/segment.h"

#include <unistd.h>

#include <utility>

#include "core/base/check.h"
#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/stats/layout.h"
#include "core/stats/segment_check.h"
#include "core/stats/segment_file.h"

namespace sluice {
namespace {

// How often others may make, take or set aside the file just before us.
constexpr int kTries = 16;
// How long another process may take to change the directory: microseconds, unless it is stopped.
constexpr Nanos kLockLimit = 2 * kSecond;

StatsFileOptions FileOptionsOf(const StatsOptions& options) {
  StatsFileOptions file;
  file.size = RoundUpToPage(options.size);
  file.limits = options.limits.value_or(StatsLimits::For(file.size));
  file.owner = options.owner;
  file.reserver = options.reserver;
  return file;
}

void Warn(const StatsOptions& options, const std::string& message) {
  if (options.warn) {
    options.warn(message);
  } else {
    Log(LogLevel::kWarning, "stats", message);
  }
}

std::string PidOf(const StatsSegmentHeader& header, uint32_t bank) {
  return std::string(Decimal(header.banks[bank].pid.load(std::memory_order_relaxed)).view());
}

Result<void> CheckOptions(const StatsOptions& options) {
  if (options.workers >= kStatsMaxRows) {
    return Fail(Code::kInvalidArgument,
                StrCat({"stats: at most ", Decimal(kStatsMaxRows - 1), " workers"}));
  }
  return CheckStatsFileOptions(FileOptionsOf(options));
}

// Everything, having reserved what it says to use. Under the directory's lock.
Result<StatsLimits> CheckAll(const std::string& path, StatsMemory& memory,
                             StatsMemory::Reserver reserver) {
  const auto found = CheckStatsFile(path, memory.fd(), memory.size(), reserver);
  if (!found) return Fail(found.error());
  const auto checked = CheckStatsContents(memory.header(), found->limits, found->size);
  if (!checked) return Fail(checked.error());
  return found->limits;
}

}  // namespace

Result<std::unique_ptr<StatsSegment>> StatsSegment::Create(const StatsOptions& options) {
  SLUICE_TRY(CheckOptions(options));
  Result<Fd> fd = MakeNamelessStatsFile(FileOptionsOf(options));
  if (!fd) return Fail(std::move(fd).error());
  auto segment = Map(std::move(*fd), options);
  if (!segment) return segment;
  SLUICE_TRY(
      (*segment)->TakeBank(FileOptionsOf(options).limits, options.workers, "an anonymous segment"));
  return segment;
}

Result<std::unique_ptr<StatsSegment>> StatsSegment::Attach(const std::string& path,
                                                           const StatsOptions& options) {
  SLUICE_TRY(CheckOptions(options));
  for (int i = 0; i < kTries; ++i) {
    Result<Fd> fd = OpenStatsFile(path, options.owner);
    if (!fd && fd.error().code != Code::kNotFound) return Fail(std::move(fd).error());
    if (!fd) {
      const Result<void> made = MakeStatsFile(path, FileOptionsOf(options));
      if (!made && made.error().code != Code::kAlreadyExists) return Fail(made.error());
      continue;  // ours, or another's that was faster
    }
    // Mapping touches nothing, and a hold is on the file, whatever is in it.
    auto segment = Map(std::move(*fd), options);
    if (!segment) return segment;
    StatsMemory& memory = (*segment)->memory();
    const StatsDirectoryHold hold(memory, kLockLimit);
    if (!hold.held()) {
      return Fail(Code::kTimeout, StrCat({"stats: the lock of ", path,
                                          " is held for long: is a process of it stopped?"}));
    }
    if (!IsStatsFileAt(path, memory.fd())) continue;
    Result<void> taken;
    if (const auto limits = CheckAll(path, memory, options.reserver); !limits) {
      taken = Fail(limits.error());
    } else {
      taken = (*segment)->TakeBank(*limits, options.workers, path);
    }
    if (taken) return segment;
    const Code code = taken.error().code;
    if (code != Code::kInvalidArgument && code != Code::kOverflow) {
      return Fail(std::move(taken).error());
    }
    Warn(options, StrCat({path, ": ", taken.error().detail, ": set aside as ", path,
                          ".old, counters start from zero"}));
    SLUICE_TRY(SetStatsFileAside(path));
  }
  return Fail(Code::kIo, StrCat({"stats: ", path, " was replaced again and again"}));
}

Result<std::unique_ptr<StatsSegment>> StatsSegment::Map(Fd fd, const StatsOptions& options) {
  auto memory =
      StatsMemory::Map(std::move(fd), RoundUpToPage(options.size), true, options.reserver);
  if (!memory) return Fail(std::move(memory).error());
  return std::unique_ptr<StatsSegment>(new StatsSegment(std::move(*memory)));
}

StatsSegment::StatsSegment(std::unique_ptr<StatsMemory> memory) : memory_(std::move(memory)) {}

StatsSegment::~StatsSegment() {
  if (bank_ == kStatsBanks) return;
  header().banks[bank_].owned.store(0, std::memory_order_release);
  // Not left to close(): a child that was forked in between may still hold the fd.
  memory_->Unlock(kStatsBankLock + bank_);
}

// The bank that was taken longest ago, or never. Under the directory's lock.
Result<void> StatsSegment::TakeBank(const StatsLimits& limits, uint32_t workers,
                                    const std::string& name) {
  pages_.emplace(*memory_, limits);
  uint32_t best = kStatsBanks;
  for (uint32_t i = 0; i < kStatsBanks; ++i) {
    if (memory_->IsLockedElsewhere(kStatsBankLock + i)) continue;
    if (best == kStatsBanks || header().banks[i].taken < header().banks[best].taken) best = i;
  }
  if (best == kStatsBanks) {
    return Fail(Code::kAlreadyExists, StrCat({"stats: two processes use ", name, " and live: ",
                                              PidOf(header(), 0), " and ", PidOf(header(), 1)}));
  }
  StatsBank& bank = header().banks[best];
  // Before the lock: from then on until it is set again, readers leave the bank's gauges out.
  bank.owned.store(0, std::memory_order_release);
  if (!memory_->TryLock(kStatsBankLock + best)) {
    return Fail(Code::kAlreadyExists, StrCat({"stats: a bank of ", name, " is locked"}));
  }
  bank_ = best;
  SLUICE_TRY(TakeRows(workers + 1, name));
  ForgetPredecessor();
  SystemClock clock;
  bank.taken.store(header().takings.fetch_add(1) + 1, std::memory_order_relaxed);
  bank.pid.store(static_cast<uint32_t>(getpid()), std::memory_order_relaxed);
  bank.start.store(clock.Wall() / kSecond, std::memory_order_relaxed);
  header().clock_base.store(clock.Wall() - clock.Monotonic(), std::memory_order_relaxed);
  bank.owned.store(1, std::memory_order_release);
  return {};
}

Result<void> StatsSegment::TakeRows(uint32_t count, const std::string& name) {
  StatsBank& bank = header().banks[bank_];
  for (uint32_t i = 0; i < count; ++i) {
    // What stands behind the rows in use was not checked: in a damaged file it need not be zero.
    const bool used = i < bank.rows_used.load(std::memory_order_relaxed);
    uint32_t page = used ? bank.rows[i].load(std::memory_order_relaxed) : 0;
    if (page == 0) {
      page = pages_->Take();
      if (page == 0 && pages_->exhausted()) {
        return Fail(Code::kOverflow,
                    StrCat({"no page of its ", Decimal(memory_->size()), " bytes is left"}));
      }
      if (page == 0) {
        return Fail(Code::kExhausted,
                    StrCat({"stats: no memory for the rows in ", name,
                            ": shared memory is full; make room, or set stats.path"}));
      }
      bank.rows[i].store(page, std::memory_order_release);
    }
    if (!used) bank.rows_used.store(i + 1, std::memory_order_release);
    auto* const row = places().Page<StatsRowHeader>(page);
    if (row == nullptr) {  // damaged since it was checked
      return Fail(Code::kInvalidArgument, StrCat({"the page of row ", Decimal(i), " is none"}));
    }
    rows_.push_back(std::make_unique<StatsRowPages>(*pages_, row));
  }
  return {};
}

// What belonged to the bank's last process alone: its gauges, and the use of series.
void StatsSegment::ForgetPredecessor() {
  const uint32_t count = places().series_count();
  for (uint32_t i = 0; i < count; ++i) {
    StatsSeriesEntry& series = *places().Series(i);
    series.users.fetch_and(~(1u << bank_), std::memory_order_acq_rel);
    const auto* const family = places().Family(series.family.load(std::memory_order_relaxed));
    if (family == nullptr || family->kind != static_cast<uint8_t>(MetricKind::kGauge)) continue;
    const uint32_t index = series.cell.load(std::memory_order_relaxed);
    places().ForEachRow(1u << bank_, [&](StatsRowHeader& row) {
      StatsCell* const cell = places().Scalar(row, index);
      if (cell != nullptr) cell->store(0, std::memory_order_relaxed);
    });
  }
}

StatsRow StatsSegment::worker_row(uint32_t worker) {
  CHECK(worker < workers());
  return StatsRow(rows_[worker + 1].get());
}

StatsUse StatsSegment::use() const {
  const StatsRegions regions = RegionsOf(header().limits);
  const uint64_t first = regions.pages / kStatsPage;
  const uint64_t used = header().pages_used.load(std::memory_order_relaxed);
  return {header().size, used > first ? (used - first) * kStatsPage : 0,
          header().series_count.load(std::memory_order_relaxed), header().limits.max_series};
}

uint32_t StatsSegment::LiveBanks() const {
  uint32_t live = 0;
  for (uint32_t bank = 0; bank < kStatsBanks; ++bank) {
    if (header().banks[bank].owned.load(std::memory_order_acquire) == 0) continue;
    if (bank == bank_ || memory_->IsLockedElsewhere(kStatsBankLock + bank)) live |= 1u << bank;
  }
  return live;
}

Nanos StatsSegment::clock_base() const {
  return header().clock_base.load(std::memory_order_relaxed);
}

}  // namespace sluice
