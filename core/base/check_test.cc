#include "core/base/check.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(Check, SaysWhatAndWhere) {
  CHECK(1 + 1 == 2);
  EXPECT_DEATH(CHECK(1 + 1 == 3), "check_test.cc:[0-9]+: CHECK failed: 1 \\+ 1 == 3");
}

}  // namespace
}  // namespace sluice
