// The chain by itself: filters made of lambdas, the test at both ends. Collected and held bodies
// are in chain_body_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/event/timer.h"
#include "tests/support/filter_chain_test.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST_F(FilterChainTest, RequestInOrderResponseInReverseCompleteInOrder) {
  Add("a");
  Add("b");
  Start().Get("/");
  EXPECT_TRUE(stream->request_out().ended);
  stream->Respond(200, {}, "hi");
  stream->Finish();
  EXPECT_THAT(log, ElementsAre("a:req.", "b:req.", "b:resp200", "a:resp200", "b:rbody(hi).",
                               "a:rbody(hi).", "a:complete", "b:complete"));
  EXPECT_EQ(stream->response_out().body, "hi");
  EXPECT_TRUE(stream->response_out().ended);
}

TEST_F(FilterChainTest, AnEmptyChainPassesEverything) {
  Start().Post("/", {}, "abc");
  stream->Respond(200, {}, "def");
  EXPECT_EQ(stream->request_out().body, "abc");
  EXPECT_EQ(stream->response_out().body, "def");
  EXPECT_TRUE(stream->request_out().ended && stream->response_out().ended);
}

TEST_F(FilterChainTest, EachPiecePassesAllFiltersBeforeTheNext) {
  Add("a");
  Add("b");
  StartPost();
  stream->RequestBody("1");
  stream->RequestBody("2", true);
  EXPECT_THAT(log,
              ElementsAre("a:req", "b:req", "a:body(1)", "b:body(1)", "a:body(2).", "b:body(2)."));
  EXPECT_THAT(stream->request_out().pieces, ElementsAre("1", "2"));
}

TEST_F(FilterChainTest, NothingComesInBeforeTheSinkTookTheLastPiece) {
  Add("a");
  Start();
  stream->SetRequest("POST", "/");
  stream->Hold(kIn);
  stream->RequestHeaders(false);
  stream->RequestBody("1");
  stream->RequestBody("2", true);
  EXPECT_THAT(TakeLog(), ElementsAre("a:req"));
  stream->Take(kIn);
  EXPECT_THAT(TakeLog(), ElementsAre("a:body(1)"));
  stream->Take(kIn);
  EXPECT_THAT(TakeLog(), ElementsAre("a:body(2)."));
}

TEST_F(FilterChainTest, TrailersPassAfterTheEndOfTheBody) {
  Add("a");
  Add("b", {.request_trailers = [](FilterContext&, Headers& trailers) {
        trailers.Add("x-b", "1");
        return Verdict::Continue();
      }});
  StartPost();
  stream->RequestBody("1");
  stream->RequestTrailers({{"x-sum", "7"}});
  EXPECT_THAT(log, ElementsAre("a:req", "b:req", "a:body(1)", "b:body(1)", "a:body.", "b:body.",
                               "a:trailers", "b:trailers"));
  EXPECT_THAT(stream->request_out().pieces, ElementsAre("1", ""));
  EXPECT_THAT(stream->request_out().trailers, ElementsAre(Pair("x-sum", "7"), Pair("x-b", "1")));

  TakeLog();
  stream->SetResponse(200);
  stream->ResponseHeaders(false);
  stream->ResponseTrailers({{"x-r", "1"}});
  EXPECT_THAT(log, ElementsAre("b:resp200", "a:resp200", "b:rbody.", "a:rbody.", "b:rtrailers",
                               "a:rtrailers"));
  EXPECT_THAT(stream->response_out().trailers, ElementsAre(Pair("x-r", "1")));
}

TEST_F(FilterChainTest, HooksThatAreNotInTheMaskAreNotCalled) {
  Add("a", {.hooks = kRequestHeadersHook});
  Add("b", {.hooks = kResponseBodyHook});
  Start().Post("/", {}, "x");
  stream->Respond(200, {}, "y");
  stream->Finish();
  EXPECT_THAT(log, ElementsAre("a:req", "b:rbody(y)."));
}

TEST_F(FilterChainTest, HooksOfComparesWithTheBaseClass) {
  struct Two final : Filter {
    Verdict OnRequestHeaders(RequestHead&, bool) override { return Verdict::Continue(); }
    void OnComplete(const StreamInfo&) override {}
  };
  EXPECT_EQ(HooksOf<Two>(), kRequestHeadersHook | kCompleteHook);
  EXPECT_EQ(HooksOf<ScriptedFilter>(), 0x7f);
}

// ---- Respond ------------------------------------------------------------------------------------

