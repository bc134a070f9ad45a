#include "core/server/admin/text_codec.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "core/base/arena.h"

namespace sluice {
namespace {

std::string TextOf(const Buffer& buffer) {
  std::string text;
  for (size_t i = 0; i < buffer.slice_count(); ++i) text += buffer.slice(i).view();
  return text;
}

TEST(AdminTargetTest, WordsAreThePathAndTheRestParameters) {
  EXPECT_EQ(AdminTargetOf("clusters"), "/clusters");
  EXPECT_EQ(AdminTargetOf("  endpoints\tdrain cluster=api  address=[::1]:80 "),
            "/endpoints/drain?cluster=api&address=[::1]:80");
  EXPECT_EQ(AdminTargetOf("stats filter=\"a b|c\" used"), "/stats?filter=a%20b%7Cc&used");
  EXPECT_EQ(AdminTargetOf("metrics name[]=a name[]=b"), "/metrics?name[]=a&name[]=b");
  EXPECT_EQ(AdminTargetOf("/logs/reopen"), "/logs/reopen");
  EXPECT_EQ(AdminTargetOf("format=json"), "/?format=json");
  EXPECT_EQ(AdminTargetOf("a;b \"c"), "/a%3Bb/c");
  EXPECT_EQ(AdminTargetOf("x=1%2&y"), "/?x=1%252%26y");
  EXPECT_EQ(AdminTargetOf(std::string_view("\0\x80?", 3)), "/%00%80%3F");
}

class AdminTextCodecTest : public testing::Test, public ServerEvents {
 protected:
  RequestHead& OnRequestBegin(StreamId id) override {
    current_ = id;
    head_.emplace(arena_);
    ++begun_;
    return *head_;
  }
  void OnRequestHead(StreamId id, bool end) override {
    EXPECT_EQ(id, current_);
    EXPECT_TRUE(end);
    EXPECT_EQ(head_->method_name(), kAdminCommand);
    EXPECT_EQ(head_->headers.Get(HeaderId::kAccept), "text/plain");
    targets_.emplace_back(head_->path);
  }
  void OnBody(StreamId, Slice) override { ADD_FAILURE(); }
  void OnTrailers(StreamId, Headers&) override { ADD_FAILURE(); }
  void OnEnd(StreamId) override { ++ended_; }
  void OnReset(StreamId, const Error&) override { ADD_FAILURE(); }
  void OnEncodeMore(StreamId) override { ADD_FAILURE(); }

  Result<void> Feed(std::string_view text) {
    in_.Append(text);
    return codec_.Feed(in_);
  }
  // What the client sees.
  std::string Answer(uint16_t status, const std::vector<std::string_view>& pieces) {
    ResponseHead head(arena_);
    head.status = status;
    Buffer out;
    codec_.EncodeHead(current_, head, pieces.empty(), out);
    for (const std::string_view piece : pieces) {
      Buffer data(piece);
      codec_.EncodeBody(current_, data, out);
      EXPECT_TRUE(data.empty());
    }
    codec_.EncodeEnd(current_, nullptr, out);
    return TextOf(out);
  }

