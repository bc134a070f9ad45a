// Balancer: chooses the endpoint for a request. One per worker and cluster, of the worker's thread.
#ifndef SLUICE_CORE_UPSTREAM_BALANCER_H_
#define SLUICE_CORE_UPSTREAM_BALANCER_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/base/random.h"
#include "core/upstream/endpoint.h"

namespace sluice {

enum class BalancePolicy : uint8_t { kRoundRobin, kRandom };

struct PickContext {
  Random& random;
  // The index of an endpoint that was tried already; kNoEndpoint if none was. Another one is chosen
  // where there is one.
  size_t tried;
};

class Balancer {
 public:
  static constexpr size_t kNoEndpoint = SIZE_MAX;

  virtual ~Balancer() = default;
  // The set changed; `set` lives until the next Update.
  virtual void Update(const EndpointSet& set) = 0;
  // An index into the set's endpoints; kNoEndpoint if there is none.
  virtual size_t Pick(const PickContext& context) = 0;
};

// `random` gives each worker its own start, so that they do not move in step.
std::unique_ptr<Balancer> NewBalancer(BalancePolicy policy, Random& random);

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BALANCER_H_
