// AdminGuard: who may do what over the admin API. Owned by the admin listener; of the main thread.
//
// With a token: whoever knows it (RFC 6750), but that open rows, and unix sockets that are files,
// ask for none: the file's mode says who may connect. Without one, actions over TCP are not for web
// pages: a browser on this machine could be made to send them (CSRF, DNS rebinding).
#ifndef SLUICE_CORE_SERVER_ADMIN_ADMIN_GUARD_H_
#define SLUICE_CORE_SERVER_ADMIN_ADMIN_GUARD_H_

#include <optional>
#include <string>
#include <string_view>

#include "core/filter/stream_info.h"
#include "core/http/message.h"
#include "core/server/admin/admin_table.h"

namespace sluice {

class AdminGuard {
 public:
  // An empty token: there is none.
  explicit AdminGuard(std::string_view token) : token_(token) {}

  // Why the request is refused; nothing if it may go on. `row`: null if there is none.
  std::optional<AdminReply> Refuse(const RequestHead& head, const ConnectionInfo& connection,
                                   const AdminRow* row) const;

 private:
  bool Knows(std::string_view authorization) const;

  const std::string token_;
};

// For the log: "127.0.0.1:4711", or for a unix socket's client "uid 0, pid 4711".
std::string AdminClientName(const ConnectionInfo& connection);

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_ADMIN_ADMIN_GUARD_H_
