// CgroupFigures: what the process' cgroup (v2) takes and may take: in a container, all of it. The
// cgroup is found once; without one there are no figures. Owned by SystemFigures; of the main
// thread.
#ifndef SLUICE_CORE_SERVER_SYSTEM_CGROUP_FIGURES_H_
#define SLUICE_CORE_SERVER_SYSTEM_CGROUP_FIGURES_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/server/system/figure.h"
#include "core/server/system/kernel_file.h"
#include "core/server/system/pressure_figures.h"

namespace sluice {

class CgroupFigures {
 public:
  // `proc`: where /proc is; the cgroup's folder is what it says. The directory outlives them.
  CgroupFigures(StatsDirectory& directory, const std::string& proc);

  // Takes some ten microseconds. `counting`: as CounterFigure::Update.
  void Sample(bool counting);
  // And what takes longer, or seldom changes.
  void SampleAll(bool counting);

 private:
  const std::string folder_;
  KernelFile cpu_stat_;
  KernelFile memory_current_;
  KernelFile memory_events_;
  CounterFigure cpu_;
  CounterFigure periods_;
  CounterFigure throttled_periods_;
  CounterFigure throttled_;
  GaugeFigure quota_;
  GaugeFigure period_;
  GaugeFigure memory_;
  GaugeFigure memory_max_;
  GaugeFigure memory_high_;
  std::vector<std::pair<std::string_view, CounterFigure>> events_;  // by their key
  PressureFigures pressure_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_SYSTEM_CGROUP_FIGURES_H_
