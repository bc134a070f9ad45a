// Restarts and reloads under load, a few; tests/soak has many.
#include <gtest/gtest.h>

#include "tests/support/restart_soak.h"

namespace sluice::test {
namespace {

TEST(RestartLoadTest, ThreeRestartsLoseNothing) { SoakRestarts(SLUICE_BINARY, 3); }

TEST(RestartLoadTest, TwentyReloadsLoseNothing) { SoakReloads(SLUICE_BINARY, 20, 32 << 20); }

}  // namespace
}  // namespace sluice::test
