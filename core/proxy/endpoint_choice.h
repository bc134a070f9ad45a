// EndpointChoice: what a request wants of the endpoint that serves it, over all of its tries: its
// hash key, its session, the subset of its route, a filter's wish, and none that it was at before.
// A member of the router.
#ifndef SLUICE_CORE_PROXY_ENDPOINT_CHOICE_H_
#define SLUICE_CORE_PROXY_ENDPOINT_CHOICE_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/config/hash_keys.h"
#include "core/upstream/worker_cluster.h"

namespace sluice {

class Random;
class StreamInfo;
struct RequestHead;
struct ResponseHead;

class EndpointChoice {
 public:
  EndpointChoice() = default;
  // Among the endpoints of a fallback's cluster: what the route wants of its own cluster's
  // endpoints (subset, other_priority) does not hold there.
  static EndpointChoice OfFallback() {
    EndpointChoice choice;
    choice.fallback_ = true;
    return choice;
  }

  // Null: there is none. `head`: as it goes upstream.
  WorkerEndpoint* Pick(WorkerCluster& cluster, const RequestHead& head, const StreamInfo& info,
                       Random& random);
  // The next Pick takes another one, if it can: this one failed.
  void Avoid(const WorkerEndpoint& endpoint) { tried_.Add(endpoint.id); }
  // Gives the client the cookies that lead it to `endpoint` again.
  void AddCookies(const WorkerCluster& cluster, const WorkerEndpoint& endpoint,
                  const StreamInfo& info, ResponseHead& head) const;

 private:
  void ReadRequest(const WorkerCluster& cluster, const RequestHead& head, const StreamInfo& info,
                   Random& random);

  bool fallback_ = false;
  bool read_ = false;
  std::optional<uint64_t> hash_;
  const HashKeys::Key* given_ = nullptr;  // the cookie that the client is given
  std::string_view given_value_;
  std::string_view session_;  // as the client says
  TriedEndpoints tried_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_PROXY_ENDPOINT_CHOICE_H_
