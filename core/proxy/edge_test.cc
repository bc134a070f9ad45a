#include "core/proxy/edge.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <optional>
#include <string_view>
#include <utility>

#include "core/base/arena.h"

namespace sluice {
namespace {

class EdgeTest : public ::testing::Test {
 protected:
  EdgeInput Input(bool trusted) const { return {settings_, "192.0.2.1", trusted, false}; }

  // Where the path is redirected to; empty: nowhere.
  std::string_view Location(std::string_view path) {
    RequestHead head(arena_);
    head.authority = "a.test";
    head.path = path;
    ConnectionInfo connection;
    StreamInfo info(arena_, connection);
    const std::optional<LocalReply> reply = PrepareRequest(Input(false), head, info, random_);
    if (!reply) return {};
    EXPECT_EQ(reply->status, 307);
    return arena_.Copy(reply->headers.at(0).second);
  }

  Arena arena_;
  Random random_;
  ListenerSettings settings_;
};

TEST_F(EdgeTest, APathIsNeverRedirectedToAnotherHost) {
  settings_.escaped_slashes = EscapedSlashRule::kRedirect;
  EXPECT_EQ(Location("/a/b"), "");
  EXPECT_EQ(Location("/a%2Fb"), "/a/b");
  EXPECT_EQ(Location("/%2Fevil.test/"), "/.//evil.test/");
  EXPECT_EQ(Location("/%5Cevil.test/"), "/.//evil.test/");
  EXPECT_EQ(Location("//evil.test%2f"), "/.//evil.test/");
  settings_.merge_slashes = true;
  EXPECT_EQ(Location("/%2Fevil.test/"), "/evil.test/");
}

TEST_F(EdgeTest, PrivateFieldsAreTakenOutOfTrailersToo) {
  for (const bool trusted : {false, true}) {
    Headers trailers(arena_);
    trailers.Add("x-checksum", "1");
    trailers.Add("X-Sluice-Secret", "2");
    trailers.Add("x_Sluice-secret2", "3");
    PrepareTrailers(Input(trusted), trailers);
    EXPECT_TRUE(trailers.Has("x-checksum"));
    EXPECT_EQ(trailers.Has("x-sluice-secret"), trusted);
    EXPECT_EQ(trailers.Has("x_sluice-secret2"), trusted);
  }
}

TEST_F(EdgeTest, PrivateFieldsMayHideBehindUnderscores) {
  RequestHead head(arena_);
  head.path = "/";
  for (const char* name : {"x_sluice_a", "X-SLUICE_b", "X_Sluice-C", "x-sluice-d"}) {
    head.headers.Add(name, "evil");
  }
  for (const char* name : {"x_sluice", "xxsluice_a", "x-sluicer", "x__sluice_a"}) {
    head.headers.Add(name, "fine");
  }
  ConnectionInfo connection;
  StreamInfo info(arena_, connection);
  PrepareRequest(Input(false), head, info, random_);
  size_t fine = 0;
  head.headers.ForEach([&](const Headers::Entry& entry) {
    EXPECT_NE(entry.value, "evil") << entry.name;
    if (entry.value == "fine") ++fine;
  });
  EXPECT_EQ(fine, 4U);
}

TEST_F(EdgeTest, KnownFieldsDoNotHideBehindUnderscores) {
  RequestHead head(arena_);
  head.path = "/";
  for (const char* name : {"Transfer_Encoding", "content_length", "X_Forwarded_For",
                           "x-forwarded_proto", "X_REQUEST_ID", "host_"}) {
    head.headers.Add(name, "1");
  }
  ConnectionInfo connection;
  StreamInfo info(arena_, connection);
  PrepareRequest(Input(false), head, info, random_);
  std::string left;
  head.headers.ForEach([&](const Headers::Entry& entry) {
    if (entry.name.find('_') != std::string_view::npos) left += std::string(entry.name) + " ";
  });
  EXPECT_EQ(left, "host_ ");
  Headers trailers(arena_);
  trailers.Add("Content_Length", "9");
  PrepareTrailers(Input(false), trailers);
  EXPECT_FALSE(trailers.Has("content_length"));
}

class PriorityTest : public EdgeTest {
 protected:
  struct Said {
    RequestPriority priority = RequestPriority::kNormal;
    bool said = false;
    bool passed_on = false;
  };

  Said Read(bool trusted, std::initializer_list<std::string_view> values,
            std::string_view name = "X-Importance") {
    settings_.priority_header = "x-importance";
    RequestHead head(arena_);
    head.path = "/";
    for (const std::string_view value : values) head.headers.Add(name, value);
    ConnectionInfo connection;
    StreamInfo info(arena_, connection);
    PrepareRequest(Input(trusted), head, info, random_);
    return {info.priority, info.priority_said, head.headers.Has(name)};
  }
};

TEST_F(PriorityTest, IsWhatATrustedPeerSays) {
  for (const auto& [text, priority] :
       {std::pair{"critical", RequestPriority::kCritical},
        std::pair{"High", RequestPriority::kHigh}, std::pair{"normal", RequestPriority::kNormal},
        std::pair{" low ", RequestPriority::kLow}}) {
    const Said said = Read(true, {text});
    EXPECT_TRUE(said.said) << text;
    EXPECT_EQ(said.priority, priority) << text;
    EXPECT_TRUE(said.passed_on) << text;
  }
}

TEST_F(PriorityTest, IsTakenOutWhereItIsNotBelieved) {
  for (const char* name : {"X-Importance", "x_importance"}) {
    const Said said = Read(false, {"critical"}, name);
    EXPECT_FALSE(said.said);
    EXPECT_FALSE(said.passed_on) << name;
  }
  Headers trailers(arena_);
  trailers.Add("x-importance", "critical");
  PrepareTrailers(Input(true), trailers);
  EXPECT_FALSE(trailers.Has("x-importance")) << "it comes too late to be looked at";
}

TEST_F(PriorityTest, IsTakenOutWhereItSaysNothingKnown) {
  for (const auto& values : {std::initializer_list<std::string_view>{"urgent"},
                             std::initializer_list<std::string_view>{""},
                             std::initializer_list<std::string_view>{"high", "low"}}) {
    const Said said = Read(true, values);
    EXPECT_FALSE(said.said);
    EXPECT_EQ(said.priority, RequestPriority::kNormal);
    EXPECT_FALSE(said.passed_on);
  }
}

TEST_F(PriorityTest, NobodyIsAskedWithoutTheHeader) {
  RequestHead head(arena_);
  head.path = "/";
  head.headers.Add("x-importance", "low");
  ConnectionInfo connection;
  StreamInfo info(arena_, connection);
  PrepareRequest(Input(false), head, info, random_);
  EXPECT_TRUE(head.headers.Has("x-importance"));
  EXPECT_FALSE(info.priority_said);
}

}  // namespace
}  // namespace sluice
