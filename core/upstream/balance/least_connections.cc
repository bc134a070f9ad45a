#include "core/upstream/balance/least_connections.h"

namespace sluice {

size_t LeastConnections::Pick(const PickContext& context) {
  return draw_.DrawLeast(context, [](const BalancerMember& member) {
    return static_cast<double>(member.load->active.value()) / member.weight;
  });
}

}  // namespace sluice
