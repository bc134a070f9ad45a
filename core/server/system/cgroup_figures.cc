#include "core/server/system/cgroup_figures.h"

#include "core/server/system/kernel_text.h"

namespace sluice {
namespace {

constexpr auto kSince = CounterFigure::Since::kFirstSeen;
constexpr auto kLatest = GaugeOf::kLatestProcess;
constexpr Metric kEvents{"sluice_cgroup_memory_events_total",
                         "What memory.events of the cgroup counts, such as oom_kill."};
constexpr Metric kPressure{
    "sluice_cgroup_pressure_seconds_total",
    "Time in which some tasks of the cgroup, or all (full), waited for the resource.",
    MetricUnit::kMicroseconds};

}  // namespace

CgroupFigures::CgroupFigures(StatsDirectory& directory, const std::string& proc)
    : folder_(CgroupFolder(ReadKernelFile(proc + "/self/cgroup"),
                           ReadKernelFile(proc + "/self/mountinfo"))),
      cpu_stat_(folder_ + "/cpu.stat"),
      memory_current_(folder_ + "/memory.current"),
      memory_events_(folder_ + "/memory.events"),
      cpu_(directory,
           {"sluice_cgroup_cpu_seconds_total", "CPU time that the cgroup took.",
            MetricUnit::kMicroseconds},
           kSince),
      periods_(directory,
               {"sluice_cgroup_cpu_periods_total",
                "Periods of the CPU quota in which the cgroup had something to run."},
               kSince),
      throttled_periods_(directory,
                         {"sluice_cgroup_cpu_throttled_periods_total",
                          "Periods in which the CPU quota was used up and the cgroup stopped."},
                         kSince),
      throttled_(directory,
                 {"sluice_cgroup_cpu_throttled_seconds_total",
                  "Time for which the CPU quota stopped the cgroup, summed over the cores.",
                  MetricUnit::kMicroseconds},
                 kSince),
      quota_(directory, {"sluice_cgroup_cpu_quota_seconds",
                         "CPU time that the cgroup may take in each period; 0: no limit any more.",
                         MetricUnit::kMicroseconds, kLatest}),
      period_(directory, {"sluice_cgroup_cpu_quota_period_seconds", "The period of the CPU quota.",
                          MetricUnit::kMicroseconds, kLatest}),
      memory_(directory, {"sluice_cgroup_memory_bytes",
                          "Memory that the cgroup takes, the page cache of its files included.",
                          MetricUnit::kBytes, kLatest}),
      memory_max_(directory, {"sluice_cgroup_memory_max_bytes",
                              "Above it the kernel kills; 0: no limit any more.",
                              MetricUnit::kBytes, kLatest}),
      memory_high_(directory, {"sluice_cgroup_memory_high_bytes",
                               "Above it the kernel slows down; 0: no limit any more.",
                               MetricUnit::kBytes, kLatest}),
      pressure_(directory, kPressure, folder_, ".pressure") {
  for (const std::string_view key : {"low", "high", "max", "oom", "oom_kill"}) {
    events_.emplace_back(key, CounterFigure(directory, kEvents, kSince, {{"event", key}}));
  }
}

void CgroupFigures::Sample(bool counting) {
  if (folder_.empty()) return;
  const std::string_view cpu = cpu_stat_.Read();
  cpu_.Update(NumberOf(cpu, "usage_usec"), counting);
  periods_.Update(NumberOf(cpu, "nr_periods"), counting);
  throttled_periods_.Update(NumberOf(cpu, "nr_throttled"), counting);
  throttled_.Update(NumberOf(cpu, "throttled_usec"), counting);
  memory_.Set(OnlyNumber(memory_current_.Read()));
  const std::string_view memory_events = memory_events_.Read();
  for (auto& [key, figure] : events_) figure.Update(NumberOf(memory_events, key), counting);
}

void CgroupFigures::SampleAll(bool counting) {
  if (folder_.empty()) return;
  Sample(counting);
  if (const std::optional<CpuMax> max = ParseCpuMax(ReadKernelFile(folder_ + "/cpu.max"))) {
    quota_.SetLimit(max->quota);
    period_.Set(max->period);
  }
  memory_max_.SetLimit(OnlyNumber(ReadKernelFile(folder_ + "/memory.max")));
  memory_high_.SetLimit(OnlyNumber(ReadKernelFile(folder_ + "/memory.high")));
  pressure_.Sample(counting);
}

}  // namespace sluice
