#include "core/base/result.h"

#include <cerrno>
#include <cstring>

namespace sluice {
namespace {

Code CodeOf(int errno_value) {
  switch (errno_value) {
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EADDRNOTAVAIL:
      return Code::kRefused;
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
      return Code::kReset;
    case ETIMEDOUT:
      return Code::kTimeout;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case ENOSPC:
    case EDQUOT:
      return Code::kExhausted;
    case EACCES:
    case EPERM:
      return Code::kPermission;
    case ENOENT:
      return Code::kNotFound;
    case EEXIST:
    case EADDRINUSE:
      return Code::kAlreadyExists;
    default:
      return Code::kIo;
  }
}

}  // namespace

Error SystemError(std::string_view what, int errno_value, Side side) {
  std::string detail(what);
  detail += ": ";
  detail += std::strerror(errno_value);
  return Error{CodeOf(errno_value), side, Retry::kNever, std::move(detail)};
}

std::string_view CodeName(Code code) {
  static constexpr std::string_view kNames[] = {"internal",
                                                "invalid-argument",
                                                "not-found",
                                                "already-exists",
                                                "permission",
                                                "exhausted",
                                                "io",
                                                "timeout",
                                                "refused",
                                                "reset",
                                                "closed",
                                                "canceled",
                                                "unavailable",
                                                "overflow",
                                                "protocol",
                                                "head-too-large",
                                                "target-too-long",
                                                "body-too-large",
                                                "not-implemented",
                                                "version",
                                                "upgrade-required",
                                                "mismatch"};
  return kNames[static_cast<size_t>(code)];
}

}  // namespace sluice
