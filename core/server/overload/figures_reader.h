// FiguresReader: what the machine, the process and its workers say for the OverloadWatch. Owned by
// the server; of the main thread. A read takes some ten microseconds, or more where a kernel before
// 6.2 is asked for the open files: that is done once in ten times only.
#ifndef SLUICE_CORE_SERVER_OVERLOAD_FIGURES_READER_H_
#define SLUICE_CORE_SERVER_OVERLOAD_FIGURES_READER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/server/connection_limit.h"
#include "core/server/overload/lag_peak.h"
#include "core/server/overload/overload_watch.h"
#include "core/server/system/kernel_file.h"

namespace sluice {

class FiguresReader {
 public:
  // `proc`: where /proc is; the cgroup's folder is what it says. The others outlive the reader.
  FiguresReader(const std::string& proc, const ConnectionLimit& connections, uint64_t fd_limit,
                LagPeak& lag);

  OverloadFigures Read();

 private:
  static constexpr int kCountFdsEvery = 10;

  // A cgroup that the process is in.
  struct Cgroup {
    KernelFile memory_max;
    KernelFile memory_current;
    KernelFile memory_stat;
  };

  // Of the limit of the nearest cgroup that has one; without what the kernel can take back at any
  // time, such as the cache of log files.
  std::optional<double> Memory();
  std::optional<double> MachineMemory();
  std::optional<double> Fds();

  const std::string proc_;
  std::vector<Cgroup> cgroups_;  // the process' own first, then those around it
  KernelFile machine_;
  const ConnectionLimit& connections_;
  const uint64_t fd_limit_;
  LagPeak& lag_;
  std::optional<double> counted_fds_;
  int until_count_ = 0;
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_OVERLOAD_FIGURES_READER_H_
