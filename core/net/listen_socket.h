// Opening listening sockets. On the main thread, before workers start or a listener is added; the
// sockets are the server's, which passes them on at a hot restart. Accepting from them: listener.h.
#ifndef SLUICE_CORE_NET_LISTEN_SOCKET_H_
#define SLUICE_CORE_NET_LISTEN_SOCKET_H_

#include <sys/types.h>

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/net/address.h"
#include "core/net/fd.h"

namespace sluice {

struct ListenOptions {
  int backlog = 4096;  // the kernel takes net.core.somaxconn if that is less
  // Of a unix-domain socket's file. -1 leaves the owner or the group as it is.
  mode_t mode = 0660;
  uid_t owner = static_cast<uid_t>(-1);
  gid_t group = static_cast<gid_t>(-1);
};

struct ListenSockets {
  Address address;  // with the port that the kernel chose for port 0
  // For TCP `count` sockets of one SO_REUSEPORT group, among which the kernel spreads connections:
  // one a worker, and each must be accepted from. For a unix-domain address one, shared by all.
  std::vector<Fd> fds;
};

// Binds and listens. What connects to these is TCP_NODELAY from the start: accepted sockets inherit
// it. IPv6 sockets take IPv6 only. The file of a unix socket that nobody listens on any more is
// replaced; another file, or an address that somebody listens on, is an error that names it.
// REQUIRES: count > 0.
Result<ListenSockets> OpenListenSockets(const Address& address, size_t count,
                                        const ListenOptions& options = {});

// Adds sockets to a TCP address' group until it has `count`: for more workers than the process had
// that the others came from.
Result<void> AddListenSockets(ListenSockets& sockets, size_t count, const ListenOptions& options);

// Removes the file of a unix-domain address; nothing for others.
void RemoveSocketFile(const Address& address);

// The ids of a user and a group, each by name or number; "" gives -1.
Result<uid_t> FindUser(std::string_view name);
Result<gid_t> FindGroup(std::string_view name);

}  // namespace sluice

#endif  // SLUICE_CORE_NET_LISTEN_SOCKET_H_
