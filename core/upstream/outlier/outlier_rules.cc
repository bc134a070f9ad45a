#include "core/upstream/outlier/outlier_rules.h"

#include <algorithm>
#include <cmath>

namespace sluice {
namespace {

// What endpoints that are alike may differ by from their mean, for rounding alone.
constexpr double kRounding = 1e-9;

using Places = std::vector<size_t>;  // in the figures

double SuccessRate(const OutlierFigures& figures) {
  return static_cast<double>(figures.successes) / static_cast<double>(figures.requests);
}

void AddBySuccessRate(const OutlierSettings& settings, const std::vector<OutlierFigures>& figures,
                      const Places& compared, std::vector<Outlier>& found) {
  double sum = 0;
  for (const size_t i : compared) sum += SuccessRate(figures[i]);
  const double mean = sum / static_cast<double>(compared.size());
  double squares = 0;
  for (const size_t i : compared) squares += std::pow(SuccessRate(figures[i]) - mean, 2);
  const double deviation = std::sqrt(squares / static_cast<double>(compared.size()));
  const double bound = mean - settings.success_rate_deviations * deviation;
  for (const size_t i : compared) {
    const double rate = SuccessRate(figures[i]);
    if (rate < bound - kRounding) found.push_back({i, EjectionCause::kSuccessRate, rate, bound});
  }
}

void AddByFailures(const OutlierSettings& settings, const std::vector<OutlierFigures>& figures,
                   const Places& compared, std::vector<Outlier>& found) {
  for (const size_t i : compared) {
    const uint64_t failures = figures[i].requests - figures[i].successes;
    const double percentage =
        100 * static_cast<double>(failures) / static_cast<double>(figures[i].requests);
    if (percentage >= settings.failure_percentage - kRounding) {
      found.push_back(
          {i, EjectionCause::kFailurePercentage, percentage, settings.failure_percentage});
    }
  }
}

// An endpoint is compared with the median of the others: with few endpoints its own would move it.
void AddByLatency(const OutlierSettings& settings, const std::vector<OutlierFigures>& figures,
                  const Places& compared, std::vector<Outlier>& found) {
  std::vector<double> sorted;
  for (const size_t i : compared) {
    if (figures[i].latency > 0) sorted.push_back(static_cast<double>(figures[i].latency));
  }
  if (sorted.size() < std::max<size_t>(settings.min_endpoints, 2)) return;
  std::sort(sorted.begin(), sorted.end());
  const size_t others = sorted.size() - 1;
  for (const size_t i : compared) {
    const auto own = static_cast<double>(figures[i].latency);
    if (own == 0) continue;
    const auto at =
        static_cast<size_t>(std::lower_bound(sorted.begin(), sorted.end(), own) - sorted.begin());
    const auto other = [&](size_t place) { return sorted[place < at ? place : place + 1]; };
    const double median = (other((others - 1) / 2) + other(others / 2)) / 2;
    const double bound = settings.latency_factor * median;
    if (own > bound) found.push_back({i, EjectionCause::kLatency, own, bound});
  }
}

// How far it is beyond its bound, relative to others of the same cause.
double Excess(const Outlier& outlier) {
  return outlier.cause == EjectionCause::kSuccessRate ? -outlier.value : outlier.value;
}

Nanos LongestEjection(const OutlierSettings& settings) {
  return std::max(settings.ejection_time, settings.max_ejection_time);
}

}  // namespace

std::vector<Outlier> FindOutliers(const OutlierSettings& settings,
                                  const std::vector<OutlierFigures>& figures) {
  Places compared;
  for (size_t i = 0; i < figures.size(); ++i) {
    if (figures[i].requests >= std::max<uint64_t>(settings.min_requests, 1)) compared.push_back(i);
  }
  std::vector<Outlier> found;
  if (compared.empty() || compared.size() < settings.min_endpoints) return found;
  if (settings.success_rate_deviations > 0) AddBySuccessRate(settings, figures, compared, found);
  if (settings.failure_percentage > 0) AddByFailures(settings, figures, compared, found);
  if (settings.latency_factor > 0) AddByLatency(settings, figures, compared, found);
  std::stable_sort(found.begin(), found.end(), [](const Outlier& a, const Outlier& b) {
    return a.cause != b.cause ? a.cause < b.cause : Excess(a) > Excess(b);
  });
  std::vector<bool> seen(figures.size());
  std::erase_if(found, [&seen](const Outlier& outlier) {
    const bool again = seen[outlier.index];
    seen[outlier.index] = true;
    return again;
  });
  return found;
}

Nanos AverageLatency(Nanos average, Nanos mean) {
  return average == 0 ? mean : (average + mean) / 2;
}

bool MayEject(const OutlierSettings& settings, size_t endpoints, size_t ejected, size_t others) {
  if (others == 0) return false;
  const double share = settings.max_ejection_percent * static_cast<double>(endpoints) / 100;
  return static_cast<double>(ejected + 1) <= std::max(1.0, share + kRounding);
}

uint64_t NextEjection(const OutlierSettings& settings, uint64_t ejections) {
  const auto base = static_cast<uint64_t>(std::max<Nanos>(settings.ejection_time, 1));
  const auto longest = static_cast<uint64_t>(LongestEjection(settings));
  return std::min(ejections + 1, (longest + base - 1) / base);
}

Nanos EjectionTime(const OutlierSettings& settings, uint64_t ejection, Random& random) {
  const Nanos longest = LongestEjection(settings);
  const auto base = static_cast<uint64_t>(std::max<Nanos>(settings.ejection_time, 1));
  const Nanos time = ejection > static_cast<uint64_t>(longest) / base
                         ? longest
                         : static_cast<Nanos>(base * ejection);
  if (settings.ejection_jitter <= 0) return time;
  return time + static_cast<Nanos>(random.Below(static_cast<uint64_t>(settings.ejection_jitter)));
}

}  // namespace sluice
