// StepGate: stops processes in the middle of a restart (core/server/restart/step.h). All that are
// started while it lives pass through it: they go on at once, but for the first that comes to the
// step that was asked for, which waits. Of the test's thread, like its driver.
#ifndef SLUICE_TESTS_SUPPORT_STEP_GATE_H_
#define SLUICE_TESTS_SUPPORT_STEP_GATE_H_

#include <string>
#include <string_view>
#include <vector>

#include "core/net/fd.h"
#include "tests/support/driver.h"

namespace sluice::test {

class StepGate final : public Actor {
 public:
  // `path`: of a socket that it makes.
  StepGate(Driver& driver, std::string path);
  // Whoever waits goes on.
  ~StepGate() override;
  StepGate(const StepGate&) = delete;
  StepGate& operator=(const StepGate&) = delete;

  void HoldAt(std::string_view step) { hold_at_ = step; }
  // Runs the driver until a process waits there; its pid, 0 after a failure.
  int WaitForHeld();
  void Release();
  // Steps that processes came to, in order.
  const std::vector<std::string>& passed() const { return passed_; }

  bool Step() override;
  void AddPollFds(std::vector<pollfd>& fds) const override;

 private:
  struct Caller {
    Fd fd;
    std::string line;
  };

  bool Hear(Caller& caller);

  Driver& driver_;
  Fd listener_;
  std::vector<Caller> callers_;
  std::string hold_at_;
  Fd held_;
  int held_pid_ = 0;
  std::vector<std::string> passed_;
};

}  // namespace sluice::test

#endif  // SLUICE_TESTS_SUPPORT_STEP_GATE_H_
