#include "core/upstream/worker_cluster.h"

#include <algorithm>
#include <unordered_map>

#include "core/base/strings.h"

namespace sluice {

WorkerEndpoint::WorkerEndpoint(Loop& loop, Random& random, const ClusterSettings& settings,
                               ClusterStats& cluster_stats, PoolGroup& pools,
                               const Endpoint& endpoint, const StatsRow& row)
    : text(endpoint.text), pool(loop, random, settings, cluster_stats, pools, endpoint.address) {
  if (settings.outliers) {
    outliers = std::make_unique<OutlierMeter>(*settings.outliers, settings.outlier_changes);
  }
  Refresh(endpoint, row);
}

void WorkerEndpoint::Refresh(const Endpoint& endpoint, const StatsRow& row) {
  hostname = endpoint.hostname;
  session = endpoint.session;
  id = endpoint.id;
  stats = endpoint.stats.Bind(row);
  load.active = endpoint.active;
  breaker = endpoint.breaker;
  pool.set_endpoint_connections(endpoint.connections);
  if (outliers != nullptr) outliers->SetCounts(endpoint.outliers);
}

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
      feedback_(settings.balance.feedback()),
      stats_(settings.stats.Bind(row)),
      retry_budget_(settings.retry_budget, settings.retry_words),
      balancer_(settings.balance, random),
      pools_(loop, settings.limits) {
  if (settings.bulkhead != nullptr) {
    bulkhead_ = std::make_unique<Bulkhead>(loop, random, *settings.bulkhead, row);
  }
  Update(std::move(endpoints));
}

WorkerCluster::~WorkerCluster() = default;

WorkerEndpoint* WorkerCluster::Pick(const EndpointWish& wish) {
  if (!used_) [[unlikely]] {
    used_ = true;
    Build(set_);
  }
  if (!wish.address.empty() || !wish.session.empty()) {
    const Endpoint* wished = FindWished(wish);
    if (wished != nullptr) return current_[set_->IndexOf(*wished)].get();
  }
  const size_t index = balancer_.Pick(
      {random_, loop_.now(), wish.tried, wish.hash, wish.other_priority}, wish.subset);
  return index == ClusterBalancer::kNoEndpoint ? nullptr : current_[index].get();
}

const Endpoint* WorkerCluster::FindWished(const EndpointWish& wish) const {
  for (const Endpoint* endpoint :
       {wish.address.empty() ? nullptr : set_->FindByText(wish.address),
        wish.session.empty() ? nullptr : set_->FindBySession(wish.session)}) {
    if (endpoint == nullptr || !endpoint->may_be_usable()) continue;
    if (wish.tried == nullptr || !wish.tried->Has(endpoint->id)) return endpoint;
  }
  return nullptr;
}

bool WorkerCluster::HasAnother(const WorkerEndpoint& endpoint) const {
  return std::any_of(set_->endpoints.begin(), set_->endpoints.end(), [&](const Endpoint& each) {
    return each.id != endpoint.id && each.may_be_usable();
  });
}

void WorkerCluster::Update(EndpointSetPtr endpoints) {
  if (used_) Build(endpoints);
  set_ = std::move(endpoints);
  DropEmpty();
}

void WorkerCluster::Build(const EndpointSetPtr& endpoints) {
  std::vector<std::unique_ptr<WorkerEndpoint>> before = std::move(current_);
  current_.clear();
  // One that returns has its pool still, if that had something to finish.
  std::unordered_map<Address, std::unique_ptr<WorkerEndpoint>*> known;
  for (auto* list : {&before, &leaving_}) {
    for (std::unique_ptr<WorkerEndpoint>& each : *list) {
      if (each != nullptr) known.emplace(each->pool.address(), &each);
    }
  }
  for (const Endpoint& endpoint : endpoints->endpoints) {
    const auto found = known.find(endpoint.address);
    if (found == known.end()) {
      current_.push_back(std::make_unique<WorkerEndpoint>(loop_, random_, settings_, stats_, pools_,
                                                          endpoint, row_));
    } else {
      current_.push_back(std::move(*found->second));
      current_.back()->Refresh(endpoint, row_);
    }
    if (HasFault(endpoint.faults, EndpointFault::kDrained)) current_.back()->pool.Drain();
  }
  for (std::unique_ptr<WorkerEndpoint>& old : before) {
    if (old == nullptr) continue;
    old->pool.Drain();
    leaving_.push_back(std::move(old));
  }
  std::vector<EndpointLoad*> loads;
  for (const auto& endpoint : current_) loads.push_back(&endpoint->load);
  balancer_.Update(*endpoints, loads, loop_.now());
}

void WorkerCluster::DropEmpty() {
  leaving_.erase(std::remove_if(leaving_.begin(), leaving_.end(),
                                [](const auto& endpoint) {
                                  return endpoint == nullptr || endpoint->pool.empty();
                                }),
                 leaving_.end());
}

}  // namespace sluice
