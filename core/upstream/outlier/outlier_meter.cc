#include "core/upstream/outlier/outlier_meter.h"

#include <algorithm>

namespace sluice {
namespace {

EndpointFailure FailureOf(TryOutcome outcome, uint16_t status) {
  if (outcome != TryOutcome::kServerError) return EndpointFailure::kLocalOrigin;
  return status >= 502 && status <= 504 ? EndpointFailure::kGateway : EndpointFailure::kServer;
}

}  // namespace

OutlierMeter::OutlierMeter(const OutlierSettings& settings, SharedWord changes)
    : settings_(settings),
      changes_(changes),
      keep_for_(std::min(kKeptFor, settings.interval / 4)) {}

void OutlierMeter::OnEnd(TryOutcome outcome, uint16_t status, Nanos now) {
  if (outcome == TryOutcome::kCancelled) return;
  if (IsFailure(outcome)) {
    if (counts_.AddFailure(FailureOf(outcome, status), settings_)) changes_.FetchAdd(1);
  } else {
    counts_.AddSuccess();
    ++kept_.successes;
  }
  ++kept_.requests;
  if (kept_.requests >= kMostKept || now - flushed_at_ >= keep_for_) Flush(now);
}

void OutlierMeter::Flush(Nanos now) {
  flushed_at_ = now;
  if (settings_.compares()) counts_.AddInterval(kept_);
  kept_ = {};
}

}  // namespace sluice
