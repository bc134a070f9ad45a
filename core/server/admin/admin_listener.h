// AdminListener: the admin API's own listener, served by the main thread through the same HTTP
// stack as every other. Owned by the server; of the main thread.
#ifndef SLUICE_CORE_SERVER_ADMIN_ADMIN_LISTENER_H_
#define SLUICE_CORE_SERVER_ADMIN_ADMIN_LISTENER_H_

#include <memory>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/proxy/listener_runtime.h"
#include "core/proxy/listener_settings.h"
#include "core/proxy/proxy_worker.h"
#include "core/server/acceptor.h"
#include "core/server/admin/admin_guard.h"
#include "core/server/admin/admin_table.h"
#include "core/server/connection_limit.h"

namespace sluice {

class AdminListener final : private AcceptorOwner {
 public:
  // All borrowed; they outlive it. `token`: see AdminGuard.
  AdminListener(Loop& loop, StatsDirectory& stats, const ServerStatus& status,
                const AdminTable& table, std::string_view token);
  // Closes every connection.
  ~AdminListener();

  // The sockets stay the caller's.
  Result<void> Start(const std::vector<int>& sockets);
  // See Acceptor. Connections stay.
  void StopAccepting();
  void ResumeAccepting();

 private:
  // At each address. Apart from the limit of clients, so that operators get in when that is
  // reached, and the probes of one address when another's callers stay.
  static constexpr uint32_t kConnections = 64;

  void OnConnectionCount(int change) override;
  void OnRoomWanted(Acceptor&, bool) override {}

  std::unique_ptr<const ListenerSettings> settings_;
  std::unique_ptr<const ListenerSettings> unix_settings_;  // speaks text too
  ProxyWorker worker_;
  ProxyGeneration generation_;
  const AdminGuard guard_;
  ListenerRuntime runtime_;
  ListenerRuntime unix_runtime_;
  ConnectionLimit overall_{0};
  std::vector<std::unique_ptr<ConnectionLimit>> limits_;  // one a socket
  std::vector<std::unique_ptr<Acceptor>> acceptors_;      // one a socket
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_ADMIN_ADMIN_LISTENER_H_