TEST_F(FilterChainTest, OnlyFiltersBeforeTheOneThatAnswersSeeTheResponse) {
  Add("a");
  Add("b", {.request_headers = [](FilterContext&, bool) { return Verdict::Respond(Reply(403)); }});
  Add("c");
  Start().Get("/");
  EXPECT_FALSE(stream->request_out().headers);
  ASSERT_NE(stream->reply(), nullptr);
  EXPECT_EQ(stream->reply()->status, 403);
  EXPECT_EQ(stream->response_out().body, "no\n");
  EXPECT_TRUE(stream->response_out().ended);
  stream->Finish();
  EXPECT_THAT(log, ElementsAre("a:req.", "b:req.", "a:resp403", "a:rbody(no\n).", "a:complete",
                               "b:complete", "c:complete"));
}

TEST_F(FilterChainTest, TheFirstFilterMayAnswer) {
  Add("a",
      {.request_headers = [](FilterContext&, bool) { return Verdict::Respond(Reply(204, "")); }});
  Start().Get("/");
  EXPECT_TRUE(stream->response_out().ended);
  EXPECT_EQ(stream->info().status, 204);
  EXPECT_THAT(log, ElementsAre("a:req."));
}

TEST_F(FilterChainTest, AnAnswerFromABodyHookStopsTheRequest) {
  Add("a");
  Add("b", {.request_body = [](FilterContext&, Buffer&, bool) {
        return Verdict::Respond(Reply(400, ""));
      }});
  StartPost();
  EXPECT_TRUE(stream->request_out().headers);
  stream->RequestBody("1");
  stream->RequestBody("2", true);
  EXPECT_EQ(stream->request_out().body, "");
  EXPECT_TRUE(stream->response_out().ended);
  EXPECT_THAT(log, ElementsAre("a:req", "b:req", "a:body(1)", "b:body(1)", "a:resp400."));
}

TEST_F(FilterChainTest, AnAnswerFromATrailersHook) {
  Add("a", {.request_trailers = [](FilterContext&, Headers&) {
        return Verdict::Respond(Reply(400, ""));
      }});
  StartPost();
  stream->RequestTrailers({{"x", "1"}});
  EXPECT_FALSE(stream->request_out().ended);
  EXPECT_EQ(stream->info().status, 400);
}

TEST_F(FilterChainTest, AResponseFilterMayReplaceTheResponse) {
  Add("a");
  Add("b", {.response_headers = [](FilterContext& context, bool) {
        return context.response().status == 200 ? Verdict::Respond(Reply(502))
                                                : Verdict::Continue();
      }});
  Add("c");
  StartResponse();
  stream->ResponseBody("lost", true);
  EXPECT_THAT(log, ElementsAre("a:req.", "b:req.", "c:req.", "c:resp200", "b:resp200", "a:resp502",
                               "a:rbody(no\n)."));
  EXPECT_EQ(stream->response_out().body, "no\n");
}

TEST_F(FilterChainTest, AnAnswerAfterTheResponseLeftIsAnAbort) {
  Add("a", {.response_body = [](FilterContext&, Buffer&, bool) {
        return Verdict::Respond(Reply(500));
      }});
  StartResponse();
  EXPECT_TRUE(stream->response_out().headers);
  stream->ResponseBody("x", true);
  EXPECT_EQ(stream->reply(), nullptr);
  ASSERT_NE(stream->aborted(), nullptr);
  EXPECT_EQ(stream->aborted()->detail, "test_reply");
  EXPECT_EQ(stream->response_out().body, "");
}

TEST_F(FilterChainTest, AnAnswerDropsWhatWasHeldOfTheResponseBefore) {
  // "b" lets the first byte of each piece through, "a" collects and then answers something else.
  Add("a", {.response_headers = [](FilterContext& context, bool) {
        return context.response().status == 200 ? Verdict::CollectBody(2) : Verdict::Continue();
      }});
  Add("b", {.response_body = [](FilterContext& context, Buffer& data, bool) {
        Buffer first;
        first.MoveFrom(data, 1);
        context.UnreadResponseBody(std::move(data));
        data = std::move(first);
        return Verdict::Continue();
      }});
  StartResponse();
  stream->ResponseBody("12345", true);  // the third byte is one too many
  ASSERT_NE(stream->reply(), nullptr);
  EXPECT_EQ(stream->reply()->status, 500);
  EXPECT_EQ(stream->reply()->details, "response_payload_too_large");
  EXPECT_EQ(stream->response_out().body, stream->reply()->body);
  EXPECT_TRUE(stream->response_out().ended);
}

// ---- Pause and Resume ---------------------------------------------------------------------------

