// The request target and Host: which host and path a request asks for (RFC 9112 3.2).
#ifndef SLUICE_CORE_HTTP_HTTP1_TARGET_H_
#define SLUICE_CORE_HTTP_HTTP1_TARGET_H_

#include <string_view>

#include "core/http/http1/fault.h"
#include "core/http/message.h"

namespace sluice::http1 {

// Fills head.scheme, authority and path from the target and Host, and makes Host equal to the
// authority. REQUIRES: method(), protocol and headers are set.
const Fault* ReadTarget(std::string_view target, RequestHead& head);

}  // namespace sluice::http1

#endif  // SLUICE_CORE_HTTP_HTTP1_TARGET_H_
