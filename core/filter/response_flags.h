// ResponseFlag: the short reasons that access logs and stats give for a response that was not
// simply the upstream's. A set of them is a bit mask.
#ifndef SLUICE_CORE_FILTER_RESPONSE_FLAGS_H_
#define SLUICE_CORE_FILTER_RESPONSE_FLAGS_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice {

// X(constant, short name, long name); the terms are Envoy's.
#define SLUICE_RESPONSE_FLAGS(X)                                               \
  X(kNoHealthyUpstream, "UH", "NoHealthyUpstream")                             \
  X(kUpstreamConnectionFailure, "UF", "UpstreamConnectionFailure")             \
  X(kUpstreamOverflow, "UO", "UpstreamOverflow")                               \
  X(kNoRouteFound, "NR", "NoRouteFound")                                       \
  X(kUpstreamRetryLimitExceeded, "URX", "UpstreamRetryLimitExceeded")          \
  X(kNoClusterFound, "NC", "NoClusterFound")                                   \
  X(kDurationTimeout, "DT", "DurationTimeout")                                 \
  X(kDownstreamConnectionTermination, "DC", "DownstreamConnectionTermination") \
  X(kFailedLocalHealthCheck, "LH", "FailedLocalHealthCheck")                   \
  X(kUpstreamRequestTimeout, "UT", "UpstreamRequestTimeout")                   \
  X(kLocalReset, "LR", "LocalReset")                                           \
  X(kUpstreamRemoteReset, "UR", "UpstreamRemoteReset")                         \
  X(kUpstreamConnectionTermination, "UC", "UpstreamConnectionTermination")     \
  X(kDelayInjected, "DI", "DelayInjected")                                     \
  X(kFaultInjected, "FI", "FaultInjected")                                     \
  X(kRateLimited, "RL", "RateLimited")                                         \
  X(kUnauthorizedExternalService, "UAEX", "UnauthorizedExternalService")       \
  X(kRateLimitServiceError, "RLSE", "RateLimitServiceError")                   \
  X(kStreamIdleTimeout, "SI", "StreamIdleTimeout")                             \
  X(kDownstreamProtocolError, "DPE", "DownstreamProtocolError")                \
  X(kUpstreamProtocolError, "UPE", "UpstreamProtocolError")                    \
  X(kResponseFromCache, "RFCF", "ResponseFromCacheFilter")                     \
  X(kOverloadManager, "OM", "OverloadManagerTerminated")                       \
  X(kDnsResolutionFailed, "DF", "DnsResolutionFailed")                         \
  X(kDownstreamRemoteReset, "DR", "DownstreamRemoteReset")

enum class ResponseFlag : uint8_t {
  kNone = 0,
#define SLUICE_FLAG_ENUM(id, name, long_name) id,
  SLUICE_RESPONSE_FLAGS(SLUICE_FLAG_ENUM)
#undef SLUICE_FLAG_ENUM
      kCount
};

class ResponseFlags {
 public:
  void Set(ResponseFlag flag) {
    if (flag != ResponseFlag::kNone) bits_ |= Bit(flag);
  }
  bool Has(ResponseFlag flag) const { return (bits_ & Bit(flag)) != 0; }
  bool none() const { return bits_ == 0; }
  uint32_t bits() const { return bits_; }

  // "UF,URX", in the table's order; "-" for none.
  std::string ToString() const;
  std::string ToLongString() const;

 private:
  static uint32_t Bit(ResponseFlag flag) { return uint32_t{1} << static_cast<uint32_t>(flag); }
  uint32_t bits_ = 0;
};

// The flag of a short name such as "UF"; kNone if there is none of it.
ResponseFlag FindResponseFlag(std::string_view short_name);
std::string_view ResponseFlagName(ResponseFlag flag);

}  // namespace sluice

#endif  // SLUICE_CORE_FILTER_RESPONSE_FLAGS_H_
