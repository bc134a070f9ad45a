// The chain by itself: bodies that filters collect, swallow, put back and let through in portions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/filter_chain_test.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

// ---- CollectBody --------------------------------------------------------------------------------

TEST_F(FilterChainTest, ACollectorSeesTheWholeBodyOnceBeforeItsHeadGoesOn) {
  Add("a");
  Add("b", {.request_headers = [](FilterContext&, bool) { return Verdict::CollectBody(10); }});
  Add("c");
  StartPost();
  stream->RequestBody("1");
  stream->RequestBody("2");
  EXPECT_FALSE(stream->request_out().headers);
  stream->RequestBody("3", true);
  EXPECT_THAT(log, ElementsAre("a:req", "b:req", "a:body(1)", "a:body(2)", "a:body(3).",
                               "b:body(123).", "c:req", "c:body(123)."));
  EXPECT_EQ(stream->request_out().body, "123");
  EXPECT_TRUE(stream->request_out().ended);
}

TEST_F(FilterChainTest, ACollectedBodyWaitsForTheSink) {
  Add("a", {.request_headers = [](FilterContext&, bool) { return Verdict::CollectBody(10); }});
  Start();
  stream->Hold(kIn);
  stream->SetRequest("POST", "/");
  stream->RequestHeaders(false);
  stream->RequestBody("12", true);
  EXPECT_TRUE(stream->request_out().headers);
  EXPECT_TRUE(stream->chain().Holds(kIn));
  EXPECT_EQ(stream->request_out().body, "");
  stream->Take(kIn);
  EXPECT_EQ(stream->request_out().body, "12");
  EXPECT_FALSE(stream->chain().Holds(kIn));
}

TEST_F(FilterChainTest, NothingIsCollectedOfAMessageWithoutBody) {
  Add("a", {.request_headers = [](FilterContext&, bool) { return Verdict::CollectBody(10); }});
  Start().Get("/");
  EXPECT_TRUE(stream->request_out().ended);
  EXPECT_THAT(log, ElementsAre("a:req."));
}

TEST_F(FilterChainTest, ARequestBodyBeyondTheLimitIs413) {
  Add("a");
  Add("b", {.request_headers = [](FilterContext&, bool) { return Verdict::CollectBody(3); }});
  Add("c");
  StartPost();
  stream->RequestBody("123");
  EXPECT_EQ(stream->reply(), nullptr);
  stream->RequestBody("4", true);
  ASSERT_NE(stream->reply(), nullptr);
  EXPECT_EQ(stream->reply()->status, 413);
  EXPECT_EQ(stream->reply()->details, "request_payload_too_large");
  EXPECT_EQ(stream->info().status, 413);
  EXPECT_FALSE(stream->request_out().headers);
  EXPECT_THAT(log,
              ElementsAre("a:req", "b:req", "a:body(123)", "a:body(4).", "b:resp413", "a:resp413",
                          "b:rbody(payload too large\n).", "a:rbody(payload too large\n)."));
}

TEST_F(FilterChainTest, ADeclaredLengthBeyondTheLimitIsRefusedBeforeTheBodyIsPulled) {
  Add("a", {.request_headers = [](FilterContext&, bool) { return Verdict::CollectBody(3); }});
  Start();
  stream->SetRequest("POST", "/", {{"content-length", "4"}});
  stream->RequestHeaders(false);
  EXPECT_EQ(stream->info().status, 413);
  EXPECT_EQ(stream->request_out().pulls, 0);
}

TEST_F(FilterChainTest, AResponseBodyBeyondTheLimitIs500) {
  Add("a");
  Add("b", {.response_headers = [](FilterContext&, bool) { return Verdict::CollectBody(3); }});
  StartResponse();
  stream->ResponseBody("12");
  stream->ResponseBody("34");
  stream->ResponseBody("56", true);
  EXPECT_EQ(stream->info().status, 500);
  EXPECT_EQ(stream->response_out().body, "response too large\n");
  EXPECT_THAT(log, ElementsAre("a:req.", "b:req.", "b:resp200", "a:resp500",
                               "a:rbody(response too large\n)."));
}

TEST_F(FilterChainTest, ACollectorMayChangeTheBodyAndTheHead) {
  Add("a", {.response_headers = [](FilterContext&, bool) { return Verdict::CollectBody(99); },
            .response_body =
                [](FilterContext& context, Buffer& data, bool) {
                  data.Clear();
                  data.Append("changed");
                  context.response().status = 203;
                  return Verdict::Continue();
                }});
  StartResponse();
  stream->ResponseBody("original", true);
  EXPECT_EQ(stream->info().status, 203);
  EXPECT_EQ(stream->response_out().body, "changed");
}