  Arena arena_;
  std::optional<RequestHead> head_;
  Buffer in_;
  StreamId current_ = 0;
  int begun_ = 0;
  int ended_ = 0;
  std::vector<std::string> targets_;
  AdminTextCodec codec_{*this};
};

using Targets = std::vector<std::string>;

TEST_F(AdminTextCodecTest, ALineIsARequestHoweverItComes) {
  const std::string line = "\r\n \nendpoints drain cluster=a address=b\r\n";
  for (const char c : line) ASSERT_TRUE(Feed({&c, 1}));
  EXPECT_EQ(targets_, (Targets{"/endpoints/drain?cluster=a&address=b"}));
  EXPECT_EQ(ended_, 1);
  EXPECT_FALSE(codec_.WantsInput());
  EXPECT_EQ(Answer(200, {"done\n"}), "done\n\n");
  EXPECT_TRUE(codec_.WantsInput());
  EXPECT_FALSE(codec_.Finished());
}

TEST_F(AdminTextCodecTest, LinesThatWereSentAheadWait) {
  ASSERT_TRUE(Feed("a\nb\n\nc\n"));
  EXPECT_EQ(targets_, (Targets{"/a"}));
  EXPECT_EQ(Answer(200, {"1\n"}), "1\n\n");
  ASSERT_TRUE(codec_.Feed(in_));
  EXPECT_EQ(targets_, (Targets{"/a", "/b"}));
  EXPECT_EQ(Answer(200, {"2\n"}), "2\n\n");
  ASSERT_TRUE(codec_.Feed(in_));
  EXPECT_EQ(targets_, (Targets{"/a", "/b", "/c"}));
  EXPECT_TRUE(in_.empty());
}

TEST_F(AdminTextCodecTest, NoEmptyLineInsideOfAnAnswerAndOneBehindIt) {
  ASSERT_TRUE(Feed("a\n"));
  EXPECT_EQ(Answer(200, {"\na\n", "\n\nb", "\n\nc"}), "a\nb\nc\n\n");
  ASSERT_TRUE(Feed("a\n"));
  EXPECT_EQ(Answer(204, {}), "\n");
}

TEST_F(AdminTextCodecTest, ErrorsSayThatTheyAre) {
  ASSERT_TRUE(Feed("a\n"));
  EXPECT_EQ(Answer(404, {"error: nothing\n"}), "error: nothing\n\n");
  ASSERT_TRUE(Feed("a\n"));
  EXPECT_EQ(Answer(414, {"URI Too Long\n"}), "error: URI Too Long\n\n");
  ASSERT_TRUE(Feed("a\n"));
  EXPECT_EQ(Answer(503, {}), "error: 503\n\n");
}

TEST_F(AdminTextCodecTest, AnEndlessLine) {
  ASSERT_TRUE(Feed(std::string(AdminTextCodec::kMostLine, 'x')));
  EXPECT_EQ(begun_, 1);
  const Result<void> fed = Feed("x");
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().code, Code::kTargetTooLong);
  EXPECT_TRUE(codec_.Finished());
  EXPECT_EQ(Answer(414, {"URI Too Long\n"}), "error: URI Too Long\n\n");
  EXPECT_EQ(targets_, Targets{});
}

TEST_F(AdminTextCodecTest, TheLastLineNeedsNoEnd) {
  ASSERT_TRUE(Feed("a\nb"));
  ASSERT_TRUE(codec_.FeedEnd());
  Buffer none;
  codec_.Drain(none);  // as the connection does then
  EXPECT_EQ(Answer(200, {"1\n"}), "1\n\n");
  EXPECT_FALSE(codec_.Finished());
  ASSERT_TRUE(codec_.Feed(in_));
  EXPECT_EQ(targets_, (Targets{"/a", "/b"}));
}

TEST_F(AdminTextCodecTest, ALineThatTheEndFinishes) {
  ASSERT_TRUE(Feed("a"));
  EXPECT_EQ(targets_, Targets{});
  ASSERT_TRUE(codec_.FeedEnd());
  EXPECT_EQ(targets_, Targets{"/a"});
}

TEST_F(AdminTextCodecTest, DrainEndsAfterTheAnswer) {
  ASSERT_TRUE(Feed("a\nb\n"));
  Buffer none;
  codec_.Drain(none);
  EXPECT_FALSE(codec_.Finished());
  EXPECT_EQ(Answer(200, {"1\n"}), "1\n\n");
  EXPECT_TRUE(codec_.Finished());
  ASSERT_TRUE(codec_.Feed(in_));
  EXPECT_EQ(targets_, Targets{"/a"});
}

TEST_F(AdminTextCodecTest, AnIdleOneDrainsAtOnce) {
  Buffer none;
  codec_.Drain(none);
  EXPECT_TRUE(codec_.Finished());
}

}  // namespace
}  // namespace sluice
