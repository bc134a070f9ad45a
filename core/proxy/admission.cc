#include "core/proxy/admission.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/base/strings.h"

namespace sluice {
namespace {

uint64_t SecondsUp(Nanos time) { return static_cast<uint64_t>((time + kSecond - 1) / kSecond); }

Failure Overloaded(FailReason reason, std::string_view details, std::string_view body) {
  Failure failure = {.reason = reason,
                     .status = 503,
                     .flag = ResponseFlag::kUpstreamOverflow,
                     .details = details,
                     .body = body};
  failure.headers.emplace_back("x-sluice-overloaded", "1");
  return failure;
}

}  // namespace

Admission Admit(UpstreamTry& attempt, WorkerCluster& cluster, Breaker* route_breaker,
                EndpointChoice& choice, const RequestHead& head, StreamInfo& info,
                ListenerRuntime& runtime) {
  Random& random = runtime.worker.random;
  BreakerCall& breakers = attempt.breakers();
  const auto refused = [&]() -> Admission {
    return {nullptr, BreakerFailure(breakers.refusal(), runtime.worker.loop.wall(), info.arena())};
  };
  if (!breakers.Enter(cluster.breaker(), random)) {
    cluster.stats().breaker_refused.Inc();
    return refused();
  }
  if (!breakers.Enter(route_breaker, random)) {
    if (RouteStats* stats = runtime.route_stats(info.route)) stats->breaker_refused.Inc();
    return refused();
  }
  if (!attempt.TakeRequest(cluster, info.priority)) {
    return {nullptr, LimitFailure(ClusterLimit::kRequests, info.arena())};
  }
  const size_t most = std::min(cluster.endpoint_count(), TriedEndpoints::kRoom) + 1;
  for (size_t i = 0; i < most; ++i) {
    WorkerEndpoint* const endpoint = choice.Pick(cluster, head, info, random);
    if (endpoint == nullptr) {
      cluster.stats().no_endpoint.Inc();
      return {nullptr,
              {.reason = FailReason::kNoEndpoint,
               .status = 503,
               .flag = ResponseFlag::kNoHealthyUpstream,
               .details = "no_healthy_upstream",
               .body = "no healthy upstream\n"}};
    }
    if (breakers.Enter(endpoint->breaker, random)) return {endpoint, {}};
    choice.Avoid(*endpoint);
  }
  cluster.stats().breaker_refused.Inc();
  return refused();
}

Failure LimitFailure(ClusterLimit limit, Arena& arena) {
  return Overloaded(FailReason::kLimit, arena.Join({"overflow{", NameOf(limit), "}"}),
                    "upstream overloaded\n");
}

Failure BreakerFailure(const BreakerRefusal& refusal, Nanos wall, Arena& arena) {
  const BreakerMode mode = refusal.state.mode;
  Failure failure = Overloaded(FailReason::kBreakerOpen,
                               arena.Join({"breaker_open{", refusal.breaker->name().text, "}"}),
                               "circuit breaker open\n");
  failure.headers.emplace_back("retry-after",
                               Decimal(SecondsUp(std::max(refusal.retry_after, kSecond))).view());
  // Closed, and yet refused: only a share of the calls passes so far.
  std::string state(mode == BreakerMode::kClosed       ? "recovering"
                    : mode == BreakerMode::kForcedOpen ? NameOf(BreakerMode::kOpen)
                                                       : NameOf(mode));
  state += StrCat({"; reason=", NameOf(refusal.state.reason)});
  if (mode == BreakerMode::kOpen) {
    state += StrCat({"; until=", Decimal(SecondsUp(wall + refusal.retry_after))});
  }
  failure.headers.emplace_back("x-breaker", std::move(state));
  return failure;
}

}  // namespace sluice
