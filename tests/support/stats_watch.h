// StatsWatch: reads counters out of a stats file again and again, on a thread of its own, and keeps
// a line for each that was smaller than at the reading before.
#ifndef SLUICE_TESTS_SUPPORT_STATS_WATCH_H_
#define SLUICE_TESTS_SUPPORT_STATS_WATCH_H_

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace sluice::test {

// The sum of a counter's, or a gauge's, series whose labels contain `label`: `listener="web"`. As
// the file says now; fails the test if it cannot be read.
uint64_t ReadCounter(const std::string& path, std::string_view name, std::string_view label = {});
int64_t ReadGauge(const std::string& path, std::string_view name, std::string_view label = {});
// Processes that live by it, the latest first.
std::vector<int> LiveProcesses(const std::string& path);

class StatsWatch {
 public:
  // The file is there.
  explicit StatsWatch(std::string path);
  ~StatsWatch() { Stop(); }
  StatsWatch(const StatsWatch&) = delete;
  StatsWatch& operator=(const StatsWatch&) = delete;

  void Stop();
  uint64_t readings() const { return readings_; }
  std::string failures() const;

 private:
  void Run();
  void Compare(std::string_view name, uint64_t value, uint64_t& before);

  const std::string path_;
  std::atomic<bool> stop_{false};
  std::atomic<uint64_t> readings_{0};
  mutable std::mutex mutex_;
  std::string failures_;
  std::thread thread_;
};

}  // namespace sluice::test

#endif  // SLUICE_TESTS_SUPPORT_STATS_WATCH_H_
