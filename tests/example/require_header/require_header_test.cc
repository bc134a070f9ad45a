#include <gtest/gtest.h>

#include "tests/support/filter_harness.h"

namespace sluice {
namespace {

TEST(RequireHeaderTest, RefusesRequestsWithoutIt) {
  FilterHarness harness;
  ASSERT_TRUE(harness.AddYaml("require_header", "{ name: x-team, status: 401 }"));
  auto without = harness.NewStream();
  without->Get("/");
  EXPECT_EQ(without->response().status, 401);
  EXPECT_FALSE(without->request_out().headers);

  auto with = harness.NewStream();
  with->Get("/", {{"X-Team", "blue"}});
  EXPECT_TRUE(with->request_out().ended);
  EXPECT_EQ(harness.Metric("sluice_require_header_refused_total", R"(listener="web")"), 1);
}

TEST(RequireHeaderTest, NeedsAName) {
  FilterHarness harness;
  EXPECT_FALSE(harness.AddYaml("require_header", "status: 401"));
}

}  // namespace
}  // namespace sluice
