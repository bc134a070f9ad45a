// AdminListener: the admin API's own listener, served by the main thread through the same HTTP
// stack as every other. Owned by the server; of the main thread.
#ifndef SLUICE_CORE_SERVER_ADMIN_ADMIN_LISTENER_H_
#define SLUICE_CORE_SERVER_ADMIN_ADMIN_LISTENER_H_

#include <memory>

#include "core/base/result.h"
#include "core/proxy/listener_runtime.h"
#include "core/proxy/listener_settings.h"
#include "core/proxy/proxy_worker.h"
#include "core/server/acceptor.h"
#include "core/server/admin/admin_table.h"
#include "core/server/connection_limit.h"

namespace sluice {

class AdminListener final : private AcceptorOwner {
 public:
  // All borrowed; they outlive it.
  AdminListener(Loop& loop, StatsDirectory& stats, const ServerStatus& status,
                const AdminTable& table);
  // Closes every connection.
  ~AdminListener();

  // The socket stays the caller's.
  Result<void> Start(int fd) { return acceptor_.Start(fd); }
  // See Acceptor. Connections stay.
  void StopAccepting() { acceptor_.StopAccepting(); }
  void ResumeAccepting() { acceptor_.ResumeAccepting(); }

 private:
  // Apart from the limit of clients, so that operators get in when that is reached.
  static constexpr uint32_t kConnections = 64;

  void OnConnectionCount(int) override {
    if (acceptor_.full()) acceptor_.OnRoom();
  }
  void OnRoomWanted(Acceptor&, bool) override {}

  std::unique_ptr<const ListenerSettings> settings_;
  ProxyWorker worker_;
  ProxyGeneration generation_;
  ListenerRuntime runtime_;
  ConnectionLimit limit_{kConnections};
  ConnectionLimit overall_{0};
  Acceptor acceptor_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_ADMIN_ADMIN_LISTENER_H_