TEST_F(FilterChainTest, ACollectorMayEmptyTheBody) {
  Add("a", {.request_headers = [](FilterContext&, bool) { return Verdict::CollectBody(99); },
            .request_body =
                [](FilterContext&, Buffer& data, bool) {
                  data.Clear();
                  return Verdict::Continue();
                }});
  StartPost();
  stream->RequestBody("gone", true);
  EXPECT_TRUE(stream->request_out().ended);
  EXPECT_THAT(stream->request_out().pieces, ElementsAre(""));
}

TEST_F(FilterChainTest, ACollectorMayAnswer) {
  Add("a");
  Add("b", {.request_headers = [](FilterContext&, bool) { return Verdict::CollectBody(99); },
            .request_body = [](FilterContext&, Buffer&,
                               bool) { return Verdict::Respond(Reply(422, "")); }});
  StartPost();
  stream->RequestBody("x", true);
  EXPECT_EQ(stream->info().status, 422);
  EXPECT_THAT(log, ElementsAre("a:req", "b:req", "a:body(x).", "b:body(x).", "a:resp422."));
}

TEST_F(FilterChainTest, ACollectorMayPauseOnTheWholeBody) {
  auto& a =
      Add("a", {.request_headers = [](FilterContext&, bool) { return Verdict::CollectBody(99); },
                .request_body = [](FilterContext&, Buffer&, bool) { return Verdict::Pause(); }});
  Add("b");
  StartPost();
  stream->RequestBody("x", true);
  EXPECT_TRUE(stream->paused(kIn));
  EXPECT_FALSE(stream->request_out().headers);
  Resume(a, Verdict::Continue());
  harness.RunLoop();
  EXPECT_EQ(stream->request_out().body, "x");
  EXPECT_THAT(log, ElementsAre("a:req", "a:body(x).", "b:req", "b:body(x)."));
}

TEST_F(FilterChainTest, CollectingAfterAPause) {
  auto& a = Add("a", {.request_headers = [](FilterContext&, bool) { return Verdict::Pause(); }});
  StartPost();
  stream->RequestBody("x", true);
  EXPECT_FALSE(stream->chain().CanTake(kIn));
  Resume(a, Verdict::CollectBody(10));
  harness.RunLoop();
  EXPECT_THAT(log, ElementsAre("a:req", "a:body(x)."));
  EXPECT_EQ(stream->request_out().body, "x");
}

TEST_F(FilterChainTest, TwoCollectorsAndTheFilterBetweenThem) {
  Add("a", {.request_headers = [](FilterContext&, bool) { return Verdict::CollectBody(99); }});
  Add("between", {.request_body = [](FilterContext&, Buffer& data, bool) {
        data.Append("+");
        return Verdict::Continue();
      }});
  Add("c", {.request_headers = [](FilterContext&, bool) { return Verdict::CollectBody(99); }});
  Add("d");
  StartPost();
  stream->RequestBody("1");
  stream->RequestBody("2", true);
  EXPECT_THAT(log, ElementsAre("a:req", "a:body(12).", "between:req", "c:req", "between:body(12).",
                               "c:body(12+).", "d:req", "d:body(12+)."));
  EXPECT_THAT(stream->request_out().pieces, ElementsAre("12+"));
  EXPECT_TRUE(stream->request_out().ended);
}

TEST_F(FilterChainTest, TheSecondCollectorHasItsOwnLimit) {
  Add("a", {.request_headers = [](FilterContext&, bool) { return Verdict::CollectBody(99); }});
  Add("b", {.request_headers = [](FilterContext&, bool) { return Verdict::CollectBody(2); }});
  StartPost();
  stream->RequestBody("123", true);
  EXPECT_EQ(stream->info().status, 413);
  EXPECT_FALSE(stream->request_out().headers);
}

TEST_F(FilterChainTest, AFilterBetweenTwoCollectorsMayPauseOnTheBody) {
  Add("a", {.response_headers = [](FilterContext&, bool) { return Verdict::CollectBody(99); }});
  auto& between = Add(
      "between", {.response_body = [](FilterContext&, Buffer&, bool) { return Verdict::Pause(); }});
  Add("c", {.response_headers = [](FilterContext&, bool) { return Verdict::CollectBody(99); }});
  StartResponse();
  stream->ResponseBody("12", true);
  EXPECT_TRUE(stream->paused(kOut));
  EXPECT_FALSE(stream->response_out().headers);
  Resume(between, Verdict::Continue());
  harness.RunLoop();
  EXPECT_EQ(stream->response_out().body, "12");
  EXPECT_TRUE(stream->response_out().ended);
}

