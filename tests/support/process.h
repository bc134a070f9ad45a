// Process: a program that a test runs: its output is kept as it comes, it gets signals, and it is
// gone when the object is: killed by its pid, and by the kernel should the test itself die. Of the
// test's thread, like its driver.
#ifndef SLUICE_TESTS_SUPPORT_PROCESS_H_
#define SLUICE_TESTS_SUPPORT_PROCESS_H_

#include <sys/types.h>

#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/net/fd.h"
#include "tests/support/driver.h"
#include "tests/support/temp_folder.h"

namespace sluice::test {

// Nothing that a test runs writes where real instances keep their state.
class OwnState {
 protected:
  OwnState() { setenv("STATE_DIRECTORY", folder_.path().c_str(), 1); }

 private:
  TempFolder folder_;
};

class Process : private OwnState, public Actor {
 public:
  // Starts `program`, a path, with these arguments behind its name. Fails the test if it cannot.
  Process(Driver& driver, const std::string& program, const std::vector<std::string>& arguments);
  ~Process() override;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  // Does nothing when it has ended.
  void Signal(int signal_number);

  // All that it wrote so far.
  const std::string& out() const { return out_.text; }
  const std::string& err() const { return err_.text; }
  // Runs the driver until it has written `text`; false, with a failed test, if it ends before.
  bool WaitForErr(std::string_view text);
  bool WaitForOut(std::string_view text);

  // Runs the driver until it has ended and everything it wrote is here. Its exit code; 128 + the
  // signal that ended it, as shells say it; -1 after a failure.
  int WaitForExit();
  bool exited() const { return status_.has_value(); }

  bool Step() override;
  void AddPollFds(std::vector<pollfd>& fds) const override;

 private:
  struct Output {
    Fd fd;
    std::string text;
  };

  bool Read(Output& output);
  bool WaitFor(const Output& output, std::string_view text);

  Driver& driver_;
  pid_t pid_ = -1;
  Output out_;
  Output err_;
  std::optional<int> status_;  // waitpid's
};

}  // namespace sluice::test

#endif  // SLUICE_TESTS_SUPPORT_PROCESS_H_
