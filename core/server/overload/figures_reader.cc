#include "core/server/overload/figures_reader.h"

#include "core/server/system/kernel_text.h"
#include "core/server/system/process_figures.h"

namespace sluice {
namespace {

double Share(uint64_t part, uint64_t all) {
  return static_cast<double>(part) / static_cast<double>(all);
}

}  // namespace

FiguresReader::FiguresReader(const std::string& proc, const ConnectionLimit& connections,
                             uint64_t fd_limit, LagPeak& lag)
    : proc_(proc),
      machine_(proc + "/meminfo"),
      connections_(connections),
      fd_limit_(fd_limit),
      lag_(lag) {
  std::string folder =
      CgroupFolder(ReadKernelFile(proc + "/self/cgroup"), ReadKernelFile(proc + "/self/mountinfo"));
  // Above the mounted tree, and at its root, there are no such files.
  while (folder.starts_with('/')) {
    if (!ReadKernelFile(folder + "/memory.max").empty()) {
      cgroups_.push_back({KernelFile(folder + "/memory.max"),
                          KernelFile(folder + "/memory.current"),
                          KernelFile(folder + "/memory.stat")});
    }
    folder.resize(folder.rfind('/'));
  }
}

OverloadFigures FiguresReader::Read() {
  OverloadFigures figures;
  figures.memory = Memory();
  figures.machine_memory = MachineMemory();
  if (connections_.most() > 0)
    figures.connections = Share(connections_.active(), connections_.most());
  figures.fds = Fds();
  figures.loop_lag = lag_.Take();
  return figures;
}

std::optional<double> FiguresReader::Memory() {
  for (Cgroup& cgroup : cgroups_) {
    const auto limit = OnlyNumber(cgroup.memory_max.Read());
    const auto used = OnlyNumber(cgroup.memory_current.Read());
    if (!limit || *limit == 0 || !used) continue;
    const uint64_t idle_files = NumberOf(cgroup.memory_stat.Read(), "inactive_file").value_or(0);
    return Share(*used > idle_files ? *used - idle_files : 0, *limit);
  }
  return std::nullopt;
}

std::optional<double> FiguresReader::MachineMemory() {
  const std::string_view machine = machine_.Read();
  const auto all = NumberOf(machine, "MemTotal");
  const auto available = NumberOf(machine, "MemAvailable");
  if (!all || !available || *all == 0 || *available > *all) return std::nullopt;
  return Share(*all - *available, *all);
}

std::optional<double> FiguresReader::Fds() {
  if (fd_limit_ == 0) return std::nullopt;
  const std::string folder = proc_ + "/self/fd";
  std::optional<uint64_t> open = CountedFds(folder);
  if (!open) {
    if (until_count_-- > 0) return counted_fds_;
    until_count_ = kCountFdsEvery - 1;
    open = CountFds(folder);
  }
  counted_fds_ = open ? std::optional(Share(*open, fd_limit_)) : std::nullopt;
  return counted_fds_;
}

}  // namespace sluice