TEST_F(FilterChainTest, AHeadWaitsUntilItsFilterResumes) {
  auto& b = Add("b", {.request_headers = [](FilterContext&, bool) { return Verdict::Pause(); }});
  Add("c");
  Start().Post("/", {}, "x");
  EXPECT_TRUE(stream->paused(kIn));
  EXPECT_FALSE(stream->request_out().headers);
  EXPECT_THAT(TakeLog(), ElementsAre("b:req"));
  Resume(b, Verdict::Continue());
  harness.RunLoop();
  EXPECT_FALSE(stream->paused(kIn));
  EXPECT_THAT(TakeLog(), ElementsAre("c:req", "b:body(x).", "c:body(x)."));
  EXPECT_EQ(stream->request_out().body, "x");
  Resume(b, Verdict::Continue());  // nothing waits: does nothing
  EXPECT_TRUE(log.empty());
}

TEST_F(FilterChainTest, ResumeWithAnAnswer) {
  Add("a");
  auto& b = Add("b", {.request_headers = [](FilterContext&, bool) { return Verdict::Pause(); }});
  Start().Get("/");
  Resume(b, Verdict::Respond(Reply(401, "")));
  EXPECT_EQ(stream->info().status, 401);
  EXPECT_THAT(log, ElementsAre("a:req.", "b:req.", "a:resp401."));
  Resume(b, Verdict::Continue());
  EXPECT_FALSE(stream->request_out().headers);
}

TEST_F(FilterChainTest, ResumeWithAnAbort) {
  auto& a = Add("a", {.request_headers = [](FilterContext&, bool) { return Verdict::Pause(); }});
  Start().Post("/", {}, "x");
  Resume(a, Verdict::Abort(Error{Code::kCanceled, Side::kInternal, Retry::kNever, "gone"}));
  ASSERT_NE(stream->aborted(), nullptr);
  Resume(a, Verdict::Continue());
  EXPECT_FALSE(stream->request_out().headers);
  EXPECT_FALSE(stream->chain().CanTake(kIn));
}

TEST_F(FilterChainTest, ResumeWithPauseStaysPaused) {
  auto& a = Add("a", {.request_headers = [](FilterContext&, bool) { return Verdict::Pause(); }});
  Start().Get("/");
  Resume(a, Verdict::Pause());
  EXPECT_TRUE(stream->paused(kIn));
  Resume(a, Verdict::Continue());
  EXPECT_TRUE(stream->request_out().ended);
}

TEST_F(FilterChainTest, APieceWaitsUntilItsFilterResumes) {
  auto& a =
      Add("a", {.request_body = [](FilterContext&, Buffer&, bool) { return Verdict::Pause(); }});
  Add("b");
  StartPost();
  stream->RequestBody("1");
  stream->RequestBody("2", true);
  EXPECT_TRUE(stream->paused(kIn));
  EXPECT_THAT(TakeLog(), ElementsAre("a:req", "b:req", "a:body(1)"));
  Resume(a, Verdict::Continue());
  harness.RunLoop();
  EXPECT_THAT(TakeLog(), ElementsAre("b:body(1)", "a:body(2)."));
  Resume(a, Verdict::Continue());
  EXPECT_THAT(TakeLog(), ElementsAre("b:body(2)."));
  EXPECT_TRUE(stream->request_out().ended);
}

TEST_F(FilterChainTest, TrailersWaitUntilTheirFilterResumes) {
  auto& a =
      Add("a", {.response_trailers = [](FilterContext&, Headers&) { return Verdict::Pause(); }});
  Add("b");
  StartResponse();
  stream->ResponseTrailers({{"x", "1"}});
  EXPECT_TRUE(stream->paused(kOut));
  EXPECT_FALSE(stream->response_out().ended);
  Resume(a, Verdict::Continue());
  EXPECT_TRUE(stream->response_out().ended);
  EXPECT_THAT(stream->response_out().trailers, ElementsAre(Pair("x", "1")));
}

TEST_F(FilterChainTest, AFilterThatHoldsBothDirectionsResumesTheResponse) {
  auto& a =
      Add("a", {.request_body = [](FilterContext&, Buffer&, bool) { return Verdict::Pause(); },
                .response_headers = [](FilterContext&, bool) { return Verdict::Pause(); }});
  StartPost();
  stream->RequestBody("1", true);
  stream->Respond(200);
  EXPECT_TRUE(stream->paused(kIn) && stream->paused(kOut));
  Resume(a, Verdict::Continue());
  EXPECT_TRUE(stream->response_out().ended);
  EXPECT_FALSE(stream->request_out().ended);
  Resume(a, Verdict::Continue());
  EXPECT_TRUE(stream->request_out().ended);
}

