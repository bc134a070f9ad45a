#include "core/base/clock.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(Clock, SystemAndFake) {
  SystemClock system;
  const Nanos before = system.Monotonic();
  EXPECT_LE(before, system.Monotonic());
  EXPECT_GT(system.Wall(), Nanos{1'700'000'000} * kSecond);
  FakeClock fake;
  const Nanos start = fake.Monotonic();
  const Nanos wall = fake.Wall();
  fake.Advance(5 * kMillisecond);
  EXPECT_EQ(fake.Monotonic(), start + 5 * kMillisecond);
  EXPECT_EQ(fake.Wall(), wall + 5 * kMillisecond);
}

}  // namespace
}  // namespace sluice
