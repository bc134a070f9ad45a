// Every refusal of the corpus, whole and split at every byte.
#include <gtest/gtest.h>

#include <string>

#include "tests/support/codec_recorder.h"
#include "tests/support/http_corpus.h"

namespace sluice {
namespace {

using test::BadRequest;
using test::BadResponse;
using test::ClientRecorder;
using test::Cut;
using test::ServerRecorder;

constexpr std::string_view kGood = "GET /good HTTP/1.1\r\nHost: a.test\r\n\r\n";

// Large inputs are split byte by byte into one slice only: a block a byte would be tens of
// thousands.
bool Fits(Cut cut, size_t size) { return cut != Cut::kSlices || size < 4096; }

void AnswerAndGoOn(ServerRecorder& recorder, StreamId id) {
  Arena arena;
  ResponseHead head(arena);
  head.status = 200;
  recorder.codec->EncodeHead(id, head, true, recorder.out);
  recorder.codec->EncodeEnd(id, nullptr, recorder.out);
}

TEST(Http1CorpusTest, BadRequests) {
  for (const BadRequest& bad : test::BadRequests()) {
    std::string whole;
    for (const Cut cut : test::kCuts) {
      if (!Fits(cut, bad.bytes.size())) continue;
      SCOPED_TRACE(bad.name + ", " + test::CutName(cut));
      ServerRecorder recorder;
      recorder.answer = AnswerAndGoOn;
      recorder.Run(bad.bytes, cut);
      EXPECT_EQ(recorder.error, std::to_string(bad.status) + " " + bad.detail);
      EXPECT_EQ(recorder.last_error.side, Side::kDownstream);
      EXPECT_TRUE(recorder.codec->Finished());
      EXPECT_FALSE(recorder.codec->WantsInput());
      EXPECT_EQ(recorder.log.find("end"), std::string::npos) << recorder.log;
      EXPECT_EQ(recorder.log.find("begin 1\n"), 0U) << "no stream to answer on";
      if (!bad.in_body) {
        EXPECT_EQ(recorder.log, "begin 1\n");
      }
      if (cut == Cut::kWhole) whole = recorder.log;
      EXPECT_EQ(recorder.log, whole);
    }
  }
}

TEST(Http1CorpusTest, BadRequestsBehindAGoodOne) {
  for (const BadRequest& bad : test::BadRequests()) {
    for (const Cut cut : test::kCuts) {
      if (!Fits(cut, bad.bytes.size())) continue;
      SCOPED_TRACE(bad.name + ", " + test::CutName(cut));
      ServerRecorder recorder;
      recorder.answer = AnswerAndGoOn;
      recorder.Run(std::string(kGood) + bad.bytes, cut);
      EXPECT_EQ(recorder.error, std::to_string(bad.status) + " " + bad.detail);
      EXPECT_NE(recorder.log.find("end 1\n"), std::string::npos);
      EXPECT_EQ(recorder.log.find("end 2"), std::string::npos) << recorder.log;
    }
  }
}

TEST(Http1CorpusTest, BadResponses) {
  for (const BadResponse& bad : test::BadResponses()) {
    std::string whole;
    for (const Cut cut : test::kCuts) {
      if (!Fits(cut, bad.bytes.size())) continue;
      SCOPED_TRACE(bad.name + ", " + test::CutName(cut));
      ClientRecorder recorder;
      recorder.Request(Method::kGet);
      recorder.Run(bad.bytes, cut, true);
      ASSERT_FALSE(recorder.error.empty()) << recorder.log;
      EXPECT_EQ(recorder.last_error.detail, bad.detail);
      EXPECT_EQ(recorder.last_error.side, Side::kUpstream);
      EXPECT_EQ(recorder.last_error.retry, Retry::kNever);
      EXPECT_TRUE(recorder.codec->Finished());
      EXPECT_FALSE(recorder.codec->CanOpen());
      EXPECT_EQ(recorder.log.find("end 1"), std::string::npos) << recorder.log;
      EXPECT_EQ(bad.in_body, recorder.log.find("\nhead 1") != std::string::npos) << recorder.log;
      if (cut == Cut::kWhole) whole = recorder.log;
      EXPECT_EQ(recorder.log, whole);
    }
  }
}

}  // namespace
}  // namespace sluice
