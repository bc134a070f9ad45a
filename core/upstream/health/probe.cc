#include "core/upstream/health/probe.h"

#include "core/net/address.h"
#include "core/net/proxy_protocol.h"
#include "core/upstream/cluster.h"
#include "core/upstream/health/health_settings.h"

namespace sluice {

std::string ProbePreface(const ProbeContext& context) {
  const ProxyProtocolVersion version = context.cluster.proxy_protocol;
  if (version == ProxyProtocolVersion::kOff || context.health.port != 0) return {};
  const Address nobody;
  char header[kMaxWrittenProxyHeader];
  const size_t size = version == ProxyProtocolVersion::kV1
                          ? WriteProxyHeaderV1(nobody, nobody, header)
                          : WriteProxyHeaderV2(nobody, nobody, header);
  return std::string(header, size);
}

}  // namespace sluice
