// The few socket calls that connecting, listening and accepting need, with errors as values. No
// state; any thread.
#ifndef SLUICE_CORE_NET_SOCKET_H_
#define SLUICE_CORE_NET_SOCKET_H_

#include "core/base/result.h"
#include "core/net/address.h"
#include "core/net/fd.h"

namespace sluice {

// A non-blocking, close-on-exec stream socket that connects to `address`, with TCP_NODELAY. It is
// writable, or hung up, when the connect has ended: then FinishConnect says how. Errors are the
// upstream's and safe to retry, except those of our own side (out of fds).
Result<Fd> StartConnect(const Address& address);
// How a connect ended.
Result<void> FinishConnect(int fd);

// kNone if the fd has none.
Address LocalAddress(int fd);

// Ends our side of the stream; the other is still read. A socket that is gone already is no error.
void ShutdownWrite(int fd);
// Makes close(fd) reset a TCP connection: what was not sent is dropped.
void ResetOnClose(int fd);

}  // namespace sluice

#endif  // SLUICE_CORE_NET_SOCKET_H_
