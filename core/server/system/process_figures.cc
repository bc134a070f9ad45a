#include "core/server/system/process_figures.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <utility>

#include "core/base/strings.h"
#include "core/server/system/kernel_text.h"

namespace sluice {
namespace {

constexpr auto kSince = CounterFigure::Since::kProcessStart;
constexpr Metric kCpu{"sluice_process_cpu_seconds_total", "CPU time that the process took.",
                      MetricUnit::kMicroseconds};
constexpr Metric kSwitches{
    "sluice_process_context_switches_total",
    "Times that a thread of the process gave its core away, or was made to (involuntary)."};

uint64_t Micros(const timeval& time) {
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000 + static_cast<uint64_t>(time.tv_usec);
}

}  // namespace

ProcessFigures::ProcessFigures(StatsDirectory& directory, std::string proc)
    : proc_(std::move(proc)),
      stat_(proc_ + "/self/stat"),
      user_cpu_(directory, kCpu, kSince, {{"mode", "user"}}),
      system_cpu_(directory, kCpu, kSince, {{"mode", "system"}}),
      voluntary_switches_(directory, kSwitches, kSince, {{"kind", "voluntary"}}),
      involuntary_switches_(directory, kSwitches, kSince, {{"kind", "involuntary"}}),
      major_faults_(directory,
                    {"sluice_process_major_page_faults_total",
                     "Times that the process waited for the disk because memory was not in RAM."},
                    kSince),
      resident_(directory, {"sluice_process_resident_memory_bytes",
                            "Memory of the process that is in RAM.", MetricUnit::kBytes}),
      peak_(directory, {"sluice_process_peak_resident_memory_bytes",
                        "The most that was in RAM at a time.", MetricUnit::kBytes}),
      swapped_(directory, {"sluice_process_swapped_memory_bytes",
                           "Memory of the process that is swapped out.", MetricUnit::kBytes}),
      virtual_(directory, {"sluice_process_virtual_memory_bytes", "Address space of the process.",
                           MetricUnit::kBytes}),
      threads_(directory, {"sluice_process_threads", "Threads of the process."}),
      open_fds_(directory, {"sluice_process_open_fds", "Open file descriptors."}),
      max_fds_(directory, {"sluice_process_max_fds", "The limit of open file descriptors.",
                           MetricUnit::kNone, GaugeOf::kLatestProcess}) {}

void ProcessFigures::Sample() {
  // Of all threads: what /proc/self/status says of context switches is the main thread's alone.
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) == 0) {
    user_cpu_.Update(Micros(usage.ru_utime));
    system_cpu_.Update(Micros(usage.ru_stime));
    voluntary_switches_.Update(static_cast<uint64_t>(usage.ru_nvcsw));
    involuntary_switches_.Update(static_cast<uint64_t>(usage.ru_nivcsw));
    major_faults_.Update(static_cast<uint64_t>(usage.ru_majflt));
  }
  if (const std::optional<ProcessStat> stat = ParseProcessStat(stat_.Read())) {
    threads_.Set(stat->threads);
    virtual_.Set(stat->virtual_bytes);
    resident_.Set(stat->resident_pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)));
  }
  open_fds_.Set(CountedFds(proc_ + "/self/fd"));
}

void ProcessFigures::SampleAll() {
  Sample();
  if (!CountedFds(proc_ + "/self/fd")) open_fds_.Set(CountFds(proc_ + "/self/fd"));
  const std::string status = ReadKernelFile(proc_ + "/self/status");
  peak_.Set(NumberOf(status, "VmHWM"));
  swapped_.Set(NumberOf(status, "VmSwap"));
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) max_fds_.Set(limit.rlim_cur);
}

std::optional<uint64_t> CountedFds(const std::string& folder) {
  struct stat about {};
  if (stat(folder.c_str(), &about) != 0 || about.st_size <= 0) return std::nullopt;
  return static_cast<uint64_t>(about.st_size);
}

std::optional<uint64_t> CountFds(const std::string& folder) {
  DIR* const directory = opendir(folder.c_str());
  if (directory == nullptr) return std::nullopt;
  uint64_t count = 0;
  while (readdir(directory) != nullptr) ++count;
  closedir(directory);
  return count < 3 ? 0 : count - 3;  // ".", ".." and the directory's own
}

}  // namespace sluice
