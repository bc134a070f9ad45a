// What the configuration says of active checks, as the upstream room uses it.
#ifndef SLUICE_CORE_UPSTREAM_HEALTH_HEALTH_READER_H_
#define SLUICE_CORE_UPSTREAM_HEALTH_HEALTH_READER_H_

#include "core/upstream/health/health_settings.h"

namespace sluice {

namespace config {
class Health;
}

HealthSettings ReadHealth(const config::Health& config);

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_HEALTH_HEALTH_READER_H_
