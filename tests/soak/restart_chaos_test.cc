// A process stopped at each step of a restart, and woken again: seconds each.
#include "tests/support/restart_chaos.h"

#include <gtest/gtest.h>
#include <signal.h>

namespace sluice::test {
namespace {

class RestartStopTest : public testing::TestWithParam<RestartChaosCase> {};

TEST_P(RestartStopTest, SomebodyServes) { RunRestartChaos(SLUICE_BINARY, GetParam()); }

std::string NameOf(const testing::TestParamInfo<RestartChaosCase>& info) {
  return info.param.Name();
}

INSTANTIATE_TEST_SUITE_P(StopOld, RestartStopTest,
                         testing::ValuesIn(RestartChaosCases(SIGSTOP, true)), NameOf);
INSTANTIATE_TEST_SUITE_P(StopNew, RestartStopTest,
                         testing::ValuesIn(RestartChaosCases(SIGSTOP, false)), NameOf);

}  // namespace
}  // namespace sluice::test
