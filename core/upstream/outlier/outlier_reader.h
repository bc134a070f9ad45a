// Reads a cluster's `outlier_detection` into plain settings. Main thread.
#ifndef SLUICE_CORE_UPSTREAM_OUTLIER_OUTLIER_READER_H_
#define SLUICE_CORE_UPSTREAM_OUTLIER_OUTLIER_READER_H_

#include "core/upstream/outlier/outlier_settings.h"

namespace sluice {
namespace config {
class OutlierDetection;
}

// REQUIRES: the loader has filled in the defaults.
OutlierSettings ReadOutlierDetection(const config::OutlierDetection& config);

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_OUTLIER_OUTLIER_READER_H_
