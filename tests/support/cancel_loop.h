// CancelLoop: runs a scenario, and breaks it off after 1 turn, then after 2, ... until it finishes
// untouched. After each run nothing may be left of it. Beyond `each_until` turns, in a scenario
// that goes on alike for long, only some are tried.
//
//   int turns = CancelLoop(
//       [&] { client = Begin(); },
//       [&] { driver.RunRounds(1); return client->ended(); },   // one turn; is it over?
//       [&] { client->Reset(); },
//       [&] { return rig.NotQuiet(); });                       // what is left; waits for it
//   EXPECT_GT(turns, 10);
#ifndef SLUICE_TESTS_SUPPORT_CANCEL_LOOP_H_
#define SLUICE_TESTS_SUPPORT_CANCEL_LOOP_H_

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace sluice::test {

// Returns how many turns the untouched run took; fails the test after a run that left something, or
// when no run ends.
inline int CancelLoop(const std::function<void()>& begin, const std::function<bool()>& turn,
                      const std::function<void()>& break_off,
                      const std::function<std::string()>& left, int each_until = 2000) {
  constexpr int kMost = 2000;
  for (int turns = 1; turns < kMost; turns += turns < each_until ? 1 : turns / 4) {
    begin();
    bool over = false;
    for (int i = 0; i < turns && !over; ++i) over = turn();
    if (!over) break_off();
    const std::string rest = left();
    EXPECT_EQ(rest, "") << "after " << turns << " turns";
    if (over || !rest.empty() || ::testing::Test::HasFailure()) return turns;
  }
  ADD_FAILURE() << "it never ends";
  return kMost;
}

}  // namespace sluice::test

#endif  // SLUICE_TESTS_SUPPORT_CANCEL_LOOP_H_