TEST_F(FilterChainTest, OneDirectionWaitsWithoutTheOther) {
  Add("a", {.request_body = [](FilterContext&, Buffer&, bool) { return Verdict::Pause(); }});
  Add("b", {.response_headers = [](FilterContext&, bool) { return Verdict::Continue(); }});
  StartPost();
  stream->RequestBody("1");
  stream->Respond(200, {}, "early");
  EXPECT_EQ(stream->response_out().body, "early");
  EXPECT_TRUE(stream->response_out().ended);
}

TEST_F(FilterChainTest, ATimerOfTheFilterResumesAndDiesWithIt) {
  std::unique_ptr<Timer> timer;
  FilterContext* context = nullptr;
  auto& a = Add("a", {.request_headers = [&](FilterContext& its_context, bool) {
                  context = &its_context;
                  timer = std::make_unique<Timer>(
                      harness.loop(),
                      Callback(
                          [](void* object) {
                            (*static_cast<FilterContext**>(object))->Resume(Verdict::Continue());
                          },
                          &context));
                  timer->Start(250 * kMillisecond);
                  return Verdict::Pause();
                }});
  Start().Get("/");
  harness.Advance(249 * kMillisecond);
  EXPECT_TRUE(stream->paused(kIn));
  harness.Advance(2 * kMillisecond);
  EXPECT_TRUE(stream->request_out().ended);
  EXPECT_NE(a.last(), nullptr);
}

// ---- an answer from elsewhere -------------------------------------------------------------------

TEST_F(FilterChainTest, AnAnswerFromElsewherePassesTheFiltersThatSawTheRequest) {
  Add("a");
  auto& b = Add("b", {.request_headers = [](FilterContext&, bool) { return Verdict::Pause(); }});
  Add("c");
  Start().Get("/");
  stream->chain().StopRequest();
  stream->Respond(504);
  EXPECT_THAT(log, ElementsAre("a:req.", "b:req.", "b:resp504.", "a:resp504."));
  Resume(b, Verdict::Continue());
  EXPECT_FALSE(stream->request_out().headers);
  EXPECT_TRUE(stream->response_out().ended);
}

TEST_F(FilterChainTest, AnAnswerBeforeAnyRequestPassesNoFilter) {
  Add("a");
  Start().Respond(400);
  stream->Finish();
  EXPECT_THAT(log, ElementsAre("a:complete"));
  EXPECT_TRUE(stream->response_out().ended);
}

TEST_F(FilterChainTest, AnAnswerFromElsewhereWhileAFilterCollects) {
  Add("a", {.request_headers = [](FilterContext&, bool) { return Verdict::CollectBody(100); }});
  Add("b");
  StartPost();
  stream->RequestBody("1");
  stream->chain().StopRequest();
  stream->Respond(408);
  EXPECT_THAT(log, ElementsAre("a:req", "a:resp408."));
  EXPECT_FALSE(stream->chain().CanTake(kIn));
}

// ---- Abort, Complete ----------------------------------------------------------------------------

TEST_F(FilterChainTest, AbortStopsBothDirections) {
  Add("a", {.response_headers = [](FilterContext&, bool) {
        return Verdict::Abort(Error{Code::kProtocol, Side::kInternal, Retry::kNever, "bad"});
      }});
  StartPost();
  stream->Respond(200, {}, "x");
  ASSERT_NE(stream->aborted(), nullptr);
  EXPECT_EQ(stream->aborted()->detail, "bad");
  EXPECT_FALSE(stream->chain().CanTake(kIn));
  EXPECT_FALSE(stream->chain().CanTake(kOut));
  stream->RequestBody("late", true);
  EXPECT_EQ(stream->request_out().body, "");
}

TEST_F(FilterChainTest, CompleteOnceAndNothingAfterwards) {
  auto& a = Add("a", {.request_headers = [](FilterContext&, bool) { return Verdict::Pause(); }});
  Start().Get("/");
  stream->chain().Complete(stream->info());
  stream->chain().Complete(stream->info());
  Resume(a, Verdict::Continue());
  EXPECT_THAT(log, ElementsAre("a:req.", "a:complete"));
  EXPECT_FALSE(stream->request_out().headers);
  stream->Finish();
  EXPECT_EQ(a.last(), nullptr);  // destroyed
  EXPECT_THAT(log, ElementsAre("a:req.", "a:complete"));
}

}  // namespace
}  // namespace sluice
