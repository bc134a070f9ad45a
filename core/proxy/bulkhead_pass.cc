#include "core/proxy/bulkhead_pass.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/config/route_strings.h"
#include "core/filter/stream_info.h"
#include "core/http/message.h"
#include "core/proxy/head_route_input.h"

namespace sluice {

namespace {

std::optional<uint64_t> ConsumerOf(const Bulkhead* route, const RequestHead& head,
                                   const StreamInfo& info) {
  if (route == nullptr || route->settings().consumers == nullptr) return std::nullopt;
  const auto name = route->settings().consumer.Find(HeadRouteInput(head, info.client_ip));
  return name ? std::optional(RouteHash(*name)) : std::nullopt;
}

}  // namespace

BulkheadPass::BulkheadPass(Loop& loop, Bulkhead* route, const RequestHead& head,
                           const StreamInfo& info, Callback decided)
    : loop_(loop),
      route_(route),
      consumer_(ConsumerOf(route, head, info)),
      decided_(decided),
      at_route_(Callback::To<&BulkheadPass::OnRouteDecided>(this)),
      at_cluster_(Callback::To<&BulkheadPass::OnClusterDecided>(this)) {}

BulkheadPass::Answer BulkheadPass::Enter(Bulkhead* cluster, const StreamInfo& info) {
  at_cluster_.Leave();
  if (at_route_.state() == BulkheadEntry::State::kWaiting) at_route_.Leave();
  cluster_ = cluster;
  priority_ = info.priority;
  if (route_ == nullptr || std::exchange(asked_route_, true)) return EnterCluster();
  const auto state = route_->Enter(at_route_, priority_, consumer_);
  return state == BulkheadEntry::State::kIn ? EnterCluster() : AnswerOf(state);
}

BulkheadPass::Answer BulkheadPass::EnterCluster() {
  if (cluster_ == nullptr) return AnswerOf(BulkheadEntry::State::kIn);
  return AnswerOf(cluster_->Enter(at_cluster_, priority_, std::nullopt));
}

BulkheadPass::Answer BulkheadPass::AnswerOf(BulkheadEntry::State state) {
  if (state == BulkheadEntry::State::kIn) passed_ = loop_.now();
  answer_ = state == BulkheadEntry::State::kIn        ? Answer::kPassed
            : state == BulkheadEntry::State::kRefused ? Answer::kRefused
                                                      : Answer::kWaits;
  return answer_;
}

void BulkheadPass::OnRouteDecided() {
  const auto state = at_route_.state();
  const Answer answer = state == BulkheadEntry::State::kIn ? EnterCluster() : AnswerOf(state);
  if (answer != Answer::kWaits) decided_();
}

void BulkheadPass::OnClusterDecided() {
  AnswerOf(at_cluster_.state());
  decided_();
}

std::string_view BulkheadPass::refusal() const {
  const BulkheadEntry& entry =
      at_cluster_.state() == BulkheadEntry::State::kRefused ? at_cluster_ : at_route_;
  return entry.refusal() == BulkheadStats::kTimeout ? "queue_timeout" : "bulkhead_full";
}

// What fails fast says nothing of how much the service bears.
void BulkheadPass::OnAnswered(uint16_t status, Nanos sent) {
  if (status < 500) AddSample(std::max(passed_, sent));
}

void BulkheadPass::OnTimeout() {
  if (answer_ == Answer::kPassed) AddSample(passed_);
  if (answer_ != Answer::kWaits) return;
  const bool at_cluster = at_cluster_.state() == BulkheadEntry::State::kWaiting;
  (at_cluster ? cluster_ : route_)->stats().refused[BulkheadStats::kTimeout].Inc();
}

void BulkheadPass::AddSample(Nanos since) {
  const Nanos latency = loop_.now() - since;
  // What one did not let in went elsewhere, and took as long as that takes.
  if (at_route_.state() == BulkheadEntry::State::kIn) route_->AddSample(latency);
  if (at_cluster_.state() == BulkheadEntry::State::kIn) cluster_->AddSample(latency);
}

void BulkheadPass::Leave() {
  at_cluster_.Leave();
  at_route_.Leave();
}

}  // namespace sluice
