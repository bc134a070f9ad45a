#include "core/stats/stats_file.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "core/base/strings.h"
#include "core/stats/layout.h"
#include "core/stats/segment_check.h"
#include "core/stats/segment_file.h"

namespace sluice {

namespace {

constexpr int kTries = 3;

}  // namespace

std::string StatsFile::DefaultPath(std::string_view id) { return StrCat({"/dev/shm/sluice.", id}); }

Result<std::unique_ptr<StatsFile>> StatsFile::Open(const std::string& path) {
  Result<Fd> fd = OpenStatsFileForReading(path);
  if (!fd) return Fail(std::move(fd).error());
  Result<StatsFileFound> found = CheckStatsFile(path, fd->get(), 0, nullptr);
  for (int i = 0; i < kTries && !found; ++i) found = CheckStatsFile(path, fd->get(), 0, nullptr);
  if (!found) return Fail(found.error().code, StrCat({path, ": ", found.error().detail}));
  auto memory = StatsMemory::Map(std::move(*fd), found->size, false);
  if (!memory) return Fail(std::move(memory).error());
  // In use, its header or an entry may have been seen half changed: not twice in a row.
  Result<void> checked = CheckStatsContents((*memory)->header(), found->limits, found->size);
  for (int i = 0; i < kTries && !checked; ++i) {
    checked = CheckStatsContents((*memory)->header(), found->limits, found->size);
  }
  if (!checked) return Fail(checked.error().code, StrCat({path, ": ", checked.error().detail}));
  return std::unique_ptr<StatsFile>(new StatsFile(path, std::move(*memory), found->limits));
}

StatsFile::StatsFile(std::string path, std::unique_ptr<StatsMemory> memory,
                     const StatsLimits& limits)
    : path_(std::move(path)), memory_(std::move(memory)), limits_(limits) {}

StatsReader StatsFile::reader() const {
  return StatsReader(memory_->header(), limits_, memory_->size(), LiveBanks());
}

std::vector<StatsFile::Process> StatsFile::processes() const {
  const uint32_t live = LiveBanks();
  std::vector<std::pair<uint32_t, Process>> taken;
  for (uint32_t i = 0; i < kStatsBanks; ++i) {
    const StatsBank& bank = memory_->header().banks[i];
    const uint32_t order = bank.taken.load(std::memory_order_acquire);
    if (order == 0) continue;
    taken.push_back({order,
                     {bank.pid.load(std::memory_order_relaxed),
                      bank.start.load(std::memory_order_relaxed), (live >> i & 1) != 0}});
  }
  std::sort(taken.begin(), taken.end(),
            [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<Process> processes;
  for (const auto& [order, process] : taken) processes.push_back(process);
  return processes;
}

bool StatsFile::replaced() const { return !IsStatsFileAt(path_, memory_->fd()); }

uint32_t StatsFile::LiveBanks() const {
  uint32_t live = 0;
  for (uint32_t i = 0; i < kStatsBanks; ++i) {
    if (memory_->header().banks[i].owned.load(std::memory_order_acquire) != 0 &&
        memory_->IsLockedElsewhere(kStatsBankLock + i)) {
      live |= 1u << i;
    }
  }
  return live;
}

}  // namespace sluice