TEST_F(FilterChainTest, TrailersOfACollectedBodyPassAllFilters) {
  Add("a", {.request_headers = [](FilterContext&, bool) { return Verdict::CollectBody(99); }});
  Add("b");
  StartPost();
  stream->RequestBody("1");
  stream->RequestTrailers({{"x", "1"}});
  EXPECT_THAT(
      log, ElementsAre("a:req", "a:body(1).", "b:req", "b:body(1).", "a:trailers", "b:trailers"));
  EXPECT_THAT(stream->request_out().trailers, ElementsAre(Pair("x", "1")));
}

// ---- filters that keep data ---------------------------------------------------------------------

TEST_F(FilterChainTest, AFilterThatSwallowsDataGetsTheNextPiece) {
  Add("a", {.request_body = [](FilterContext&, Buffer& data, bool end) {
        data.Clear();
        if (end) data.Append("sum");
        return Verdict::Continue();
      }});
  Add("b");
  StartPost();
  stream->RequestBody("1");
  stream->RequestBody("2");
  stream->RequestBody("3", true);
  EXPECT_THAT(stream->request_out().pieces, ElementsAre("sum"));
  EXPECT_EQ(stream->request_out().pulls, 2);
  EXPECT_THAT(
      log, ElementsAre("a:req", "b:req", "a:body(1)", "a:body(2)", "a:body(3).", "b:body(sum)."));
}

TEST_F(FilterChainTest, AFilterThatSwallowsAfterAPause) {
  auto& a = Add("a", {.request_body = [](FilterContext&, Buffer& data, bool end) {
                  if (end) return Verdict::Continue();
                  data.Clear();
                  return Verdict::Pause();
                }});
  StartPost();
  stream->RequestBody("1");
  stream->RequestBody("2", true);
  Resume(a, Verdict::Continue());
  harness.RunLoop();
  EXPECT_THAT(stream->request_out().pieces, ElementsAre("2"));
  EXPECT_TRUE(stream->request_out().ended);
}

// Lets `n` bytes through at a time.
Script Portions(size_t n) {
  const auto portion = [n](Buffer& data) {
    Buffer first;
    first.MoveFrom(data, std::min(n, data.size()));
    std::swap(first, data);
    return first;
  };
  return {.request_body =
              [portion](FilterContext& context, Buffer& data, bool) {
                context.UnreadRequestBody(portion(data));
                return Verdict::Continue();
              },
          .response_body =
              [portion](FilterContext& context, Buffer& data, bool) {
                context.UnreadResponseBody(portion(data));
                return Verdict::Continue();
              }};
}

TEST_F(FilterChainTest, ARestComesBackWhenTheSinkTookWhatWentOn) {
  Add("a", Portions(2));
  StartPost();
  stream->RequestBody("12345");
  stream->RequestBody("6", true);
  EXPECT_THAT(stream->request_out().pieces, ElementsAre("12", "34", "5", "6"));
  EXPECT_TRUE(stream->request_out().ended);
  EXPECT_THAT(log, ElementsAre("a:req", "a:body(12345)", "a:body(345)", "a:body(5)", "a:body(6)."));
}

TEST_F(FilterChainTest, TheEndAndTheTrailersComeWithTheLastRest) {
  Add("a", Portions(2));
  Add("b");
  StartResponse();
  stream->ResponseBody("123");
  stream->ResponseTrailers({{"x", "1"}});
  EXPECT_THAT(stream->response_out().pieces, ElementsAre("12", "3", ""));
  EXPECT_THAT(stream->response_out().trailers, ElementsAre(Pair("x", "1")));

  stream.reset();
  TakeLog();
  StartPost();
  stream->RequestBody("1234", true);
  EXPECT_THAT(stream->request_out().pieces, ElementsAre("12", "34"));
  EXPECT_THAT(log, ElementsAre("a:req", "b:req", "a:body(1234).", "b:body(12)", "a:body(34).",
                               "b:body(34)."));
}

TEST_F(FilterChainTest, NoPieceOvertakesARest) {
  Add("a", Portions(1));
  Start();
  stream->Hold(kIn);
  stream->SetRequest("POST", "/");
  stream->RequestHeaders(false);
  stream->Take(kIn);
  stream->RequestBody("12");
  EXPECT_TRUE(stream->chain().Holds(kIn));
  EXPECT_FALSE(stream->chain().CanTake(kIn));
  stream->RequestBody("3", true);
  stream->Take(kIn);
  stream->Take(kIn);
  EXPECT_THAT(stream->request_out().pieces, ElementsAre("1", "2", "3"));
}

