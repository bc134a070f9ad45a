#include "core/server/spawn.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sluice {
namespace {

// The exit status of `sh -c script`, with SLUICE_SPAWN_TEST=new.
int StatusOf(const std::string& script, SpawnGroup group = SpawnGroup::kOurs) {
  const Result<pid_t> pid = Spawn({"/bin/sh", "-c", script}, "SLUICE_SPAWN_TEST", "new", group);
  if (!pid) return -1;
  int status = 0;
  if (waitpid(*pid, &status, 0) != *pid || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

TEST(Spawn, TheChildHasTheVariableOnceAndTheRestOfTheEnvironment) {
  setenv("SLUICE_SPAWN_TEST", "old", 1);
  setenv("SLUICE_SPAWN_TEST_OTHER", "kept", 1);
  EXPECT_EQ(StatusOf("test \"$(env | grep -c ^SLUICE_SPAWN_TEST=)\" = 1"), 0);
  EXPECT_EQ(StatusOf("test \"$SLUICE_SPAWN_TEST $SLUICE_SPAWN_TEST_OTHER\" = 'new kept'"), 0);
  EXPECT_STREQ(getenv("SLUICE_SPAWN_TEST"), "old");
  unsetenv("SLUICE_SPAWN_TEST");
  unsetenv("SLUICE_SPAWN_TEST_OTHER");
}

TEST(Spawn, AGroupOfItsOwnOrOurs) {
  const std::string group_is = "test \"$(cut -d' ' -f5 /proc/$$/stat)\" = ";
  EXPECT_EQ(StatusOf(group_is + "$$", SpawnGroup::kItsOwn), 0);
  EXPECT_EQ(StatusOf(group_is + std::to_string(getpgrp())), 0);
}

TEST(Spawn, NoSignalIsBlockedInTheChild) {
  sigset_t set;
  sigset_t before;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  ASSERT_EQ(pthread_sigmask(SIG_BLOCK, &set, &before), 0);
  EXPECT_EQ(StatusOf("grep -q '^SigBlk:.0000000000000000$' /proc/self/status"), 0);
  ASSERT_EQ(pthread_sigmask(SIG_SETMASK, &before, nullptr), 0);
}

TEST(Spawn, SaysWhatCannotBeStarted) {
  const Result<pid_t> pid = Spawn({"/nowhere/sluice", "run"}, "A", "b", SpawnGroup::kOurs);
  ASSERT_FALSE(pid.has_value());
  EXPECT_NE(pid.error().detail.find("start /nowhere/sluice"), std::string::npos)
      << pid.error().detail;
}

}  // namespace
}  // namespace sluice
