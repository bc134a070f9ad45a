// HostFigures: of the machine, or of the network namespace that the process is in. Owned by
// SystemFigures; of the main thread.
#ifndef SLUICE_CORE_SERVER_SYSTEM_HOST_FIGURES_H_
#define SLUICE_CORE_SERVER_SYSTEM_HOST_FIGURES_H_

#include <string>
#include <unordered_map>

#include "core/server/system/figure.h"
#include "core/server/system/kernel_text.h"
#include "core/server/system/pressure_figures.h"

namespace sluice {

class HostFigures {
 public:
  // `proc`: where /proc is. The directory outlives them.
  HostFigures(StatsDirectory& directory, std::string proc);

  // `counting`: as CounterFigure::Update.
  void SampleAll(bool counting);

 private:
  void SampleNetwork(bool counting);

  const std::string proc_;
  CounterFigure listen_overflows_;
  CounterFigure listen_drops_;
  CounterFigure sent_segments_;
  CounterFigure retransmits_;
  CounterFigure received_;
  CounterFigure sent_;
  CounterFigure received_drops_;
  CounterFigure sent_drops_;
  GaugeFigure memory_;
  GaugeFigure memory_available_;
  PressureFigures pressure_;
  // Over all interfaces, those that are gone included: a sum that does not fall when one goes.
  InterfaceTraffic traffic_;
  std::unordered_map<std::string, InterfaceTraffic> interfaces_;  // as last seen
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_SYSTEM_HOST_FIGURES_H_
