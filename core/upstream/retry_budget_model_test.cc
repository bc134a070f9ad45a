// The budget against a slow model of it: every request and retry with its second in a list that is
// walked whole.
#include <gtest/gtest.h>

#include <deque>
#include <vector>

#include "core/base/random.h"
#include "core/upstream/retry_budget.h"

namespace sluice {
namespace {

class SlowBudget {
 public:
  SlowBudget(const RetryBudgetSettings& settings, size_t workers)
      : settings_(settings), untold_(workers) {}

  void OnRequest(size_t worker, int64_t second) {
    if (!untold_[worker].empty() && untold_[worker].back() != second) Tell(worker);
    untold_[worker].push_back(second);
  }

  bool Take(size_t worker, int64_t second) {
    Tell(worker);
    const auto is_over = [second](int64_t each) { return each <= second - RetryBudget::kWindow; };
    std::erase_if(requests_, is_over);
    std::erase_if(retries_, is_over);
    const double allowed = settings_.share * static_cast<double>(requests_.size()) +
                           settings_.per_second * static_cast<double>(RetryBudget::kWindow);
    if (static_cast<double>(retries_.size() + 1) > allowed) return false;
    retries_.push_back(second);
    return true;
  }

 private:
  // A worker tells the others of its requests when it asks, and when a second is over.
  void Tell(size_t worker) {
    requests_.insert(requests_.end(), untold_[worker].begin(), untold_[worker].end());
    untold_[worker].clear();
  }

  const RetryBudgetSettings settings_;
  std::vector<std::deque<int64_t>> untold_;
  std::deque<int64_t> requests_;
  std::deque<int64_t> retries_;
};

TEST(RetryBudgetModelTest, AgreesOverAMillionSteps) {
  constexpr size_t kWorkers = 3;
  constexpr int kSteps = 1'000'000;
  const RetryBudgetSettings settings = {0.2, 0.5};
  StatsCell cells[SharedWords::kCount] = {};
  std::vector<RetryBudget> budgets(kWorkers, RetryBudget(settings, SharedWords(cells)));
  SlowBudget slow(settings, kWorkers);
  Random random(4);
  Nanos now = 1000 * kSecond;
  int taken = 0;
  for (int step = 0; step < kSteps; ++step) {
    // Mostly many steps a second; now and then a pause as long as the window, or longer.
    now += random.Below(1000) == 0 ? static_cast<Nanos>(random.Below(15)) * kSecond
                                   : static_cast<Nanos>(random.Below(200)) * kMillisecond;
    const size_t worker = random.Below(kWorkers);
    if (random.Below(3) > 0) {
      budgets[worker].OnRequest(now);
      slow.OnRequest(worker, now / kSecond);
      continue;
    }
    const bool expected = slow.Take(worker, now / kSecond);
    ASSERT_EQ(budgets[worker].Take(now), expected) << "step " << step;
    taken += expected ? 1 : 0;
  }
  EXPECT_GT(taken, kSteps / 20);
  EXPECT_LT(taken, kSteps / 4);
}

}  // namespace
}  // namespace sluice
