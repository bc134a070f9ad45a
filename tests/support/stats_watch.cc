#include "tests/support/stats_watch.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <map>
#include <memory>
#include <utility>

#include "core/stats/stats_file.h"

namespace sluice::test {
namespace {

constexpr int kPauseMs = 3;

// Calls visit(series) for each of this name whose labels contain `label`.
template <typename Visit>
void ForEachSeries(const StatsReader& reader, std::string_view name, std::string_view label,
                   Visit visit) {
  StatsReader::Series series;
  for (uint32_t i = 0; i < reader.series_count(); ++i) {
    if (!reader.Read(i, series) || reader.family(series.family).name != name) continue;
    if (series.labels.find(label) != std::string::npos) visit(series);
  }
}

std::unique_ptr<StatsFile> OpenOrFail(const std::string& path) {
  auto file = StatsFile::Open(path);
  if (file) return std::move(*file);
  ADD_FAILURE() << file.error().detail;
  return nullptr;
}

}  // namespace

uint64_t ReadCounter(const std::string& path, std::string_view name, std::string_view label) {
  const auto file = OpenOrFail(path);
  uint64_t sum = 0;
  if (file == nullptr) return sum;
  const StatsReader reader = file->reader();
  ForEachSeries(reader, name, label, [&](const auto& s) { sum += reader.counter(s.id); });
  return sum;
}

int64_t ReadGauge(const std::string& path, std::string_view name, std::string_view label) {
  const auto file = OpenOrFail(path);
  int64_t sum = 0;
  if (file == nullptr) return sum;
  const StatsReader reader = file->reader();
  ForEachSeries(reader, name, label, [&](const auto& s) { sum += reader.gauge(s.id); });
  return sum;
}

std::vector<int> LiveProcesses(const std::string& path) {
  std::vector<int> pids;
  const auto file = StatsFile::Open(path);
  if (!file) return pids;
  for (const StatsFile::Process& process : (*file)->processes()) {
    if (process.live) pids.push_back(static_cast<int>(process.pid));
  }
  return pids;
}

StatsWatch::StatsWatch(std::string path) : path_(std::move(path)), thread_([this] { Run(); }) {}

void StatsWatch::Stop() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

std::string StatsWatch::failures() const {
  const std::lock_guard lock(mutex_);
  return failures_;
}

void StatsWatch::Compare(std::string_view name, uint64_t value, uint64_t& before) {
  if (value < before) {
    const std::lock_guard lock(mutex_);
    failures_ += std::string(name) + " was " + std::to_string(before) + ", then " +
                 std::to_string(value) + "\n";
  }
  before = value;
}

void StatsWatch::Run() {
  std::unique_ptr<StatsFile> file;
  std::map<std::string, uint64_t> before;
  while (!stop_) {
    if (file == nullptr || file->replaced()) {
      auto opened = StatsFile::Open(path_);
      if (!opened) {
        const std::lock_guard lock(mutex_);
        failures_ += opened.error().detail + "\n";
        return;
      }
      before.clear();  // one that was begun anew counts from zero
      file = std::move(*opened);
    }
    const StatsReader reader = file->reader();
    StatsReader::Series series;
    for (uint32_t i = 0; i < reader.series_count(); ++i) {
      if (!reader.Read(i, series)) continue;
      const StatsReader::Family family = reader.family(series.family);
      if (family.kind != MetricKind::kCounter) continue;
      const std::string name = std::string(family.name) + "{" + series.labels + "}";
      Compare(name, reader.counter(series.id), before[name]);
    }
    ++readings_;
    poll(nullptr, 0, kPauseMs);
  }
}

}  // namespace sluice::test
