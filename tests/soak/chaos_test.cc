// Chaos (tests/support/chaos.h) at length: seeds that the suite does not try.
#include "tests/support/chaos.h"

#include <gtest/gtest.h>

namespace sluice::test {
namespace {

class ChaosSoakTest : public ::testing::TestWithParam<uint64_t> {};

TEST_P(ChaosSoakTest, NothingIsWrongAndNothingIsLeft) {
  const ChaosResult result = RunChaos(GetParam(), 10000);
  EXPECT_GT(result.whole, 4000U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ChaosSoakTest, ::testing::Range<uint64_t>(1000, 1020));

}  // namespace
}  // namespace sluice::test
