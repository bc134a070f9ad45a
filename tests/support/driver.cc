#include "tests/support/driver.h"

#include <gtest/gtest.h>

#include "core/event/loop.h"

namespace sluice::test {

bool Driver::RunUntil(const std::function<bool()>& done, std::string_view what) {
  SystemClock clock;  // real time, whatever clock the loop has
  const Nanos give_up = clock.Monotonic() + kGuard;
  bool busy = true;
  while (!done()) {
    if (clock.Monotonic() > give_up) {
      ADD_FAILURE() << "waited in vain: " << what;
      return false;
    }
    // Nobody had anything to do: let the kernel wait a moment instead of spinning.
    if (!busy && loop_ == nullptr) WaitForActors(10);
    busy = Round(busy ? 0 : 1);
  }
  return true;
}

void Driver::RunRounds(int rounds) {
  for (int i = 0; i < rounds; ++i) {
    if (loop_ == nullptr) WaitForActors(1);
    Round(0);
  }
}

bool Driver::Round(int loop_wait_ms) {
  if (loop_ != nullptr) loop_->RunOnce(loop_wait_ms);
  bool busy = false;
  // By index: a step may bring a new actor.
  for (size_t i = 0; i < actors_.size(); ++i) busy |= actors_[i]->Step();
  return busy;
}

void Driver::WaitForActors(int milliseconds) {
  std::vector<pollfd> fds;
  for (const Actor* actor : actors_) actor->AddPollFds(fds);
  poll(fds.data(), fds.size(), milliseconds);
}

}  // namespace sluice::test
