// The breaker against a model that is slow and obvious: it remembers every call, and does as
// breaker.proto says.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/upstream/breaker/breaker.h"

namespace sluice {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kSteps = 100'000;
#else
constexpr int kSteps = 1'000'000;
#endif

Nanos UpToMillis(Nanos time) { return (time + kMillisecond - 1) / kMillisecond * kMillisecond; }

class BreakerModel {
 public:
  struct Call {
    bool counted = false;
    int life = 0;
    bool probe = false;
  };

  explicit BreakerModel(const BreakerSettings& settings) : settings_(settings) {}

  BreakerMode mode = BreakerMode::kClosed;
  BreakerReason reason = BreakerReason::kNone;
  int transitions = 0;

  bool Enter(Nanos now, Random& random, Call& call) {
    call = {};
    if (mode == BreakerMode::kDisabled) return true;
    if (mode == BreakerMode::kForcedOpen) return false;
    if (mode == BreakerMode::kOpen) {
      if (now < until_) return false;
      Begin(BreakerMode::kHalfOpen, reason);
    }
    if (mode == BreakerMode::kClosed) {
      if (now < until_) {
        const double passed =
            1 - static_cast<double>(until_ - now) / static_cast<double>(settings_.recovery_ramp);
        if (random.Fraction() >= passed) return false;
      }
      call = {true, life_, false};
      return true;
    }
    if (out_ > 0 && now - last_probe_ >= settings_.probe_timeout) {
      Open(BreakerReason::kProbeTimeout, 0, now, random);
      return false;
    }
    if (out_ + results_.size() >= settings_.probes) return false;
    ++out_;
    last_probe_ = now / kMillisecond * kMillisecond;
    call = {true, life_, true};
    return true;
  }

  void Leave(const Call& call, const BreakerOutcome& outcome, Nanos now, Random& random) {
    if (!call.counted || call.life != life_) return;
    if (call.probe) {
      --out_;
      results_.push_back({now, outcome.failure, outcome.slow});
      if (results_.size() < std::min(settings_.min_calls, settings_.probes)) return;
      const BreakerReason why = Judge(results_);
      if (why != BreakerReason::kNone) return Open(why, outcome.retry_after, now, random);
      reopened_ = 0;
      Begin(BreakerMode::kClosed, reason);
      if (settings_.recovery_ramp > 0) until_ = UpToMillis(now + settings_.recovery_ramp);
      return;
    }
    if (!outcome.failure) in_a_row_ = 0;
    if (outcome.failure && outcome.in_a_row) ++in_a_row_;
    calls_.push_back({now, outcome.failure, outcome.slow});
    const std::vector<Done> last = InWindow(now);
    BreakerReason why = BreakerReason::kNone;
    if (settings_.consecutive_failures > 0 && in_a_row_ >= settings_.consecutive_failures) {
      why = BreakerReason::kConsecutive;
    } else {
      uint32_t least = settings_.min_calls;
      if (settings_.window_calls > 0) least = std::min(least, settings_.window_calls);
      if (last.size() >= least) why = Judge(last);
    }
    if (why != BreakerReason::kNone) Open(why, outcome.retry_after, now, random);
  }

  void Cancel(const Call& call) {
    if (call.counted && call.life == life_ && call.probe) --out_;
  }

  void Force(BreakerMode to) {
    if (mode == to && until_ == 0) return;
    reopened_ = 0;
    Begin(to, BreakerReason::kForced);
  }

  size_t window_size(Nanos now) const { return InWindow(now).size(); }

 private:
  struct Done {
    Nanos at;
    bool failure;
    bool slow;
  };

  void Begin(BreakerMode to, BreakerReason why) {
    mode = to;
    reason = why;
    ++life_;
    ++transitions;
    until_ = 0;
    in_a_row_ = 0;
    out_ = 0;
    results_.clear();
    calls_.clear();
  }

  void Open(BreakerReason why, Nanos retry_after, Nanos now, Random& random) {
    reopened_ = mode == BreakerMode::kHalfOpen ? reopened_ + 1 : 0;
    Begin(BreakerMode::kOpen, why);
    const double grown = std::min(static_cast<double>(settings_.open_for) * std::pow(2, reopened_),
                                  static_cast<double>(settings_.max_open_for));
    const double drawn = grown * (1 + settings_.jitter * (2 * random.Fraction() - 1));
    until_ = UpToMillis(
        now + std::max(static_cast<Nanos>(drawn), std::min(retry_after, settings_.max_open_for)));
  }

  // Those of the last ten tenths, the one that is not over yet counted as one.
  std::vector<Done> InWindow(Nanos now) const {
    std::vector<Done> last;
    for (size_t i = 0; i < calls_.size(); ++i) {
      if (settings_.window_calls > 0) {
        const size_t tenth = (settings_.window_calls + 9) / 10;
        const size_t tenths = (settings_.window_calls + tenth - 1) / tenth;
        if (i / tenth + tenths > (calls_.size() - 1) / tenth) last.push_back(calls_[i]);
      } else {
        const Nanos tenth = settings_.window / 10;
        if (calls_[i].at / tenth + 10 > now / tenth) last.push_back(calls_[i]);
      }
    }
    return last;
  }

