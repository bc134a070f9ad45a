#include "core/server/overload/overload_watch.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/config/config.pb.h"
#include "core/stats/directory.h"

namespace sluice {
namespace {

constexpr std::string_view kResourceNames[] = {"memory", "connections", "fds", "loop_lag"};
constexpr std::string_view kStepNames[] = {"stop_keep_alive", "shed_low_priority",
                                           "refuse_connections"};
constexpr std::string_view kMeanings[] = {"responses close their connections",
                                          "requests of low priority are answered 503",
                                          "new connections are refused"};

OverloadSteps::Thresholds SharesOf(const config::OverloadSteps& config) {
  return {config.stop_keep_alive() / 100, config.shed_low_priority() / 100,
          config.refuse_connections() / 100};
}

OverloadSteps::Thresholds TimesOf(const config::OverloadLagSteps& config) {
  return {static_cast<double>(config.stop_keep_alive()),
          static_cast<double>(config.shed_low_priority()),
          static_cast<double>(config.refuse_connections())};
}

// 86%, 0.1%, or 120ms.
std::string Text(bool time, double figure) {
  const auto tenths =
      static_cast<uint64_t>(std::lround((time ? figure / kMillisecond : figure * 100) * 10));
  std::string text = StrCat({Decimal(tenths / 10)});
  if (tenths % 10 != 0) text += StrCat({".", Decimal(tenths % 10)});
  return text + (time ? "ms" : "%");
}

// As in the schema.
constexpr OverloadSteps::Thresholds kUsual = {0.85, 0.90, 0.95};

}  // namespace

OverloadWatch::OverloadWatch(Loop& loop, StatsDirectory& directory, ServerStatus& status,
                             std::function<OverloadFigures()> read,
                             std::function<void(bool taken)> stop_keep_alive)
    : status_(status),
      read_(std::move(read)),
      stop_keep_alive_(std::move(stop_keep_alive)),
      timer_(loop, Callback::To<&OverloadWatch::OnTimer>(this)) {
  const Metric metric{"sluice_overload_step",
                      "1 while the step is taken because the resource runs short.",
                      MetricUnit::kNone, GaugeOf::kLatestProcess};
  for (size_t i = 0; i < kResources; ++i) {
    for (size_t step = 0; step < kOverloadSteps; ++step) {
      gauges_[i][step] = directory.main_row().gauge(
          directory.Gauge(metric, {{"resource", kResourceNames[i]}, {"step", kStepNames[step]}}));
    }
  }
  timer_.Start(kEvery);
}

void OverloadWatch::Use(const config::Overload& config) {
  const auto shares = [](bool has, const config::OverloadSteps& steps) {
    return has ? SharesOf(steps) : OverloadSteps::Thresholds{};
  };
  machine_memory_ = config.has_memory();
  resources_[kMemory].set_thresholds(config.has_memory() ? SharesOf(config.memory()) : kUsual);
  resources_[kConnections].set_thresholds(shares(config.has_connections(), config.connections()));
  resources_[kFds].set_thresholds(shares(config.has_fds(), config.fds()));
  resources_[kLoopLag].set_thresholds(config.has_loop_lag() ? TimesOf(config.loop_lag())
                                                            : OverloadSteps::Thresholds{});
}

void OverloadWatch::OnTimer() {
  timer_.Start(kEvery);
  Look();
}

void OverloadWatch::Look() {
  const OverloadFigures figures = read_();
  const std::optional<double> memory =
      figures.memory || !machine_memory_ ? figures.memory : figures.machine_memory;
  Update(kMemory, memory.value_or(0));
  Update(kConnections, figures.connections.value_or(0));
  Update(kFds, figures.fds.value_or(0));
  Update(kLoopLag, static_cast<double>(figures.loop_lag.value_or(0)));
}

void OverloadWatch::Update(Resource resource, double figure) {
  OverloadSteps& steps = resources_[resource];
  std::array<bool, kOverloadSteps> changed{};
  steps.Update(figure, [&](OverloadStep step) { changed[static_cast<size_t>(step)] = true; });
  // Who reads of it in the log finds it so.
  Publish();
  for (size_t i = 0; i < kOverloadSteps; ++i) {
    if (!changed[i]) continue;
    const auto step = static_cast<OverloadStep>(i);
    const bool taken = steps.taken(step);
    gauges_[resource][i].Set(taken ? 1 : 0);
    const std::string now =
        StrCat({kResourceNames[resource], " ", Text(resource == kLoopLag, figure), ": "});
    if (taken) {
      Log(LogLevel::kWarning, "overload",
          StrCat({now, kMeanings[i], " (", kStepNames[i], ", from ",
                  Text(resource == kLoopLag, steps.threshold(step)), " on)"}));
    } else {
      Log(LogLevel::kInfo, "overload", StrCat({now, kStepNames[i], " is taken back"}));
    }
  }
}

void OverloadWatch::Publish() {
  for (size_t i = 0; i < kOverloadSteps; ++i) {
    const auto step = static_cast<OverloadStep>(i);
    const bool taken =
        std::any_of(resources_.begin(), resources_.end(),
                    [step](const OverloadSteps& steps) { return steps.taken(step); });
    if (taken == status_.overloaded(step)) continue;
    status_.set_overloaded(step, taken);
    if (step == OverloadStep::kStopKeepAlive) stop_keep_alive_(taken);
  }
}

}  // namespace sluice
