// PressureFigures: for how long tasks waited for CPU, memory and I/O (PSI), of a cgroup or of the
// machine. Owned by the figures of either; of the main thread.
#ifndef SLUICE_CORE_SERVER_SYSTEM_PRESSURE_FIGURES_H_
#define SLUICE_CORE_SERVER_SYSTEM_PRESSURE_FIGURES_H_

#include <string>
#include <string_view>
#include <vector>

#include "core/server/system/figure.h"

namespace sluice {

class PressureFigures {
 public:
  // The files are `folder`/cpu`suffix`, memory`suffix`, io`suffix`.
  PressureFigures(StatsDirectory& directory, const Metric& metric, const std::string& folder,
                  std::string_view suffix);

  // `counting`: as CounterFigure::Update.
  void Sample(bool counting);

 private:
  struct Resource {
    std::string path;
    CounterFigure some;
    CounterFigure full;
  };

  std::vector<Resource> resources_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_SYSTEM_PRESSURE_FIGURES_H_
