// Probe: a connection to an endpoint on which checks are made, one at a time. Owned by its prober,
// which retires it; of the main thread. It counts in none of the cluster's metrics, and balancing
// does not see it.
#ifndef SLUICE_CORE_UPSTREAM_HEALTH_PROBE_H_
#define SLUICE_CORE_UPSTREAM_HEALTH_PROBE_H_

#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/event/loop.h"

namespace sluice {

struct ClusterSettings;
struct HealthSettings;
class Transport;

class ProbeEvents {
 public:
  // The check is over. An error says in its detail why, for the log; with kIfReused the connection
  // was an old one that the peer was just closing, and nothing is known.
  virtual void OnProbed(Result<void> result) = 0;

 protected:
  ~ProbeEvents() = default;
};

class Probe : public Retirable {
 public:
  // Makes the first check when the connect that is under way has ended; OnProbed follows unless
  // this is an error, of our own side.
  virtual Result<void> Start() = 0;
  // Makes another check on the same connection, if there still is one; OnProbed follows then.
  // REQUIRES: no check is under way.
  virtual bool TryAgain() = 0;
  // Closes the connection; nothing is called any more.
  virtual void Close() = 0;
  // What has not come yet: "no connection".
  virtual std::string_view missing() const = 0;
};

// What all probes of a cluster have in common; outlives them.
struct ProbeContext {
  Loop& loop;
  const ClusterSettings& cluster;
  const HealthSettings& health;
};

// The PROXY header that a check's connection begins with: it names nobody. Empty if the cluster
// sends none, or if checks have a port of their own, which need not expect it.
std::string ProbePreface(const ProbeContext& context);

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_HEALTH_PROBE_H_
