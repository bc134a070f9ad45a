#include "core/upstream/worker_cluster.h"

#include <algorithm>

#include "core/base/strings.h"

namespace sluice {

std::string_view WorkerEndpoint::Authority(Arena& arena) const {
  const Address& address = pool.address();
  if (hostname.empty()) return address.is_ip() ? std::string_view(text) : "localhost";
  if (address.port() == 80) return hostname;
  return arena.Join({hostname, ":", Decimal(address.port()).view()});
}

WorkerCluster::WorkerCluster(Loop& loop, Random& random, const StatsRow& row,
                             const ClusterSettings& settings, EndpointSetPtr endpoints)
    : loop_(loop),
      random_(random),
      row_(row),
      settings_(settings),
      stats_(settings.stats.Bind(row)),
      balancer_(NewBalancer(settings.balance, random)) {
  Update(std::move(endpoints));
}

WorkerCluster::~WorkerCluster() = default;

WorkerEndpoint* WorkerCluster::Pick(const WorkerEndpoint* tried) {
  size_t tried_index = Balancer::kNoEndpoint;
  if (tried != nullptr) {
    for (size_t i = 0; i < current_.size(); ++i) {
      if (current_[i].get() == tried) tried_index = i;
    }
  }
  const size_t index = balancer_->Pick(PickContext{random_, tried_index});
  return index == Balancer::kNoEndpoint ? nullptr : current_[index].get();
}

void WorkerCluster::Update(EndpointSetPtr endpoints) {
  std::vector<std::unique_ptr<WorkerEndpoint>> before = std::move(current_);
  current_.clear();
  for (const Endpoint& endpoint : endpoints->endpoints) {
    std::unique_ptr<WorkerEndpoint> known = TakeEndpoint(endpoint, before);
    // One that returns has its pool still, if that had something to finish.
    if (known == nullptr) known = TakeEndpoint(endpoint, leaving_);
    if (known == nullptr) {
      known = std::make_unique<WorkerEndpoint>(loop_, random_, settings_, stats_, endpoint, row_);
    }
    current_.push_back(std::move(known));
  }
  for (std::unique_ptr<WorkerEndpoint>& old : before) {
    if (old == nullptr) continue;
    old->pool.Drain();
    leaving_.push_back(std::move(old));
  }
  set_ = std::move(endpoints);
  balancer_->Update(*set_);
  DropEmpty();
}

// The one of that address, with what the new set says of it; null: there is none.
std::unique_ptr<WorkerEndpoint> WorkerCluster::TakeEndpoint(
    const Endpoint& endpoint, std::vector<std::unique_ptr<WorkerEndpoint>>& from) {
  for (std::unique_ptr<WorkerEndpoint>& known : from) {
    if (known == nullptr || known->pool.address() != endpoint.address) continue;
    known->Refresh(endpoint, row_);
    return std::move(known);
  }
  return nullptr;
}

void WorkerCluster::DropEmpty() {
  leaving_.erase(std::remove_if(leaving_.begin(), leaving_.end(),
                                [](const auto& endpoint) {
                                  return endpoint == nullptr || endpoint->pool.empty();
                                }),
                 leaving_.end());
}

}  // namespace sluice
