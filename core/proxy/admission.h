// What a try must pass before it begins: the breakers of its cluster, its route and its endpoint,
// and the cluster's limits; and the failure that it is where one of them refuses. What a try took
// it gives back at its end, or when it is stopped.
#ifndef SLUICE_CORE_PROXY_ADMISSION_H_
#define SLUICE_CORE_PROXY_ADMISSION_H_

#include <tl/expected.hpp>

#include "core/proxy/endpoint_choice.h"
#include "core/proxy/failure.h"
#include "core/proxy/listener_runtime.h"
#include "core/proxy/upstream_try.h"

namespace sluice {

struct RequestHead;
class StreamInfo;

// The endpoint of a try that may begin, or why it may not.
using Admission = tl::expected<WorkerEndpoint*, Failure>;

// Finds the endpoint of the next try of a request. Those whose breaker is open are left out, as far
// as there are others. `route_breaker`: null for none. `beside_another`: nobody is refused by it,
// so nothing is counted.
Admission Admit(UpstreamTry& attempt, WorkerCluster& cluster, Breaker* route_breaker,
                EndpointChoice& choice, const RequestHead& head, StreamInfo& info,
                ListenerRuntime& runtime, bool beside_another = false);

Failure LimitFailure(ClusterLimit limit, Arena& arena, Random& random);
// With x-breaker besides, which says the state, why it opened, and until when it is open, in
// seconds since the epoch. `wall`: nanoseconds since the epoch.
Failure BreakerFailure(const BreakerRefusal& refusal, Nanos wall, Arena& arena);

}  // namespace sluice

#endif  // SLUICE_CORE_PROXY_ADMISSION_H_
