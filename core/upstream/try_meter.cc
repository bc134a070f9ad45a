#include "core/upstream/try_meter.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/upstream/balance/load_report.h"

namespace sluice {

void TryMeter::Begin(const WorkerCluster& cluster, WorkerEndpoint& endpoint) {
  GiveBack();
  cluster_ = &cluster;
  endpoint_ = &endpoint;
  status_ = 0;
  judged_ = false;
  if (!cluster.feedback().active) return;
  active_ = endpoint.load.active;
  active_.Add();
  counted_ = true;
}

void TryMeter::OnHead(uint16_t status, const Headers& headers, Nanos latency, Nanos now) {
  if (cluster_ == nullptr) return;
  status_ = status;
  if (endpoint_->outliers != nullptr) endpoint_->outliers->OnLatency(latency);
  AddLatency(status >= 500 ? std::max(latency, kFailure) : latency, now);
  if (cluster_->feedback().reports) ReadReport(headers, now);
}

void TryMeter::OnTrailers(const Headers& trailers, Nanos now) {
  if (cluster_ != nullptr && cluster_->feedback().reports) ReadReport(trailers, now);
}

void TryMeter::Judge(TryOutcome verdict, Nanos latency, Nanos now) {
  if (std::exchange(judged_, true)) return;
  if (IsFailure(verdict) && verdict != TryOutcome::kServerError) {
    AddLatency(std::max(latency, kFailure), now);
  } else if (status_ == 0 && latency > static_cast<Nanos>(endpoint_->load.latency.At(
                                           now, cluster_->settings().balance.decay))) {
    AddLatency(latency, now);  // given up while it took long already
  }
  if (OutlierMeter* outliers = endpoint_->outliers.get(); outliers != nullptr) {
    if (verdict == TryOutcome::kTimedOut && status_ == 0) outliers->OnLatency(latency);
    outliers->OnEnd(verdict, status_, now);
  }
}

void TryMeter::End() {
  cluster_ = nullptr;
  GiveBack();
}

void TryMeter::GiveBack() {
  if (std::exchange(counted_, false)) active_.Sub();
}

void TryMeter::AddLatency(Nanos latency, Nanos now) {
  const BalanceFeedback& feedback = cluster_->feedback();
  LatencyAverage& average = endpoint_->load.latency;
  if (feedback.peak_latency) {
    average.AddPeak(latency, now, cluster_->settings().balance.decay);
  } else if (feedback.mean_latency) {
    average.AddToMean(latency, now, cluster_->settings().balance.decay);
  }
}

void TryMeter::ReadReport(const Headers& headers, Nanos now) {
  ReportedLoad& reported = endpoint_->load.reported;
  if (!reported.Wants(now)) return;
  const std::optional<std::string_view> text = headers.Get(kLoadReportHeader);
  if (!text) return;
  const std::optional<LoadReport> report = ParseLoadReport(*text);
  if (report) reported.Add(*report, now, cluster_->settings().balance.utilization);
}

}  // namespace sluice
