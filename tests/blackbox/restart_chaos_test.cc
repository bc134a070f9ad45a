// A process killed at each step of a restart; and stopped at the most telling ones: tests/soak has
// the others.
#include "tests/support/restart_chaos.h"

#include <gtest/gtest.h>
#include <signal.h>

#include "core/server/restart/step.h"

namespace sluice::test {
namespace {

class RestartChaosTest : public testing::TestWithParam<RestartChaosCase> {};

TEST_P(RestartChaosTest, SomebodyServes) { RunRestartChaos(SLUICE_BINARY, GetParam()); }

std::string NameOf(const testing::TestParamInfo<RestartChaosCase>& info) {
  return info.param.Name();
}

INSTANTIATE_TEST_SUITE_P(KillOld, RestartChaosTest,
                         testing::ValuesIn(RestartChaosCases(SIGKILL, true)), NameOf);
INSTANTIATE_TEST_SUITE_P(KillNew, RestartChaosTest,
                         testing::ValuesIn(RestartChaosCases(SIGKILL, false)), NameOf);
INSTANTIATE_TEST_SUITE_P(
    Stop, RestartChaosTest,
    testing::Values(RestartChaosCase{SIGSTOP, true, restart_step::kOffered},
                    RestartChaosCase{SIGSTOP, true, restart_step::kReadySent},
                    RestartChaosCase{SIGSTOP, false, restart_step::kOfferReceived},
                    RestartChaosCase{SIGSTOP, false, restart_step::kDoorOpen},
                    RestartChaosCase{SIGSTOP, false, restart_step::kReadySent}),
    NameOf);

}  // namespace
}  // namespace sluice::test