TEST_F(FilterChainTest, RestsOfSeveralFiltersKeepTheOrder) {
  Add("a", Portions(3));
  Add("b", Portions(2));
  Add("c", Portions(1));
  StartPost();
  stream->RequestBody("1234567");
  stream->RequestBody("89", true);
  EXPECT_EQ(stream->request_out().body, "123456789");
  EXPECT_EQ(stream->request_out().pieces.size(), 9U);
  EXPECT_TRUE(stream->request_out().ended);
}

TEST_F(FilterChainTest, ACollectorBehindAFilterThatKeepsRests) {
  Add("a", Portions(2));
  Add("b", {.request_headers = [](FilterContext&, bool) { return Verdict::CollectBody(99); }});
  StartPost();
  stream->RequestBody("12345");
  stream->RequestBody("67", true);
  EXPECT_EQ(stream->request_out().body, "1234567");
  EXPECT_TRUE(stream->request_out().ended);
  EXPECT_THAT(log, ElementsAre("a:req", "b:req", "a:body(12345)", "a:body(345)", "a:body(5)",
                               "a:body(67).", "b:body(1234567)."));
}

TEST_F(FilterChainTest, ACollectorMayPutBackARest) {
  Script script = Portions(2);
  script.request_headers = [](FilterContext&, bool) { return Verdict::CollectBody(99); };
  Add("a", script);
  Add("b");
  StartPost();
  stream->RequestBody("12345");
  stream->RequestTrailers({{"x", "1"}});
  EXPECT_THAT(stream->request_out().pieces, ElementsAre("12", "34", "5"));
  EXPECT_TRUE(stream->request_out().ended);
  EXPECT_THAT(stream->request_out().trailers, ElementsAre(Pair("x", "1")));
}

TEST_F(FilterChainTest, ACollectorBehindOneThatPutsBackARest) {
  Script script = Portions(2);
  script.request_headers = [](FilterContext&, bool) { return Verdict::CollectBody(99); };
  Add("a", script);
  Add("b", {.request_headers = [](FilterContext&, bool) { return Verdict::CollectBody(99); }});
  StartPost();
  stream->RequestBody("123");
  stream->RequestBody("45", true);
  EXPECT_THAT(stream->request_out().pieces, ElementsAre("12345"));
  EXPECT_TRUE(stream->request_out().ended);
}

TEST_F(FilterChainTest, AFilterMayPutBackAllOfAPieceAndPause) {
  int calls = 0;
  auto& a = Add("a", {.response_body = [&](FilterContext& context, Buffer& data, bool) {
                  if (++calls == 2) return Verdict::Continue();
                  context.UnreadResponseBody(std::move(data));
                  data.Clear();
                  return Verdict::Pause();
                }});
  StartResponse();
  stream->ResponseBody("123", true);
  EXPECT_TRUE(stream->paused(kOut));
  Resume(a, Verdict::Continue());
  harness.RunLoop();
  EXPECT_THAT(stream->response_out().pieces, ElementsAre("123"));
  EXPECT_TRUE(stream->response_out().ended);
}

TEST_F(FilterChainTest, RestsPutBackInPartsJoin) {
  bool first = true;
  Add("a", {.request_body = [&](FilterContext& context, Buffer& data, bool) {
        if (!std::exchange(first, false)) return Verdict::Continue();
        data.Clear();
        data.Append("1");
        context.UnreadRequestBody(Buffer("3"));  // from the end of the data: last part first
        context.UnreadRequestBody(Buffer("2"));
        return Verdict::Continue();
      }});
  StartPost();
  stream->RequestBody("123", true);
  EXPECT_THAT(stream->request_out().pieces, ElementsAre("1", "23"));
  EXPECT_TRUE(stream->request_out().ended);
}

TEST_F(FilterChainTest, AThrottleWithPausesOnBothSidesOfACollector) {
  // Throttles that pause before each portion: 2 bytes before the collector, 1 behind it.
  const auto throttle = [](size_t n) {
    return Script{.request_body = [n](FilterContext& context, Buffer& data, bool) {
      Buffer first;
      first.MoveFrom(data, std::min(n, data.size()));
      std::swap(first, data);
      context.UnreadRequestBody(std::move(first));
      return Verdict::Pause();
    }};
  };
  auto& a = Add("a", throttle(2));
  Add("b", {.request_headers = [](FilterContext&, bool) { return Verdict::CollectBody(99); }});
  auto& c = Add("c", throttle(1));
  StartPost();
  stream->RequestBody("12345", true);
  for (int turn = 0; turn < 20 && !stream->request_out().ended; ++turn) {
    Resume(turn < 3 ? a : c, Verdict::Continue());
    harness.RunLoop();
  }
  EXPECT_THAT(stream->request_out().pieces, ElementsAre("1", "2", "3", "4", "5"));
  EXPECT_TRUE(stream->request_out().ended);
}

}  // namespace
}  // namespace sluice
