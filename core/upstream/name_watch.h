// NameWatch: keeps the addresses of one name up to date: asks, asks again when the answer's time is
// over, and keeps the last good answer while there is no better one. Owned by its cluster's
// discovery; of the main thread.
#ifndef SLUICE_CORE_UPSTREAM_NAME_WATCH_H_
#define SLUICE_CORE_UPSTREAM_NAME_WATCH_H_

#include <memory>
#include <string>
#include <vector>

#include "core/event/timer.h"
#include "core/upstream/discovery_stats.h"
#include "core/upstream/name_resolver.h"

namespace sluice {

struct DiscoverySettings {
  Nanos refresh = 0;  // 0: as the answers' TTL says
  DnsFamily family = DnsFamily::kAuto;
};

class NameWatch {
 public:
  // An answer is asked for again after its TTL, but not before the first and not after the second.
  static constexpr Nanos kMinTtl = kSecond;
  static constexpr Nanos kMaxTtl = 24 * 3600 * kSecond;
  // After a failure it is asked again in the first, then in twice as long, up to the second.
  static constexpr Nanos kMinRetry = kSecond;
  static constexpr Nanos kMaxRetry = 30 * kSecond;

  // All borrowed; they outlive the watch. `changed` is called after each change of addresses() or
  // answered(); it must not destroy the watch.
  NameWatch(Loop& loop, NameResolver& resolver, const DiscoverySettings& settings,
            DiscoveryStats& stats, std::string name, Callback changed);
  NameWatch(const NameWatch&) = delete;
  NameWatch& operator=(const NameWatch&) = delete;

  void Start() { Ask(); }

  const std::string& name() const { return name_; }
  // Distinct and sorted, whatever order they came in; their ports are 0.
  const std::vector<Address>& addresses() const { return addresses_; }
  // Has it been answered once, well or badly?
  bool answered() const { return answered_; }

 private:
  void Ask();
  void OnAnswer(Result<ResolvedName> answer);
  // Says whether the addresses are others than before.
  bool Take(std::vector<Address> addresses, Nanos ttl);
  void Keep(const Error& error);

  NameResolver& resolver_;
  const DiscoverySettings& settings_;
  DiscoveryStats& stats_;
  const std::string name_;
  Callback changed_;
  std::vector<Address> addresses_;
  Nanos retry_ = 0;  // 0: the last answer was good
  bool answered_ = false;
  Timer timer_;
  std::unique_ptr<NameResolver::Query> query_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_NAME_WATCH_H_
