#include "core/net/listen_socket.h"

#include <grp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <optional>
#include <string>

#include "core/base/strings.h"
#include "core/net/socket.h"

namespace sluice {
namespace {

tl::unexpected<Error> FailOn(const Address& address, std::string_view call) {
  const int error = errno;
  return Fail(SystemError(StrCat({"listen on ", address.ToString(), ": ", call}), error));
}

bool SetOption(int fd, int level, int option) {
  const int on = 1;
  return setsockopt(fd, level, option, &on, sizeof(on)) == 0;
}

// A socket that is bound to `address` and does not listen yet.
Result<Fd> BindTcp(const Address& address, bool reuse_port) {
  sockaddr_storage storage;
  const socklen_t size = address.ToSockaddr(storage);
  Fd fd(socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return FailOn(address, "socket");
  if (!SetOption(fd.get(), SOL_SOCKET, SO_REUSEADDR) ||
      (reuse_port && !SetOption(fd.get(), SOL_SOCKET, SO_REUSEPORT)) ||
      !SetOption(fd.get(), IPPROTO_TCP, TCP_NODELAY) ||
      (storage.ss_family == AF_INET6 && !SetOption(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY))) {
    return FailOn(address, "setsockopt");
  }
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&storage), size) != 0) {
    return FailOn(address, "bind");
  }
  return fd;
}

Result<ListenSockets> OpenTcp(const Address& address, size_t count, const ListenOptions& options) {
  ListenSockets sockets{.address = address, .fds = {}};
  if (address.port() != 0) {
    // A second process that was started by mistake would join the group of the first and take a
    // part of its connections: without SO_REUSEPORT the kernel refuses.
    SLUICE_TRY(BindTcp(address, false));
  }
  for (size_t i = 0; i < count; ++i) {
    Result<Fd> fd = BindTcp(sockets.address, true);
    if (!fd) return Fail(std::move(fd).error());
    if (i == 0) sockets.address = LocalAddress(fd->get());
    sockets.fds.push_back(std::move(*fd));
  }
  for (const Fd& fd : sockets.fds) {
    if (listen(fd.get(), options.backlog) != 0) return FailOn(address, "listen");
  }
  return sockets;
}

// Makes way for a unix socket: removes what a process left behind that is gone.
Result<void> RemoveStaleFile(const Address& address, const std::string& path) {
  struct stat status;
  if (lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return {};
    return FailOn(address, "stat");
  }
  if (!S_ISSOCK(status.st_mode)) {
    return Fail(Code::kAlreadyExists, StrCat({"listen on ", address.ToString(),
                                              ": the file exists and is not a socket"}));
  }
  sockaddr_storage storage;
  const socklen_t size = address.ToSockaddr(storage);
  const Fd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!probe) return FailOn(address, "socket");
  // Anything but a refusal may mean that it is in use, such as EAGAIN for a full queue.
  if (connect(probe.get(), reinterpret_cast<const sockaddr*>(&storage), size) == 0 ||
      errno != ECONNREFUSED) {
    if (errno == EACCES || errno == EPERM) return FailOn(address, "connect");
    return Fail(Code::kAlreadyExists,
                StrCat({"listen on ", address.ToString(), ": another process listens there"}));
  }
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return FailOn(address, "unlink");
  return {};
}

Result<ListenSockets> OpenUnix(const Address& address, const ListenOptions& options) {
  const std::string path(address.unix_name());
  const bool file = !path.starts_with('@');
  if (file) SLUICE_TRY(RemoveStaleFile(address, path));
  sockaddr_storage storage;
  const socklen_t size = address.ToSockaddr(storage);
  Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return FailOn(address, "socket");
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&storage), size) != 0) {
    return FailOn(address, "bind");
  }
  // Nobody can connect before listen(): there is no moment with other rights.
  const auto open = [&]() -> Result<void> {
    if (file && chmod(path.c_str(), options.mode) != 0) return FailOn(address, "chmod");
    const bool owned =
        options.owner != static_cast<uid_t>(-1) || options.group != static_cast<gid_t>(-1);
    if (file && owned && chown(path.c_str(), options.owner, options.group) != 0) {
      return FailOn(address, "chown");
    }
    if (listen(fd.get(), options.backlog) != 0) return FailOn(address, "listen");
    return {};
  };
  if (Result<void> opened = open(); !opened) {
    RemoveSocketFile(address);
    return Fail(std::move(opened).error());
  }
  ListenSockets sockets{.address = address, .fds = {}};
  sockets.fds.push_back(std::move(fd));
  return sockets;
}

// Calls `look_up` (getpwnam_r and the like) with a buffer that is large enough; returns its errno.
template <typename Entry, typename LookUp>
int LookUpEntry(Entry** found, LookUp look_up) {
  std::string buffer(1024, '\0');
  for (;;) {
    const int error = look_up(buffer.data(), buffer.size(), found);
    if (error != ERANGE || buffer.size() > 1024 * 1024) return error;
    buffer.resize(buffer.size() * 2);
  }
}

std::optional<uint32_t> ParseId(std::string_view name) {
  const std::optional<uint64_t> id = ParseDecimal(name);
  if (!id || *id >= UINT32_MAX) return {};
  return static_cast<uint32_t>(*id);
}

tl::unexpected<Error> NotFound(std::string_view kind, std::string_view name, int error) {
  if (error != 0) return Fail(SystemError(StrCat({"look up the ", kind, " ", name}), error));
  return Fail(Code::kNotFound, StrCat({"there is no ", kind, " \"", name, "\""}));
}

}  // namespace

Result<ListenSockets> OpenListenSockets(const Address& address, size_t count,
                                        const ListenOptions& options) {
  if (address.is_ip()) return OpenTcp(address, count, options);
  if (address.unix_name().empty()) return Fail(Code::kInvalidArgument, "listen: no address");
  return OpenUnix(address, options);
}

Result<void> AddListenSockets(ListenSockets& sockets, size_t count, const ListenOptions& options) {
  while (sockets.fds.size() < count) {
    Result<Fd> fd = BindTcp(sockets.address, true);
    if (!fd) return Fail(std::move(fd).error());
    if (listen(fd->get(), options.backlog) != 0) return FailOn(sockets.address, "listen");
    sockets.fds.push_back(std::move(*fd));
  }
  return {};
}

void RemoveSocketFile(const Address& address) {
  const std::string path(address.unix_name());
  if (!path.empty() && path[0] != '@') unlink(path.c_str());
}

Result<uid_t> FindUser(std::string_view name) {
  if (name.empty()) return static_cast<uid_t>(-1);
  if (const std::optional<uint32_t> id = ParseId(name)) return *id;
  passwd entry;
  passwd* found = nullptr;
  const std::string text(name);
  const int error = LookUpEntry(&found, [&](char* buffer, size_t size, passwd** out) {
    return getpwnam_r(text.c_str(), &entry, buffer, size, out);
  });
  if (found == nullptr) return NotFound("user", name, error);
  return found->pw_uid;
}

Result<gid_t> FindGroup(std::string_view name) {
  if (name.empty()) return static_cast<gid_t>(-1);
  if (const std::optional<uint32_t> id = ParseId(name)) return *id;
  group entry;
  group* found = nullptr;
  const std::string text(name);
  const int error = LookUpEntry(&found, [&](char* buffer, size_t size, group** out) {
    return getgrnam_r(text.c_str(), &entry, buffer, size, out);
  });
  if (found == nullptr) return NotFound("group", name, error);
  return found->gr_gid;
}

}  // namespace sluice
