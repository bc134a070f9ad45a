// Result<T>: a value, or an Error that says what went wrong, on whose side, and whether trying
// again is safe. Errors walk up as values to the outermost event callback; only that frame acts on
// them.
#ifndef SLUICE_CORE_BASE_RESULT_H_
#define SLUICE_CORE_BASE_RESULT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace sluice {

// What went wrong. The HTTP status that a code answers with is core/http's business (status.h).
enum class Code : uint8_t {
  kInternal,         // our own fault
  kInvalidArgument,  // bad input: config, flags, an API call
  kNotFound,
  kAlreadyExists,
  kPermission,
  kExhausted,  // fds, memory, disk
  kIo,         // a system call failed for a reason without a code of its own
  kTimeout,
  kRefused,          // connect refused or unreachable
  kReset,            // the peer reset the connection or the stream
  kClosed,           // the peer closed in an orderly way, where more was due
  kCanceled,         // we stopped it ourselves
  kUnavailable,      // nobody to send it to
  kOverflow,         // a limit of ours
  kProtocol,         // the peer broke the protocol
  kHeadTooLarge,     // 431
  kTargetTooLong,    // 414
  kBodyTooLarge,     // 413
  kNotImplemented,   // a method or transfer coding we do not know: 501
  kVersion,          // an HTTP version we do not speak: 505
  kUpgradeRequired,  // HTTP/1.0 where it is off: 426
  kMismatch,         // what was to be changed is not what is there: 412
};

enum class Side : uint8_t { kInternal, kDownstream, kUpstream };

// May the same request be sent again?
enum class Retry : uint8_t {
  kNever,     // it may have been acted upon
  kIfReused,  // safe only if it failed on a reused connection: the stale keep-alive race
  kSafe,      // it was certainly not acted upon
};

struct Error {
  Code code = Code::kInternal;
  Side side = Side::kInternal;
  Retry retry = Retry::kNever;
  std::string detail;  // for the log; response_code_details takes it as it is
};

template <typename T>
using Result = tl::expected<T, Error>;

// return Fail(Code::kIo, "open conf.yaml: No such file or directory");
inline tl::unexpected<Error> Fail(Code code, std::string detail, Side side = Side::kInternal,
                                  Retry retry = Retry::kNever) {
  return tl::unexpected<Error>(Error{code, side, retry, std::move(detail)});
}

// Passes an error up unchanged: return Fail(std::move(result).error());
inline tl::unexpected<Error> Fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

// The error of a failed system call: "WHAT: strerror(errno_value)", with the code that fits.
Error SystemError(std::string_view what, int errno_value, Side side = Side::kInternal);

// A short lower-case name, for logs: "protocol", "timeout".
std::string_view CodeName(Code code);

}  // namespace sluice

// Passes an error on, or goes on: SLUICE_TRY(file.Flush());
#define SLUICE_TRY(expression)                                     \
  do {                                                             \
    auto sluice_try_result = (expression);                         \
    if (!sluice_try_result) [[unlikely]]                           \
      return ::sluice::Fail(std::move(sluice_try_result).error()); \
  } while (false)

#endif  // SLUICE_CORE_BASE_RESULT_H_
