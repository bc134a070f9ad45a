// What the kernel's text files say: /proc, and a cgroup's. Pure functions of the text, for any
// thread. A field that is not there, or is not what it should be, is nothing; no text is an error.
#ifndef SLUICE_CORE_SERVER_SYSTEM_KERNEL_TEXT_H_
#define SLUICE_CORE_SERVER_SYSTEM_KERNEL_TEXT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

// The number of the line that begins with `key`: "key 12" as in cpu.stat and memory.events, or
// "key:   12 kB", in bytes then, as in /proc/meminfo and /proc/PID/status.
std::optional<uint64_t> NumberOf(std::string_view text, std::string_view key);

// Of /proc/net/snmp and netstat: pairs of lines, "Tcp: NAME NAME ..." and "Tcp: NUMBER NUMBER ...".
// `group`: with its colon.
std::optional<uint64_t> NumberInGroup(std::string_view text, std::string_view group,
                                      std::string_view key);

// A file with one number: memory.current; memory.max, where "max" is nothing.
std::optional<uint64_t> OnlyNumber(std::string_view text);

// Of a pressure file: for how many microseconds some, or all ("full"), waited. `stall`: "some".
std::optional<uint64_t> PressureTotal(std::string_view text, std::string_view stall);

// /proc/PID/stat.
struct ProcessStat {
  uint64_t threads = 0;
  uint64_t virtual_bytes = 0;
  uint64_t resident_pages = 0;
};
std::optional<ProcessStat> ParseProcessStat(std::string_view text);

// A cgroup's cpu.max: microseconds of CPU time in each period; no quota: no limit.
struct CpuMax {
  std::optional<uint64_t> quota;
  uint64_t period = 0;
};
std::optional<CpuMax> ParseCpuMax(std::string_view text);

// A line of /proc/net/dev.
struct InterfaceTraffic {
  std::string name;
  uint64_t received_bytes = 0;
  uint64_t received_drops = 0;
  uint64_t sent_bytes = 0;
  uint64_t sent_drops = 0;
};
std::vector<InterfaceTraffic> ParseInterfaces(std::string_view text);

// The folder of the process' cgroup v2, from its /proc/self/cgroup and /proc/self/mountinfo. Empty:
// it is in none that it can see.
std::string CgroupFolder(std::string_view cgroup, std::string_view mountinfo);

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_SYSTEM_KERNEL_TEXT_H_
