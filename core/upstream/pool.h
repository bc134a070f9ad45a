// Pool: a worker's connections to one endpoint. Requests take the connection that was used last
// (LIFO), so that those not needed idle out; a request that finds none starts one and waits for the
// first that gets ready. Where the cluster's limits allow no more connections one that idles at
// another endpoint is closed for it, or it waits for one that gets free: as long as somebody waits
// there is a connection.
//
// Owned by the worker's cluster; of the worker's thread. It owns its connections.
#ifndef SLUICE_CORE_UPSTREAM_POOL_H_
#define SLUICE_CORE_UPSTREAM_POOL_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "core/base/intrusive_list.h"
#include "core/base/result.h"
#include "core/event/loop.h"
#include "core/net/address.h"
#include "core/upstream/cluster.h"
#include "core/upstream/pool_group.h"
#include "core/upstream/upstream_connection.h"
#include "core/upstream/upstream_request.h"

namespace sluice {

class Random;

class Pool final : public ListNode<PoolGroupTag>, public ListNode<PoolWaitTag> {
 public:
  // All borrowed; they outlive the pool.
  Pool(Loop& loop, Random& random, const ClusterSettings& settings, ClusterStats& stats,
       PoolGroup& group, const Address& address);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  const Address& address() const { return address_; }
  // Of the endpoint, over all workers; counted in from here on, if the cluster limits them.
  void set_endpoint_connections(SharedGauge gauge) { endpoint_connections_ = gauge; }
  // Closes idle connections, and the others when their streams end; new requests may still come.
  void Drain();
  // No connection and nobody waiting.
  bool empty() const { return connections_ == 0 && waiting_.empty() && failed_.empty(); }
  uint32_t connections() const { return connections_; }
  // Requests on connections or waiting for one.
  uint32_t InFlight();

 private:
  friend class PoolGroup;
  friend class UpstreamRequest;
  friend class UpstreamConnection;

  // Has the endpoint as many connections as it may, over all workers?
  bool EndpointIsFull() const {
    const uint32_t most = settings_.limits.connections_per_endpoint;
    return most > 0 && endpoint_connections_.value() >= most;
  }
  // Closes one of its connections that carry nothing. False: there is none.
  bool CloseIdle();
  bool TakeInto(UpstreamRequest& request);
  void WaitFor(UpstreamRequest& request);
  void Attach(UpstreamRequest& request, UpstreamConnection& connection, bool reused);
  void SetReady(UpstreamConnection& connection, bool ready);
  // Says which limit is in the way. The permits are the connection's.
  std::optional<ClusterLimit> TakeRoom(RequestPriority priority, LimitPermit& cluster,
                                       LimitPermit& endpoint);
  // Nothing, or the limit that the request has to wait for.
  std::optional<ClusterLimit> StartConnection(UpstreamRequest& request);
  // There may be room for requests that had to wait for it, soon after this call.
  void ServeWaiting() {
    if (!waiting_.empty()) loop_.Defer(serve_task_);
  }
  void ServeNow();
  UpstreamRequest* FindWithoutConnection();
  void FailWaiting(const UpstreamConnection& lost, const Error& error);
  // A connection of one client, ready or not, and the request that it was started for.
  UpstreamRequest* FindStarter(const UpstreamConnection& connection);
  // Of a multiplexed connection: gives it to all that wait.
  void Share(UpstreamConnection& connection);
  // It carries nothing from now on: its idle time begins.
  void RenewIdle(UpstreamConnection& connection);
  void Keep(UpstreamConnection& connection);
  void NotifyFailedStart();

  // From the connections.
  void OnConnectionReady(UpstreamConnection& connection);
  void OnConnectionFailed(UpstreamConnection& connection, const Error& error);
  void OnConnectionIdle(UpstreamConnection& connection);
  void Remove(UpstreamConnection& connection);

  void SweepIdle();

  Loop& loop_;
  Random& random_;
  const ClusterSettings& settings_;
  ClusterStats& stats_;
  PoolGroup& group_;
  Address address_;
  List<UpstreamConnection> busy_;   // take no request now: connecting, or serving one
  List<UpstreamConnection> ready_;  // take one; the last used in front
  List<UpstreamRequest> waiting_;
  List<UpstreamRequest> failed_;  // their connection could not even be started; told by the task
  uint32_t connections_ = 0;
  uint32_t ready_count_ = 0;
  uint32_t connecting_ = 0;
  uint64_t last_wait_id_ = 0;
  bool multiplexed_ = false;  // connections take many requests at once, as the last one said
  Error start_error_;
  SharedGauge endpoint_connections_;
  Task failed_task_;
  Task serve_task_;
  Timer sweep_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_POOL_H_
