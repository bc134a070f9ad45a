// HTTP status codes: their standard reason phrases, and which one answers an Error.
#ifndef SLUICE_CORE_HTTP_STATUS_H_
#define SLUICE_CORE_HTTP_STATUS_H_

#include <cstdint>
#include <string_view>

#include "core/base/result.h"

namespace sluice {

// "Not Found"; a phrase for the whole class ("Client Error") where the status has none of its own.
std::string_view ReasonPhrase(uint16_t status);

// The status of the local reply to an error of the downstream side or of our own.
uint16_t StatusOf(Code code);
// The same for any error: what an upstream did wrong is answered with 502, 503 or 504.
uint16_t StatusOf(const Error& error);

}  // namespace sluice

#endif  // SLUICE_CORE_HTTP_STATUS_H_
