// Restarts and reloads under load, many in a row.
#include <gtest/gtest.h>

#include "tests/support/restart_soak.h"

namespace sluice::test {
namespace {

TEST(RestartSoakTest, AHundredRestartsLoseNothing) { SoakRestarts(SLUICE_BINARY, 100); }

TEST(RestartSoakTest, AThousandReloadsLoseNothing) {
  SoakReloads(SLUICE_BINARY, 1000, uint64_t{1} << 30);
}

}  // namespace
}  // namespace sluice::test
