#include <gtest/gtest.h>

#include <string>

#include "core/config/loader.h"
#include "filters/health_answer/health_answer.pb.h"
#include "tests/support/filter_harness.h"

namespace sluice::health_answer {
namespace {

HealthAnswerConfig Config() {
  HealthAnswerConfig config;
  config.set_liveness("/livez");
  config.set_readiness("/readyz");
  return config;
}

class HealthAnswer : public testing::Test {
 protected:
  HealthAnswer() { EXPECT_TRUE(harness_.Add("health_answer", Config())); }

  double Count(const char* check, const char* result) {
    return harness_.Metric(
        "sluice_health_answers_total",
        std::string(R"(check=")") + check + R"(",listener="web",result=")" + result + "\"");
  }

  FilterHarness harness_;
};

TEST_F(HealthAnswer, AnswersBothPathsHere) {
  for (const char* path : {"/livez", "/readyz", "/readyz?verbose=1"}) {
    auto stream = harness_.NewStream();
    stream->Get(path);
    ASSERT_NE(stream->reply(), nullptr) << path;
    EXPECT_EQ(stream->response().status, 200) << path;
    EXPECT_TRUE(stream->info().flags.none());
    EXPECT_TRUE(stream->reply()->unmapped);
    EXPECT_EQ(stream->response().headers.Get(HeaderId::kCacheControl), "no-store");
    EXPECT_FALSE(stream->request_out().headers);
  }
  EXPECT_EQ(Count("liveness", "ok"), 1);
  EXPECT_EQ(Count("readiness", "ok"), 2);
}

TEST_F(HealthAnswer, OnlyReadinessEndsWithDraining) {
  harness_.server().set_draining(true);
  auto live = harness_.NewStream();
  live->Get("/livez");
  EXPECT_EQ(live->response().status, 200);
  auto ready = harness_.NewStream();
  ready->Get("/readyz");
  EXPECT_EQ(ready->response().status, 503);
  EXPECT_TRUE(ready->info().flags.Has(ResponseFlag::kFailedLocalHealthCheck));
  EXPECT_EQ(ready->info().flags.ToString(), "LH");
  EXPECT_EQ(ready->response_out().body, "draining\n");
  EXPECT_EQ(Count("readiness", "draining"), 1);

  harness_.server().set_draining(false);
  auto again = harness_.NewStream();
  again->Get("/readyz");
  EXPECT_EQ(again->response().status, 200);
}

TEST_F(HealthAnswer, LetsEverythingElsePass) {
  for (const char* path : {"/", "/livezz", "/live", "/readyz/", "/a/livez", "*", ""}) {
    auto stream = harness_.NewStream();
    stream->Get(path);
    EXPECT_EQ(stream->reply(), nullptr) << path;
    EXPECT_TRUE(stream->request_out().ended) << path;
  }
}

TEST_F(HealthAnswer, AnswersAnyMethod) {
  auto stream = harness_.NewStream();
  stream->Post("/livez", {}, "x");
  EXPECT_EQ(stream->response().status, 200);
}

TEST(HealthAnswerPaths, RefusesPathsThatCannotBeMeant) {
  FilterHarness harness;
  HealthAnswerConfig same = Config();
  same.set_readiness("/livez");
  auto result = harness.Add("health_answer", same);
  ASSERT_FALSE(result);
  EXPECT_TRUE(result.error().detail.starts_with("readiness: ")) << result.error().detail;

  HealthAnswerConfig query = Config();
  query.set_liveness("/livez?full");
  result = harness.Add("health_answer", query);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().detail,
            "liveness: expected a path without a query, got \"/livez?full\"");
}

TEST(HealthAnswerSchema, HasPathsByDefault) {
  HealthAnswerConfig config;
  ASSERT_TRUE(LoadMessage("{}", ConfigFormat::kYaml, config).empty());
  EXPECT_EQ(config.liveness(), "/livez");
  EXPECT_EQ(config.readiness(), "/readyz");
  HealthAnswerConfig refused;
  EXPECT_FALSE(LoadMessage("{ liveness: livez }", ConfigFormat::kYaml, refused).empty());
}

}  // namespace
}  // namespace sluice::health_answer
