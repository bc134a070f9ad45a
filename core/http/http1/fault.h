// Fault: what a codec found wrong with its peer, as a pointer to one of a few constants; null is
// fine. It becomes an Error only where it leaves the codec, so that reading well-formed messages
// never touches a string.
#ifndef SLUICE_CORE_HTTP_HTTP1_FAULT_H_
#define SLUICE_CORE_HTTP_HTTP1_FAULT_H_

#include <string>
#include <string_view>

#include "core/base/result.h"

namespace sluice::http1 {

struct Fault {
  Code code;
  std::string_view detail;  // what the access log says
};

inline constexpr Fault kCodecError{Code::kProtocol, "http1.codec_error"};
inline constexpr Fault kInvalidCharacters{Code::kProtocol, "http1.invalid_characters"};
inline constexpr Fault kInvalidUrl{Code::kProtocol, "http1.invalid_url"};
inline constexpr Fault kTargetTooLong{Code::kTargetTooLong, "http1.url_too_long"};
inline constexpr Fault kHeadTooLarge{Code::kHeadTooLarge, "http1.headers_too_large"};
inline constexpr Fault kTooManyHeaders{Code::kHeadTooLarge, "http1.too_many_headers"};
inline constexpr Fault kUnknownMethod{Code::kNotImplemented, "http1.unknown_method"};
inline constexpr Fault kUnsupportedVersion{Code::kVersion, "http1.unsupported_version"};
inline constexpr Fault kLowVersion{Code::kUpgradeRequired, "low_version"};
inline constexpr Fault kMissingHost{Code::kProtocol, "missing_host_header"};
inline constexpr Fault kInvalidHost{Code::kProtocol, "http1.invalid_host"};
inline constexpr Fault kInvalidLength{Code::kProtocol, "http1.invalid_content_length"};
inline constexpr Fault kLengthAndChunked{Code::kProtocol,
                                         "http1.content_length_and_chunked_not_allowed"};
inline constexpr Fault kInvalidCoding{Code::kProtocol, "http1.invalid_transfer_encoding"};
inline constexpr Fault kUnknownCoding{Code::kNotImplemented, "http1.invalid_transfer_encoding"};
inline constexpr Fault kBodyDisallowed{Code::kProtocol, "http1.body_disallowed"};
inline constexpr Fault kConnectionRejected{Code::kProtocol, "http1.connection_header_rejected"};
inline constexpr Fault kUnsolicited{Code::kProtocol, "http1.unsolicited_response"};
inline constexpr Fault kTooManyInformational{Code::kProtocol, "http1.too_many_informational"};

inline tl::unexpected<Error> Fail(const Fault& fault, Side side) {
  return sluice::Fail(fault.code, std::string(fault.detail), side);
}

}  // namespace sluice::http1

#endif  // SLUICE_CORE_HTTP_HTTP1_FAULT_H_
