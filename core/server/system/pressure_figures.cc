#include "core/server/system/pressure_figures.h"

#include "core/base/strings.h"
#include "core/server/system/kernel_file.h"
#include "core/server/system/kernel_text.h"

namespace sluice {

PressureFigures::PressureFigures(StatsDirectory& directory, const Metric& metric,
                                 const std::string& folder, std::string_view suffix) {
  constexpr auto kSince = CounterFigure::Since::kFirstSeen;
  for (const std::string_view name : {"cpu", "memory", "io"}) {
    resources_.push_back(
        {StrCat({folder, "/", name, suffix}),
         CounterFigure(directory, metric, kSince, {{"resource", name}, {"stall", "some"}}),
         CounterFigure(directory, metric, kSince, {{"resource", name}, {"stall", "full"}})});
  }
}

void PressureFigures::Sample(bool counting) {
  for (Resource& resource : resources_) {
    const std::string text = ReadKernelFile(resource.path);
    resource.some.Update(PressureTotal(text, "some"), counting);
    resource.full.Update(PressureTotal(text, "full"), counting);
  }
}

}  // namespace sluice
