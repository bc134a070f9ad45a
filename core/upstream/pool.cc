#include "core/upstream/pool.h"

#include <algorithm>
#include <utility>

#include "core/net/proxy_protocol.h"
#include "core/net/socket.h"

namespace sluice {

Pool::Pool(Loop& loop, Random& random, const ClusterSettings& settings, ClusterStats& stats,
           PoolGroup& group, const Address& address)
    : loop_(loop),
      random_(random),
      settings_(settings),
      stats_(stats),
      group_(group),
      address_(address),
      failed_task_(Callback::To<&Pool::NotifyFailedStart>(this)),
      serve_task_(Callback::To<&Pool::ServeNow>(this)),
      sweep_(loop, Callback::To<&Pool::SweepIdle>(this)) {
  group_.Add(*this);
}

Pool::~Pool() {
  for (List<UpstreamConnection>* list : {&ready_, &busy_}) {
    while (!list->empty()) list->front().Close();
  }
}

void Pool::Drain() {
  for (List<UpstreamConnection>* list : {&ready_, &busy_}) {
    list->ForEach([this](UpstreamConnection& connection) {
      connection.draining_ = true;
      if (!connection.connected() || connection.attached_ > 0) return;
      stats_.connections_expired.Inc();
      connection.Close();
    });
  }
}

uint32_t Pool::InFlight() {
  uint32_t requests = 0;
  for (List<UpstreamConnection>* list : {&ready_, &busy_}) {
    list->ForEach(
        [&requests](const UpstreamConnection& connection) { requests += connection.attached_; });
  }
  waiting_.ForEach([&requests](const UpstreamRequest&) { ++requests; });
  return requests;
}

bool Pool::TakeInto(UpstreamRequest& request) {
  UpstreamConnection* taken = ready_.FindFirst([&](UpstreamConnection& connection) {
    const bool alive = connection.attached_ > 0 || loop_.now() < connection.idle_deadline_;
    if (alive && connection.CanOpen()) return true;
    if (connection.attached_ == 0) {
      stats_.connections_expired.Inc();
      connection.Close();
    }
    return false;
  });
  if (taken == nullptr) return false;
  Attach(request, *taken, true);
  return true;
}

void Pool::Attach(UpstreamRequest& request, UpstreamConnection& connection, bool reused) {
  // One that carries many streams stays on offer.
  if (!connection.codec_->CanReset()) SetReady(connection, false);
  if (reused) stats_.connections_reused.Inc();
  request.reused_ = reused;
  connection.Attach(request);
}

void Pool::SetReady(UpstreamConnection& connection, bool ready) {
  if (connection.ready_ == ready) return;
  connection.ready_ = ready;
  connection.Unlink();
  if (ready) {
    ready_.PushFront(connection);
    ++ready_count_;
    group_.AddReady();
    stats_.connections_idle.Add();
  } else {
    busy_.PushBack(connection);
    --ready_count_;
    group_.SubReady();
    stats_.connections_idle.Sub();
  }
}

void Pool::WaitFor(UpstreamRequest& request) {
  request.wait_id_ = 0;
  waiting_.PushBack(request);
  // One that takes many is under way: it will do for this one too.
  if (multiplexed_ && connecting_ > 0) return;
  if (const auto limit = StartConnection(request)) {
    stats_.overflow[static_cast<size_t>(*limit)].Inc();
  }
}

bool Pool::CloseIdle() {
  if (ready_.empty() || !ready_.back().idle()) return false;
  stats_.connections_expired.Inc();
  ready_.back().Close();
  return true;
}

std::optional<ClusterLimit> Pool::TakeRoom(RequestPriority priority, LimitPermit& cluster,
                                           LimitPermit& endpoint) {
  constexpr uint32_t kAny = UINT32_MAX;
  const ClusterLimits& limits = settings_.limits;
  const bool first = connections_ == 0;
  const uint32_t all = first ? kAny : limits.Of(priority).connections;
  const uint32_t most = limits.connections_per_endpoint;
  // First: what idles at others is of no use where the endpoint itself is full.
  while (!endpoint.Take(endpoint_connections_, first && most > 0 ? kAny : most)) {
    if (!CloseIdle()) return ClusterLimit::kConnectionsPerEndpoint;
  }
  while (!cluster.Take(limits.connections, all)) {
    if (group_.CloseIdle()) continue;
    endpoint.Give();
    return ClusterLimit::kConnections;
  }
  return std::nullopt;
}

std::optional<ClusterLimit> Pool::StartConnection(UpstreamRequest& request) {
  LimitPermit cluster_permit;
  LimitPermit endpoint_permit;
  if (const auto limit = TakeRoom(request.priority_, cluster_permit, endpoint_permit)) {
    group_.LookAgain(*this, *limit);
    return limit;
  }
  std::string preface;
  const bool single_use = settings_.proxy_protocol != ProxyProtocolVersion::kOff;
  if (single_use) {
    const Address nobody;
    const bool told = request.client_ != nullptr;
    char header[kMaxWrittenProxyHeader];
    const auto write = settings_.proxy_protocol == ProxyProtocolVersion::kV1 ? WriteProxyHeaderV1
                                                                             : WriteProxyHeaderV2;
    preface.assign(header, write(told ? *request.client_ : nobody,
                                 told ? *request.client_local_ : nobody, header));
  }
  request.wait_id_ = ++last_wait_id_;
  Result<Fd> fd = StartConnect(address_);
  if (fd) {
    auto* connection = new UpstreamConnection(*this, loop_, settings_.new_transport(fd->Release()),
                                              preface, single_use);
    connection->wait_id_ = request.wait_id_;
    connection->cluster_permit_ = std::move(cluster_permit);
    connection->endpoint_permit_ = std::move(endpoint_permit);
    multiplexed_ = !single_use && connection->codec_->CanReset();
    busy_.PushBack(*connection);
    ++connections_;
    ++connecting_;
    stats_.connections.Inc();
    stats_.connections_active.Add();
    if (Result<void> started = connection->Start(settings_.connect_timeout); started) {
      return std::nullopt;
    }
    --connecting_;
    connection->Close();
    start_error_ = Error{Code::kExhausted, Side::kInternal, Retry::kSafe, "epoll_ctl"};
  } else {
    start_error_ = std::move(fd).error();
    // What our side lacks is not the endpoint's fault.
    start_error_.side = start_error_.code == Code::kExhausted ? Side::kInternal : Side::kUpstream;
    start_error_.retry = Retry::kSafe;
  }
  stats_.connect_failures.Inc();
  request.Unlink();
  failed_.PushBack(request);
  loop_.Defer(failed_task_);
  return std::nullopt;
}

// Who waits has a connection on its way, but for those that found no room for one.
UpstreamRequest* Pool::FindWithoutConnection() {
  if (multiplexed_ && connecting_ > 0) return nullptr;
  const bool single_use = settings_.proxy_protocol != ProxyProtocolVersion::kOff;
  uint32_t connecting = connecting_;
  return waiting_.FindFirst([&](const UpstreamRequest& request) {
    if (single_use) return request.wait_id_ == 0;
    if (connecting == 0) return true;
    --connecting;
    return false;
  });
}

void Pool::ServeNow() {
  UpstreamRequest* without = FindWithoutConnection();
  if (without == nullptr) return;
  UpstreamConnection* ready =
      ready_.FindFirst([](const UpstreamConnection& each) { return each.CanOpen(); });
  if (ready != nullptr && !waiting_.front().fresh_only_) {
    UpstreamRequest& request = waiting_.front();
    request.Unlink();
    Attach(request, *ready, true);
    ServeWaiting();
    return request.events_.OnUpstreamReady();
  }
  if (!StartConnection(*without)) ServeWaiting();
}

void Pool::NotifyFailedStart() {
  List<UpstreamRequest> told;  // one that tries again is told the next time
  told.Splice(failed_);
  while (!told.empty()) {
    UpstreamRequest& request = told.front();
    request.Unlink();
    request.events_.OnUpstreamFailed(start_error_);
  }
}

void Pool::OnConnectionReady(UpstreamConnection& connection) {
  --connecting_;
  stats_.connect_duration.Record(
      static_cast<uint64_t>((loop_.now() - connection.started_) / kMicrosecond));
  if (connection.single_use_) {
    UpstreamRequest* request = FindStarter(connection);
    if (request == nullptr) return connection.Close();
    request->Unlink();
    Attach(*request, connection, false);
    return request->events_.OnUpstreamReady();
  }
  if (connection.codec_->CanReset()) return Share(connection);
  OnConnectionIdle(connection);
}

UpstreamRequest* Pool::FindStarter(const UpstreamConnection& connection) {
  return waiting_.FindFirst(
      [&](const UpstreamRequest& waiting) { return waiting.wait_id_ == connection.wait_id_; });
}

void Pool::Share(UpstreamConnection& connection) {
  Keep(connection);
  while (!waiting_.empty() && connection.CanOpen()) {
    UpstreamRequest& request = waiting_.front();
    request.Unlink();
    Attach(request, connection, false);
    request.events_.OnUpstreamReady();
  }
  if (!waiting_.empty() && connecting_ == 0) StartConnection(waiting_.front());
}

void Pool::RenewIdle(UpstreamConnection& connection) {
  connection.idle_deadline_ = loop_.now() + settings_.pool.idle_timeout;
  if (!sweep_.pending()) sweep_.Start(settings_.pool.idle_timeout);
}

void Pool::OnConnectionIdle(UpstreamConnection& connection) {
  UpstreamRequest* request = waiting_.FindFirst([&](const UpstreamRequest& waiting) {
    return !waiting.fresh_only_ || connection.requests_ == 0;
  });
  if (request != nullptr) {
    request->Unlink();
    Attach(*request, connection, connection.requests_ > 0);
    return request->events_.OnUpstreamReady();
  }
  // One that waits for a fresh connection, where there may be no more of them.
  if (!waiting_.empty() && connecting_ == 0) return connection.Close();
  if (settings_.pool.idle == 0 || !connection.CanOpen()) return connection.Close();
  if (ready_count_ >= settings_.pool.idle && ready_.back().attached_ == 0) {
    stats_.connections_expired.Inc();
    ready_.back().Close();
  }
  Keep(connection);
}

void Pool::Keep(UpstreamConnection& connection) {
  Nanos keep = settings_.pool.idle_timeout;
  // The upstream closes after what it says; so we stop using it well before.
  if (const uint32_t peer = connection.codec_->PeerIdleSeconds(); peer > 0) {
    keep = std::min<Nanos>(keep, Nanos{peer} * kSecond * 4 / 5);
  }
  connection.idle_deadline_ = loop_.now() + keep;
  SetReady(connection, true);
  if (!sweep_.pending() || sweep_.deadline() > connection.idle_deadline_ + kSecond) {
    sweep_.Start(keep);
  }
}

void Pool::SweepIdle() {
  Nanos next = 0;
  ready_.ForEach([&](UpstreamConnection& connection) {
    if (connection.attached_ > 0) return;
    if (connection.idle_deadline_ <= loop_.now()) {
      stats_.connections_expired.Inc();
      connection.Close();
    } else if (next == 0 || connection.idle_deadline_ < next) {
      next = connection.idle_deadline_;
    }
  });
  if (next != 0) sweep_.Start(next - loop_.now());
}

void Pool::OnConnectionFailed(UpstreamConnection& connection, const Error& error) {
  --connecting_;
  stats_.connect_failures.Inc();
  if (error.code == Code::kTimeout) stats_.connect_timeouts.Inc();
  connection.Close();
  FailWaiting(connection, error);
}

void Pool::FailWaiting(const UpstreamConnection& lost, const Error& error) {
  List<UpstreamRequest> told;
  if (lost.single_use_) {
    if (UpstreamRequest* request = FindStarter(lost)) {
      request->Unlink();
      told.PushBack(*request);
    }
  } else if (multiplexed_) {
    if (connecting_ == 0) told.Splice(waiting_);
  } else if (!waiting_.empty()) {
    UpstreamRequest& request = waiting_.front();
    request.Unlink();
    told.PushBack(request);
  }
  while (!told.empty()) {
    UpstreamRequest& request = told.front();
    request.Unlink();
    request.events_.OnUpstreamFailed(error);
  }
}

void Pool::Remove(UpstreamConnection& connection) {
  SetReady(connection, false);
  connection.Unlink();
  --connections_;
  stats_.connections_active.Sub();
  connection.cluster_permit_.Give();
  connection.endpoint_permit_.Give();
  ServeWaiting();
}

}  // namespace sluice
