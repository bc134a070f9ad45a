#include <gtest/gtest.h>

#include <string>

#include "core/config/loader.h"
#include "filters/buffer/buffer.pb.h"
#include "tests/support/filter_harness.h"

namespace sluice::buffer {
namespace {

class BufferFilterTest : public testing::Test {
 protected:
  BufferFilterTest() {
    BufferConfig config;
    config.set_max_size(10);
    EXPECT_TRUE(harness_.Add("buffer", config));
  }

  double Count(const char* result) {
    return harness_.Metric("sluice_buffer_requests_total",
                           std::string(R"(listener="web",result=")") + result + "\"");
  }

  FilterHarness harness_;
};

TEST_F(BufferFilterTest, HoldsTheHeadUntilAllOfTheBodyIsThere) {
  auto stream = harness_.NewStream();
  stream->SetRequest("POST", "/");
  stream->RequestHeaders(false);
  EXPECT_FALSE(stream->request_out().headers);
  stream->RequestBody("hello");
  EXPECT_FALSE(stream->request_out().headers);
  stream->RequestBody("world", true);
  EXPECT_TRUE(stream->request_out().ended);
  EXPECT_EQ(stream->request_out().body, "helloworld");
  EXPECT_EQ(stream->request().headers.Get(HeaderId::kContentLength), "10");
  EXPECT_EQ(stream->request().content_length, 10u);
  stream->Respond(200, {}, "ok");
  stream->Finish();
  EXPECT_EQ(Count("collected"), 1);
  EXPECT_EQ(Count("too_large"), 0);
}

TEST_F(BufferFilterTest, AnEmptyBodyGetsALengthToo) {
  auto stream = harness_.NewStream();
  stream->SetRequest("POST", "/");
  stream->RequestHeaders(false);
  stream->RequestBody("", true);
  EXPECT_TRUE(stream->request_out().ended);
  EXPECT_EQ(stream->request().headers.Get(HeaderId::kContentLength), "0");
}

TEST_F(BufferFilterTest, WhatHasNoBodyPasses) {
  auto stream = harness_.NewStream();
  stream->Get("/");
  EXPECT_TRUE(stream->request_out().ended);
  EXPECT_FALSE(stream->request().headers.Has(HeaderId::kContentLength));
  EXPECT_EQ(Count("collected"), 0);
}

TEST_F(BufferFilterTest, RefusesABodyThatTurnsOutTooLarge) {
  auto stream = harness_.NewStream();
  stream->SetRequest("POST", "/");
  stream->RequestHeaders(false);
  stream->RequestBody("hello");
  stream->RequestBody("worlds");
  ASSERT_NE(stream->reply(), nullptr);
  EXPECT_EQ(stream->reply()->status, 413);
  EXPECT_EQ(stream->reply()->details, "request_payload_too_large");
  EXPECT_FALSE(stream->request_out().headers);
  stream->Finish();
  EXPECT_EQ(Count("too_large"), 1);
  EXPECT_EQ(Count("collected"), 0);
}

TEST_F(BufferFilterTest, RefusesALengthThatIsTooLargeBeforeAnyOfItCame) {
  auto stream = harness_.NewStream();
  stream->SetRequest("POST", "/", {{"content-length", "11"}});
  stream->request().content_length = 11;
  stream->RequestHeaders(false);
  ASSERT_NE(stream->reply(), nullptr);
  EXPECT_EQ(stream->reply()->status, 413);
  stream->Finish();
  EXPECT_EQ(Count("too_large"), 1);
}

TEST_F(BufferFilterTest, AClientThatLeavesIsNotTooLarge) {
  auto stream = harness_.NewStream();
  stream->SetRequest("POST", "/");
  stream->RequestHeaders(false);
  stream->RequestBody("hello");
  stream->Cancel();
  EXPECT_EQ(Count("too_large"), 0);
  EXPECT_EQ(Count("collected"), 0);
}

TEST(BufferSchema, NeedsItsSizeWhichMayStandAlone) {
  for (const char* text : {"{ max_size: 1MiB }", "1MiB"}) {
    BufferConfig config;
    EXPECT_TRUE(LoadMessage(text, ConfigFormat::kYaml, config).empty()) << text;
    EXPECT_EQ(config.max_size(), 1u << 20);
  }
  for (const char* text : {"{}", "{ max_size: 0 }", "{ max_size: 2GiB }", "{ max_siz: 1 }"}) {
    BufferConfig config;
    EXPECT_FALSE(LoadMessage(text, ConfigFormat::kYaml, config).empty()) << text;
  }
}

}  // namespace
}  // namespace sluice::buffer
