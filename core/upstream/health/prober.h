// Prober: makes the checks of one endpoint, one after another, and keeps what follows from them.
// Owned by its cluster's HealthChecker; of the main thread.
#ifndef SLUICE_CORE_UPSTREAM_HEALTH_PROBER_H_
#define SLUICE_CORE_UPSTREAM_HEALTH_PROBER_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/base/intrusive_list.h"
#include "core/base/random.h"
#include "core/event/timer.h"
#include "core/net/address.h"
#include "core/upstream/health/health_event.h"
#include "core/upstream/health/health_state.h"
#include "core/upstream/health/health_stats.h"
#include "core/upstream/health/probe.h"

namespace sluice {

struct Endpoint;
class HealthChecker;

class Prober final : public ListNode<>, private ProbeEvents {
 public:
  // What the probers of a cluster share; outlives them.
  struct Context {
    ProbeContext probe;
    Random& random;
    HealthStats& stats;
    HealthChecker& checker;
  };

  // `before`: see HealthState.
  Prober(const Context& context, const Endpoint& endpoint, HealthVerdict before);
  ~Prober();
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  // The endpoint may have come by another name.
  void SetHost(const Endpoint& endpoint);
  // Makes the first check after `delay`, whose result decides, and so on.
  void Start(Nanos delay);
  // Breaks off; Start begins again.
  void Stop();

  const std::string& endpoint() const { return endpoint_; }
  const HealthState& state() const { return state_; }
  // Nothing: none was made yet.
  std::optional<LastCheck> last() const;
  // Was a check made, or tried, since Start?
  bool answered() const { return answered_; }
  // What was told of it before; what it is taken for now counts as told.
  HealthVerdict TakeTold() { return std::exchange(told_, state_.verdict()); }

 private:
  // A limit that passed longer ago was passed while the loop did something else.
  static constexpr Nanos kLate = 50 * kMillisecond;

  void Check();
  void Connect();
  void OnLimit();
  void OnProbed(Result<void> result) override;
  void Finish(const Result<void>& result);
  void DropProbe();

  const Context& context_;
  const std::string endpoint_;  // its text
  Address address_;             // to check
  std::string host_;            // to ask for
  HealthState state_;
  HealthVerdict told_;
  bool last_success_ = false;
  std::string last_reason_;
  Nanos last_at_ = 0;  // 0: never
  Timer next_;
  Timer limit_;  // of the check that is under way
  std::unique_ptr<Probe> probe_;
  bool answered_ = false;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_HEALTH_PROBER_H_
