// RoundRobin: members in turn, each as often as its weight says and as evenly spread as possible:
// nginx's smooth weighted round robin. Equal weights need but a cursor. Of one worker's thread.
#ifndef SLUICE_CORE_UPSTREAM_BALANCE_ROUND_ROBIN_H_
#define SLUICE_CORE_UPSTREAM_BALANCE_ROUND_ROBIN_H_

#include <cstdint>
#include <vector>

#include "core/upstream/balance/balancer.h"

namespace sluice {

class RoundRobin final : public Balancer {
 public:
  // `random` says where the turn begins; used by the first Update that has members.
  explicit RoundRobin(Random& random) : random_(random) {}

  // Goes on from where the turn was: members that stay keep their place in it.
  void Update(const BalancerGroup& group) override;
  // O(1) if the weights are equal, else O(n).
  size_t Pick(const PickContext& context) override;

 private:
  struct Entry {
    uint32_t id;
    int64_t weight;   // divided by the greatest common divisor of all
    int64_t current;  // how much of its share is due; they add up to about 0
  };

  size_t PickEqual(const PickContext& context);
  // Those that were tried stay out of this round, as if they were no members; null: none was.
  size_t PickSmooth(const TriedEndpoints* tried);
  void Begin();
  void KeepTurn(const std::vector<Entry>& before);

  Random& random_;
  std::vector<Entry> entries_;
  int64_t total_ = 0;
  size_t cursor_ = 0;  // the next one, when equal_
  bool equal_ = true;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BALANCE_ROUND_ROBIN_H_
