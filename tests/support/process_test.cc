#include "tests/support/process.h"

#include <gtest/gtest.h>
#include <signal.h>

namespace sluice::test {
namespace {

TEST(ProcessTest, KeepsWhatItWritesAndItsExitCode) {
  Driver driver;
  Process process(driver, "/bin/sh", {"-c", "echo said; echo complained >&2; exit 7"});
  EXPECT_EQ(process.WaitForExit(), 7);
  EXPECT_EQ(process.out(), "said\n");
  EXPECT_EQ(process.err(), "complained\n");
}

TEST(ProcessTest, TakesSignals) {
  Driver driver;
  Process process(driver, "/bin/sh",
                  {"-c", "trap 'echo ended; exit 3' TERM; echo there; while :; do read x; done"});
  ASSERT_TRUE(process.WaitForOut("there\n"));
  process.Signal(SIGTERM);
  EXPECT_EQ(process.WaitForExit(), 3);
  EXPECT_EQ(process.out(), "there\nended\n");
}

TEST(ProcessTest, SaysWhichSignalEndedIt) {
  Driver driver;
  Process process(driver, "/bin/cat", {"/dev/zero"});
  process.Signal(SIGKILL);
  EXPECT_EQ(process.WaitForExit(), 128 + SIGKILL);
}

TEST(ProcessTest, IsGoneWithItsObject) {
  Driver driver;
  pid_t pid = -1;
  {
    Process process(driver, "/bin/sh", {"-c", "echo there; exec cat /dev/zero >/dev/null"});
    ASSERT_TRUE(process.WaitForOut("there\n"));
    pid = process.pid();
    ASSERT_EQ(kill(pid, 0), 0);
  }
  EXPECT_NE(kill(pid, 0), 0);
}

TEST(ProcessTest, AProgramThatIsNotThereIs127) {
  Driver driver;
  Process process(driver, "/nowhere/at/all", {});
  EXPECT_EQ(process.WaitForExit(), 127);
}

}  // namespace
}  // namespace sluice::test
