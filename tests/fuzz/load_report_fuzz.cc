// Reports of load that endpoints send: whatever the text, what is taken from it are numbers that a
// load can be, and the weight that follows is one that a balancer can use.
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>

#include "core/base/check.h"
#include "core/upstream/balance/reported_load.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice;
  // A copy, so that the sanitizer sees its end.
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::optional<LoadReport> report = ParseLoadReport(text);
  if (!report) return 0;
  for (const double number :
       {report->application_utilization, report->cpu_utilization, report->rps, report->eps}) {
    CHECK(std::isfinite(number) && number >= 0);
  }
  UtilizationSettings settings;
  settings.blackout = 0;
  ReportedLoad load;
  load.Add(*report, kSecond, settings);
  const double weight = load.WeightAt(kSecond, settings);
  CHECK(weight >= 0 && weight <= 1e12);
  return 0;
}
