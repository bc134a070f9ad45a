// Reads a cluster's `balance` into plain settings. Main thread.
#ifndef SLUICE_CORE_UPSTREAM_BALANCE_READER_H_
#define SLUICE_CORE_UPSTREAM_BALANCE_READER_H_

#include "core/upstream/balance/balance_settings.h"

namespace sluice {
namespace config {
class Balance;
}

// What the loader did not fill in keeps the defaults of the struct.
BalanceSettings ReadBalance(const config::Balance& config);

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BALANCE_READER_H_
