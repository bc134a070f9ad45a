#include "core/server/process.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/net/fd.h"

namespace sluice {
namespace {

TEST(ProcessTest, HalfOfTheFdsAreForClients) {
  EXPECT_EQ(ConnectionsFor(1000, 100), 450U);
  EXPECT_EQ(ConnectionsFor(103, 100), 1U);
  EXPECT_EQ(ConnectionsFor(50, 100), 1U);
  EXPECT_EQ(ConnectionsFor(UINT64_MAX, 100), UINT32_MAX);
}

TEST(ProcessTest, RaisesTheFdLimitToTheHardOne) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit lower = before;
  lower.rlim_cur = before.rlim_max / 2;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &lower), 0);
  EXPECT_EQ(RaiseFdLimit(), before.rlim_max);
  rlimit after{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &after), 0);
  EXPECT_EQ(after.rlim_cur, before.rlim_max);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
}

TEST(ProcessTest, AUserThatIsNotThereIsNamed) {
  const Result<void> dropped = DropPrivileges("nobody-of-this-name", "");
  ASSERT_FALSE(dropped);
  EXPECT_NE(dropped.error().detail.find("nobody-of-this-name"), std::string::npos);
  EXPECT_TRUE(DropPrivileges("", ""));
}

}  // namespace
}  // namespace sluice