  BreakerReason Judge(const std::vector<Done>& calls) const {
    const auto count = static_cast<double>(calls.size());
    const auto failures =
        std::count_if(calls.begin(), calls.end(), [](const Done& call) { return call.failure; });
    const auto slow =
        std::count_if(calls.begin(), calls.end(), [](const Done& call) { return call.slow; });
    if (static_cast<double>(failures) >= settings_.failure_rate * count) {
      return BreakerReason::kFailures;
    }
    if (static_cast<double>(slow) >= settings_.slow_rate * count) return BreakerReason::kSlow;
    return BreakerReason::kNone;
  }

  const BreakerSettings settings_;
  int life_ = 0;
  Nanos until_ = 0;
  int reopened_ = 0;
  uint32_t in_a_row_ = 0;
  uint32_t out_ = 0;
  Nanos last_probe_ = 0;
  std::vector<Done> results_;
  std::vector<Done> calls_;  // since it closed
};

struct Flavour {
  const char* name;
  BreakerSettings settings;
  double failures;  // of a bad time
};

class BreakerModelTest : public testing::TestWithParam<Flavour> {};

TEST_P(BreakerModelTest, Agrees) {
  const BreakerSettings& settings = GetParam().settings;
  StatsCell cells[SharedWords::kCount] = {};
  Breaker breaker({}, settings, SharedWords(cells), nullptr);
  BreakerModel model(settings);
  Random random(7);  // what happens
  Random ours(8);    // what the two draw
  Random its(8);
  struct Pair {
    BreakerToken token;
    BreakerModel::Call call;
  };
  std::vector<Pair> running;
  Nanos now = 1000 * kSecond;
  bool bad_time = false;
  int opened = 0;
  int passed = 0;
  for (int step = 0; step < kSteps / 4; ++step) {
    const uint64_t dice = random.Below(1000);
    if (dice == 0) bad_time = !bad_time;
    if (dice == 1) now += static_cast<Nanos>(random.Below(40 * kSecond));
    if (dice == 2 && random.Below(20) == 0) {
      constexpr BreakerMode kForced[] = {BreakerMode::kForcedOpen, BreakerMode::kDisabled};
      const BreakerMode mode = kForced[random.Below(2)];
      breaker.Force(mode);
      model.Force(mode);
    }
    if (dice == 3) {
      breaker.Force(BreakerMode::kClosed);
      model.Force(BreakerMode::kClosed);
    }
    now += static_cast<Nanos>(random.Below(20 * kMillisecond));
    if (running.empty() || (running.size() < 30 && random.Below(2) == 0)) {
      Pair pair;
      const Breaker::Admission admission = breaker.TryEnter(now, ours);
      const bool admitted = model.Enter(now, its, pair.call);
      ASSERT_EQ(admission.admitted, admitted) << "step " << step;
      if (admitted) {
        pair.token = admission.token;
        running.push_back(pair);
        ++passed;
      }
    } else {
      std::swap(running[random.Below(running.size())], running.back());
      const Pair pair = running.back();
      running.pop_back();
      const uint64_t end = random.Below(100);
      if (end < 5) {
        breaker.Cancel(pair.token);
        model.Cancel(pair.call);
      } else if (end != 5) {  // else it is lost
        BreakerOutcome outcome;
        outcome.failure = random.Fraction() < (bad_time ? GetParam().failures : 0.05);
        outcome.slow = random.Fraction() < (bad_time ? 0.7 : 0.1);
        outcome.in_a_row = random.Below(10) != 0;
        if (outcome.failure && random.Below(10) == 0) {
          outcome.retry_after = static_cast<Nanos>(random.Below(100 * kSecond));
        }
        breaker.Leave(pair.token, outcome, now, ours);
        model.Leave(pair.call, outcome, now, its);
      }
    }
    const BreakerState state = breaker.state();
    ASSERT_EQ(state.mode, model.mode) << "step " << step;
    ASSERT_EQ(state.reason, model.reason) << "step " << step;
    ASSERT_EQ(state.generation, static_cast<uint32_t>(model.transitions) % (1 << 17));
    if (state.mode == BreakerMode::kClosed && step % 50 == 0 && settings.window_calls == 0) {
      ASSERT_EQ(breaker.counts(now).calls, model.window_size(now)) << "step " << step;
    }
    if (state.mode == BreakerMode::kOpen && state.reason != BreakerReason::kForced) ++opened;
  }
  EXPECT_GT(model.transitions, kSteps / 20'000);
  EXPECT_GT(opened, kSteps / 20'000);
  EXPECT_GT(passed, kSteps / 100);
}

Flavour ByTime() {
  Flavour flavour{"Time", {}, 0.8};
  return flavour;
}
Flavour ByCalls() {
  Flavour flavour{"Calls", {}, 0.7};
  flavour.settings.window_calls = 37;
  flavour.settings.min_calls = 100;
  return flavour;
}
Flavour InARow() {
  Flavour flavour{"InARow", {}, 0.4};
  flavour.settings.consecutive_failures = 4;
  flavour.settings.failure_rate = 0.9;
  flavour.settings.recovery_ramp = 0;
  flavour.settings.jitter = 0;
  return flavour;
}
Flavour Slow() {
  Flavour flavour{"Slow", {}, 0.1};
  flavour.settings.slow_rate = 0.6;
  flavour.settings.window = 2 * kSecond;
  flavour.settings.min_calls = 3;
  flavour.settings.probe_timeout = 2 * kSecond;
  return flavour;
}

INSTANTIATE_TEST_SUITE_P(All, BreakerModelTest,
                         testing::Values(ByTime(), ByCalls(), InARow(), Slow()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace sluice
