// OverloadSteps: which steps are taken while a figure is high, of one resource. Pure; of the main
// thread.
#ifndef SLUICE_CORE_SERVER_OVERLOAD_OVERLOAD_STEPS_H_
#define SLUICE_CORE_SERVER_OVERLOAD_OVERLOAD_STEPS_H_

#include <array>

#include "core/filter/factory.h"

namespace sluice {

class OverloadSteps {
 public:
  // From what figure on each step is taken; 0: never.
  using Thresholds = std::array<double, kOverloadSteps>;

  // One that is taken is taken back when the figure is below so much of its threshold.
  static constexpr double kTakenBackBelow = 0.95;

  void set_thresholds(const Thresholds& thresholds) { thresholds_ = thresholds; }
  double threshold(OverloadStep step) const { return thresholds_[static_cast<size_t>(step)]; }

  bool taken(OverloadStep step) const { return taken_[static_cast<size_t>(step)]; }
  // changed(step) is called for each step that is taken now, or not any more.
  template <typename Changed>
  void Update(double figure, Changed changed) {
    for (size_t i = 0; i < kOverloadSteps; ++i) {
      const double from = thresholds_[i];
      const bool takes = from > 0 && figure >= (taken_[i] ? from * kTakenBackBelow : from);
      if (takes == taken_[i]) continue;
      taken_[i] = takes;
      changed(static_cast<OverloadStep>(i));
    }
  }

 private:
  Thresholds thresholds_{};
  std::array<bool, kOverloadSteps> taken_{};
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_OVERLOAD_OVERLOAD_STEPS_H_
