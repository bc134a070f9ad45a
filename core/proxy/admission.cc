#include "core/proxy/admission.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/base/strings.h"

namespace sluice {
namespace {

uint64_t SecondsUp(Nanos time) { return static_cast<uint64_t>((time + kSecond - 1) / kSecond); }

}  // namespace

Admission Admit(UpstreamTry& attempt, WorkerCluster& cluster, Breaker* route_breaker,
                EndpointChoice& choice, const RequestHead& head, StreamInfo& info,
                ListenerRuntime& runtime, bool beside_another) {
  Random& random = runtime.worker.random;
  BreakerCall& breakers = attempt.breakers();
  const auto refused = [&]() -> Admission {
    return tl::unexpected(
        BreakerFailure(breakers.refusal(), runtime.worker.loop.wall(), info.arena()));
  };
  const auto count = [beside_another](Counter& counter) {
    if (!beside_another) counter.Inc();
  };
  if (!breakers.Enter(cluster.breaker(), random)) {
    count(cluster.stats().breaker_refused);
    return refused();
  }
  if (!breakers.Enter(route_breaker, random)) {
    if (RouteStats* stats = runtime.route_stats(info.route)) count(stats->breaker_refused);
    return refused();
  }
  if (!attempt.TakeRequest(cluster, info.priority)) {
    count(cluster.stats().overflow[static_cast<size_t>(ClusterLimit::kRequests)]);
    return tl::unexpected(LimitFailure(ClusterLimit::kRequests, info.arena(), random));
  }
  const size_t most = std::min(cluster.endpoint_count(), TriedEndpoints::kRoom) + 1;
  for (size_t i = 0; i < most; ++i) {
    WorkerEndpoint* const endpoint = choice.Pick(cluster, head, info, random);
    if (endpoint == nullptr) {
      count(cluster.stats().no_endpoint);
      return tl::unexpected(Failure{.reason = FailReason::kNoEndpoint,
                                    .status = 503,
                                    .flag = ResponseFlag::kNoHealthyUpstream,
                                    .details = "no_healthy_upstream",
                                    .body = "no healthy upstream\n"});
    }
    if (breakers.Enter(endpoint->breaker, random)) return endpoint;
    choice.Avoid(*endpoint);
  }
  count(cluster.stats().breaker_refused);
  return refused();
}

Failure LimitFailure(ClusterLimit limit, Arena& arena, Random& random) {
  return OverloadFailure(ResponseFlag::kUpstreamOverflow,
                         arena.Join({"overflow{", NameOf(limit), "}"}), random);
}

Failure BreakerFailure(const BreakerRefusal& refusal, Nanos wall, Arena& arena) {
  const BreakerMode mode = refusal.state.mode;
  Failure failure =
      OverloadFailure(FailReason::kBreakerOpen, ResponseFlag::kUpstreamOverflow,
                      arena.Join({"breaker_open{", refusal.breaker->name().text, "}"}),
                      "circuit breaker open\n", SecondsUp(std::max(refusal.retry_after, kSecond)));
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
