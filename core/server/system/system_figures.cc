#include "core/server/system/system_figures.h"

#include <utility>

namespace sluice {

SystemFigures::SystemFigures(Loop& loop, StatsDirectory& directory, SystemSources sources)
    : sources_(std::move(sources)),
      process_(directory, sources_.proc),
      cgroup_(directory, sources_.proc),
      host_(directory, sources_.proc),
      log_volume_(directory),
      accept_queues_(directory),
      timer_(loop, Callback::To<&SystemFigures::OnTimer>(this)) {
  SampleAll();
  timer_.Start(kEvery);
}

void SystemFigures::SetServing(bool serving) {
  if (serving == serving_) return;
  SampleAll();  // what was before is whose it was
  serving_ = serving;
}

void SystemFigures::SampleAll() {
  process_.SampleAll();
  cgroup_.SampleAll(serving_);
  host_.SampleAll(serving_);
  log_volume_.Sample(sources_.log_paths());
  accept_queues_.Sample(sources_.sockets(), serving_);
}

void SystemFigures::OnTimer() {
  timer_.Start(kEvery);
  if (--until_all_ == 0) {
    until_all_ = kAllEvery;
    return SampleAll();
  }
  process_.Sample();
  cgroup_.Sample(serving_);
  accept_queues_.Sample(sources_.sockets(), serving_);
}

}  // namespace sluice
