#include "core/proxy/failure.h"

#include "core/base/random.h"
#include "core/base/strings.h"

namespace sluice {

Failure OverloadFailure(FailReason reason, ResponseFlag flag, std::string_view details,
                        std::string_view body, uint64_t retry_after_seconds) {
  Failure failure = {
      .reason = reason, .status = 503, .flag = flag, .details = details, .body = body};
  failure.headers.emplace_back("x-sluice-overloaded", "1");
  failure.headers.emplace_back("retry-after", Decimal(retry_after_seconds).view());
  return failure;
}

Failure OverloadFailure(ResponseFlag flag, std::string_view details, Random& random) {
  return OverloadFailure(FailReason::kLimit, flag, details, "overloaded\n", 1 + random.Below(3));
}

}  // namespace sluice
