#include "core/upstream/balance/priority_shares.h"

#include <gmock/gmock.h>

#include <vector>

namespace sluice {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;

std::vector<double> Shares(const std::vector<PriorityLevel>& levels, double panic = 0.5) {
  std::vector<double> shares;
  for (const PriorityShare& each : SharesOf(levels, 1.4, panic)) shares.push_back(each.share);
  return shares;
}

std::vector<bool> Panics(const std::vector<PriorityLevel>& levels, double panic = 0.5) {
  std::vector<bool> panics;
  for (const PriorityShare& each : SharesOf(levels, 1.4, panic)) panics.push_back(each.panic);
  return panics;
}

auto Near(double share) { return DoubleNear(share, 1e-9); }

TEST(PriorityShares, TheFirstKeepsAllWhileItCan) {
  EXPECT_THAT(Shares({{10, 10}, {10, 10}}), ElementsAre(Near(1), Near(0)));
  EXPECT_THAT(Shares({{100, 72}, {10, 10}}), ElementsAre(Near(1), Near(0)));
}

// The table of Envoy's documentation, with its factor of 1.4.
TEST(PriorityShares, SpillOverByHealth) {
  EXPECT_THAT(Shares({{100, 71}, {10, 10}}), ElementsAre(Near(0.994), Near(0.006)));
  EXPECT_THAT(Shares({{10, 5}, {10, 10}}), ElementsAre(Near(0.7), Near(0.3)));
  EXPECT_THAT(Shares({{4, 1}, {10, 10}}), ElementsAre(Near(0.35), Near(0.65)));
  EXPECT_THAT(Shares({{10, 0}, {10, 10}}), ElementsAre(Near(0), Near(1)));
  EXPECT_THAT(Shares({{10, 5}, {10, 1}, {10, 10}}), ElementsAre(Near(0.7), Near(0.14), Near(0.16)));
  EXPECT_THAT(Panics({{4, 1}, {10, 10}}), ElementsAre(false, false)) << "another can take it";
}

TEST(PriorityShares, TogetherTooFewTheyShareWhatThereIs) {
  EXPECT_THAT(Shares({{4, 1}, {4, 1}}), ElementsAre(Near(0.5), Near(0.5)));
  EXPECT_THAT(Panics({{4, 1}, {4, 1}}), ElementsAre(true, true));
  // One of them is not ill enough for panic.
  EXPECT_THAT(Panics({{100, 10}, {100, 60}}), ElementsAre(true, false));
}

TEST(PriorityShares, BelowTheThresholdAllAreUsed) {
  EXPECT_THAT(Panics({{10, 4}}), ElementsAre(true));
  EXPECT_THAT(Panics({{10, 5}}), ElementsAre(false));
  EXPECT_THAT(Panics({{10, 8}}), ElementsAre(false));
  EXPECT_THAT(Panics({{10, 4}}, 0.3), ElementsAre(false));
  EXPECT_THAT(Panics({{10, 1}}, 0), ElementsAre(false));
  EXPECT_THAT(Shares({{10, 4}}), ElementsAre(Near(1)));
}

TEST(PriorityShares, NobodyUsableIsEverybodyOrNobody) {
  EXPECT_THAT(Shares({{10, 0}, {30, 0}}), ElementsAre(Near(0.25), Near(0.75)));
  EXPECT_THAT(Panics({{10, 0}, {30, 0}}), ElementsAre(true, true));
  EXPECT_THAT(Shares({{10, 0}, {30, 0}}, 0), ElementsAre(Near(0), Near(0)));
  EXPECT_THAT(Shares({}), ElementsAre());
}

}  // namespace
}  // namespace sluice
