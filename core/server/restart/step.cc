#include "core/server/restart/step.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

#include "core/base/strings.h"
#include "core/net/fd.h"

namespace sluice {
namespace {

void Announce(const char* path, std::string_view step) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (std::strlen(path) >= sizeof(address.sun_path)) return;
  std::strcpy(address.sun_path, path);
  const Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd || connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) return;
  const std::string line = StrCat({step, " ", Decimal(static_cast<uint64_t>(getpid())), "\n"});
  if (send(fd.get(), line.data(), line.size(), MSG_NOSIGNAL) < 0) return;
  char go;
  while (recv(fd.get(), &go, 1, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace

void RestartStep(std::string_view step) {
  static const char* const path = std::getenv("SLUICE_RESTART_STEPS");
  if (path != nullptr) Announce(path, step);
}

}  // namespace sluice
