#include "core/server/system/host_figures.h"

#include <utility>

#include "core/server/system/kernel_file.h"

namespace sluice {
namespace {

constexpr auto kSince = CounterFigure::Since::kFirstSeen;
constexpr auto kLatest = GaugeOf::kLatestProcess;
constexpr Metric kBytes{"sluice_host_network_bytes_total",
                        "Bytes over all network interfaces but loopback."};
constexpr Metric kDrops{"sluice_host_network_dropped_packets_total",
                        "Packets that the network interfaces dropped, but loopback."};
constexpr Metric kPressure{
    "sluice_host_pressure_seconds_total",
    "Time in which some tasks of the machine, or all (full), waited for the resource.",
    MetricUnit::kMicroseconds};

uint64_t Growth(uint64_t now, uint64_t before) { return now > before ? now - before : 0; }

}  // namespace

HostFigures::HostFigures(StatsDirectory& directory, std::string proc)
    : proc_(std::move(proc)),
      listen_overflows_(directory,
                        {"sluice_host_listen_overflows_total",
                         "Connections that a full accept queue turned away, of all programs."},
                        kSince),
      listen_drops_(directory,
                    {"sluice_host_listen_drops_total",
                     "Connections that listening sockets dropped for any reason, of all programs."},
                    kSince),
      sent_segments_(directory, {"sluice_host_tcp_sent_segments_total", "TCP segments sent."},
                     kSince),
      retransmits_(directory,
                   {"sluice_host_tcp_retransmitted_segments_total", "TCP segments sent again."},
                   kSince),
      received_(directory, kBytes, kSince, {{"direction", "received"}}),
      sent_(directory, kBytes, kSince, {{"direction", "sent"}}),
      received_drops_(directory, kDrops, kSince, {{"direction", "received"}}),
      sent_drops_(directory, kDrops, kSince, {{"direction", "sent"}}),
      memory_(directory,
              {"sluice_host_memory_bytes", "RAM of the machine.", MetricUnit::kBytes, kLatest}),
      memory_available_(directory, {"sluice_host_memory_available_bytes",
                                    "RAM that programs may take before the machine swaps.",
                                    MetricUnit::kBytes, kLatest}),
      pressure_(directory, kPressure, proc_ + "/pressure", "") {}

void HostFigures::SampleAll(bool counting) {
  const std::string netstat = ReadKernelFile(proc_ + "/net/netstat");
  listen_overflows_.Update(NumberInGroup(netstat, "TcpExt:", "ListenOverflows"), counting);
  listen_drops_.Update(NumberInGroup(netstat, "TcpExt:", "ListenDrops"), counting);
  const std::string snmp = ReadKernelFile(proc_ + "/net/snmp");
  sent_segments_.Update(NumberInGroup(snmp, "Tcp:", "OutSegs"), counting);
  retransmits_.Update(NumberInGroup(snmp, "Tcp:", "RetransSegs"), counting);
  SampleNetwork(counting);
  const std::string memory = ReadKernelFile(proc_ + "/meminfo");
  memory_.Set(NumberOf(memory, "MemTotal"));
  memory_available_.Set(NumberOf(memory, "MemAvailable"));
  pressure_.Sample(counting);
}

void HostFigures::SampleNetwork(bool counting) {
  std::unordered_map<std::string, InterfaceTraffic> now;
  for (InterfaceTraffic& traffic : ParseInterfaces(ReadKernelFile(proc_ + "/net/dev"))) {
    if (traffic.name == "lo") continue;
    if (const auto before = interfaces_.find(traffic.name); before != interfaces_.end()) {
      const InterfaceTraffic& was = before->second;
      traffic_.received_bytes += Growth(traffic.received_bytes, was.received_bytes);
      traffic_.sent_bytes += Growth(traffic.sent_bytes, was.sent_bytes);
      traffic_.received_drops += Growth(traffic.received_drops, was.received_drops);
      traffic_.sent_drops += Growth(traffic.sent_drops, was.sent_drops);
    }
    std::string name = traffic.name;
    now.emplace(std::move(name), std::move(traffic));
  }
  interfaces_ = std::move(now);
  if (interfaces_.empty()) return;
  received_.Update(traffic_.received_bytes, counting);
  sent_.Update(traffic_.sent_bytes, counting);
  received_drops_.Update(traffic_.received_drops, counting);
  sent_drops_.Update(traffic_.sent_drops, counting);
}

}  // namespace sluice
