// ProcessFigures: what this process takes of the machine: CPU, memory, files. Owned by
// SystemFigures; of the main thread.
#ifndef SLUICE_CORE_SERVER_SYSTEM_PROCESS_FIGURES_H_
#define SLUICE_CORE_SERVER_SYSTEM_PROCESS_FIGURES_H_

#include <cstdint>
#include <optional>
#include <string>

#include "core/server/system/figure.h"
#include "core/server/system/kernel_file.h"

namespace sluice {

class ProcessFigures {
 public:
  // `proc`: where /proc is. The directory outlives them.
  ProcessFigures(StatsDirectory& directory, std::string proc);

  // Takes a few microseconds.
  void Sample();
  // And what takes longer.
  void SampleAll();

 private:
  const std::string proc_;
  KernelFile stat_;
  CounterFigure user_cpu_;
  CounterFigure system_cpu_;
  CounterFigure voluntary_switches_;
  CounterFigure involuntary_switches_;
  CounterFigure major_faults_;
  GaugeFigure resident_;
  GaugeFigure peak_;
  GaugeFigure swapped_;
  GaugeFigure virtual_;
  GaugeFigure threads_;
  GaugeFigure open_fds_;
  GaugeFigure max_fds_;
};

// How many files a process has open, from the folder with their names; at once where Linux (6.2 and
// later) says their number with the folder's size, or nothing.
std::optional<uint64_t> CountedFds(const std::string& folder);
std::optional<uint64_t> CountFds(const std::string& folder);

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_SYSTEM_PROCESS_FIGURES_H_
