// Chaos (tests/support/chaos.h), a short form of what tests/soak does at length.
#include "tests/support/chaos.h"

#include <gtest/gtest.h>

namespace sluice::test {
namespace {

class ChaosTest : public ::testing::TestWithParam<uint64_t> {};

TEST_P(ChaosTest, NothingIsWrongAndNothingIsLeft) {
  const ChaosResult result = RunChaos(GetParam(), 2500);
  // It is chaos, and the proxy works in it.
  EXPECT_GT(result.whole, 1000U);
  EXPECT_GT(result.refused, 100U);
  EXPECT_GT(result.cut, 50U);
  EXPECT_GT(result.abandoned, 50U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ChaosTest, ::testing::Values(1, 2, 3, 4));

}  // namespace
}  // namespace sluice::test
