#include "filters/fault/plan.h"

#include <algorithm>
#include <optional>

#include "core/base/strings.h"
#include "core/config/units.h"
#include "filters/fault/fault.pb.h"

namespace sluice::fault {
namespace {

bool IsFaultHeader(const Headers::Entry& entry) {
  return entry.id == HeaderId::kOther && entry.name.size() > kHeaderPrefix.size() &&
         EqualsIgnoreCase(entry.name.substr(0, kHeaderPrefix.size()), kHeaderPrefix);
}

// "250ms", or a number of milliseconds.
std::optional<Nanos> ReadDelay(std::string_view text) {
  if (const auto milliseconds = ParseDecimal(text)) {
    constexpr uint64_t kMost = 1'000'000'000;
    return static_cast<Nanos>(std::min(*milliseconds, kMost)) * kMillisecond;
  }
  return ParseDuration(text);
}

// "50%" or "50".
std::optional<double> ReadPercent(std::string_view text) {
  const auto percent = text.ends_with('%') ? ParsePercent(text) : ParseNumber(text);
  if (!percent || *percent < 0 || *percent > 100) return {};
  return percent;
}

std::optional<uint16_t> ReadStatus(std::string_view text) {
  const auto status = ParseDecimal(text);
  if (!status || *status < 200 || *status > 599) return {};
  return static_cast<uint16_t>(*status);
}

struct Asked {
  std::optional<Nanos> delay;
  std::optional<double> delay_percent;
  std::optional<uint16_t> abort_status;
  std::optional<double> abort_percent;
  std::optional<uint64_t> bytes_per_second;
  std::optional<double> bandwidth_percent;

  void Read(std::string_view field, std::string_view value) {
    const auto is = [field](std::string_view name) { return EqualsIgnoreCase(field, name); };
    if (is("delay")) delay = ReadDelay(value);
    if (is("delay-percent")) delay_percent = ReadPercent(value);
    if (is("abort")) abort_status = ReadStatus(value);
    if (is("abort-percent")) abort_percent = ReadPercent(value);
    if (is("bandwidth")) bytes_per_second = ParseSize(value);
    if (is("bandwidth-percent")) bandwidth_percent = ReadPercent(value);
  }
};

// A fault that is asked for without a share is asked for always.
template <typename Field, typename Value>
void Overlay(Field& field, double& percent, const std::optional<Value>& asked,
             const std::optional<double>& asked_percent) {
  if (asked) {
    field = *asked;
    percent = 100;
  }
  if (asked_percent) percent = *asked_percent;
}

}  // namespace

FaultPlan PlanOf(const FaultConfig& config) {
  FaultPlan plan;
  plan.delay = config.delay().fixed();
  plan.delay_percent = config.delay().percent();
  plan.abort_status = static_cast<uint16_t>(config.abort().status());
  plan.abort_percent = config.abort().percent();
  plan.bytes_per_second = config.bandwidth().bytes_per_second();
  plan.bandwidth_percent = config.bandwidth().percent();
  return plan;
}

void TakeFaultHeaders(Headers& headers, Nanos max_delay, FaultPlan& plan) {
  Asked asked;
  const size_t taken = headers.RemoveIf([&asked](const Headers::Entry& entry) {
    if (!IsFaultHeader(entry)) return false;
    asked.Read(entry.name.substr(kHeaderPrefix.size()), entry.value);
    return true;
  });
  if (taken == 0 || max_delay == 0) return;
  if (asked.delay) asked.delay = std::min(*asked.delay, max_delay);
  Overlay(plan.delay, plan.delay_percent, asked.delay, asked.delay_percent);
  Overlay(plan.abort_status, plan.abort_percent, asked.abort_status, asked.abort_percent);
  Overlay(plan.bytes_per_second, plan.bandwidth_percent, asked.bytes_per_second,
          asked.bandwidth_percent);
}

}  // namespace sluice::fault
