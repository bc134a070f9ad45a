#include "core/server/admin/admin.h"

#include <gmock/gmock.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "core/base/clock.h"
#include "core/base/strings.h"
#include "core/net/listen_socket.h"
#include "core/server/admin/admin_listener.h"
#include "core/server/admin/basic_pages.h"
#include "core/stats/directory.h"
#include "core/stats/segment.h"
#include "tests/support/driver.h"
#include "tests/support/raw_client.h"
#include "tests/support/temp_folder.h"

namespace sluice {
namespace {

using test::HttpText;
using test::HttpTextKind;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class AdminTest : public testing::Test, private AdminSource {
 protected:
  AdminTest() {
    AddBasicPages(table_, *this);
    table_.Add({"/act", AdminKind::kAction, "does something", "?how=WELL",
                [this](const AdminRequest& request) { return Act(request); }, false, 10});
    table_.Add({"/both", AdminKind::kPage, "is", "", [](const AdminRequest&) {
                  return AdminReply{200, "page\n"};
                }});
    table_.Add({"/both", AdminKind::kAction, "does", "", [](const AdminRequest&) {
                  return AdminReply{200, "action\n"};
                }});
    table_.Add({"/later", AdminKind::kAction, "takes time", "",
                [this](const AdminRequest&) { return std::make_unique<Later>(waiter_); }});
    EXPECT_TRUE(listener_.Start({sockets_.fds[0].get()}));
  }

  // Whoever waits is known to the test as long as it waits.
  class Later final : public AdminPending {
   public:
    explicit Later(AdminWaiter*& slot) : slot_(slot) {}
    ~Later() override { slot_ = nullptr; }
    void Start(AdminWaiter& waiter) override { slot_ = &waiter; }

   private:
    AdminWaiter*& slot_;
  };

  AdminAnswer Act(const AdminRequest& request) {
    asked_.push_back(StrCat({request.query.Get("how"), " ", request.body, " ", request.if_match}));
    who_ = request.who;
    if (request.query.Get("how") == "badly") {
      return AdminError(Error{Code::kUnavailable, Side::kInternal, Retry::kNever, "not now"});
    }
    return AdminDone(request, "done");
  }

  // Over a connection of its own.
  HttpText GetAside(std::string_view target) {
    test::RawClient client(driver_, sockets_.address);
    client.Send(StrCat({"GET ", target, " HTTP/1.1\r\nHost: a\r\n\r\n"}));
    return client.ReadResponse();
  }

  HttpText Post(std::string_view target, std::string_view body = "", std::string_view fields = "") {
    client_.Send(StrCat({"POST ", target, " HTTP/1.1\r\nHost: localhost\r\nContent-Length: ",
                         Decimal(body.size()), "\r\n", fields, "\r\n", body}));
    return client_.ReadResponse();
  }

  HttpText Get(std::string_view target, std::string_view fields = "") {
    client_.Send(StrCat({"GET ", target, " HTTP/1.1\r\nHost: a\r\n", fields, "\r\n"}));
    return client_.ReadResponse();
  }

  FakeClock clock_;
  std::unique_ptr<Loop> loop_ = Loop::Create(clock_).value();
  test::Driver driver_{loop_.get()};
  std::unique_ptr<StatsSegment> segment_ = StatsSegment::Create(StatsOptions{}).value();
  StatsDirectory directory_{*segment_};
  ServerStatus status_;
  ServerState state_ = ServerState::kLive;
  ListenSockets sockets_ = OpenListenSockets(*Address::Parse("127.0.0.1:0"), 1).value();
  AdminTable table_;
  std::vector<std::string> asked_;
  std::string who_;
  AdminWaiter* waiter_ = nullptr;
  AdminListener listener_{*loop_, directory_, status_, table_, ""};
  test::RawClient client_{driver_, sockets_.address};

 private:
  ServerState state() const override { return state_; }
  ServerSummary Summary() const override {
    return {"edge", state_, 90 * kSecond, 2, 0.003, "edge.yaml", 3, {{"web", "127.0.0.1:8080"}}};
  }
  StatsReader FreshStats() override { return StatsReader(*segment_); }
  ServerReport Report() const override { return {}; }
  std::vector<ListenerReport> Listeners() const override { return {}; }
  const std::vector<Cluster*>& UsedClusters() const override { return clusters_; }
  StatsMemoryUse StatsMemory() const override { return {}; }

  std::vector<Cluster*> clusters_;
};

TEST_F(AdminTest, TheIndexAsTextAndAsJson) {
  const HttpText text = Get("/");
  EXPECT_EQ(text.status, 200);
  EXPECT_THAT(text.Header("content-type").value_or(""), StartsWith("text/plain"));
  EXPECT_THAT(text.body, HasSubstr("uptime    90s\n"));
  EXPECT_THAT(text.body, HasSubstr("listener  web on 127.0.0.1:8080\n"));
  EXPECT_THAT(text.body, HasSubstr("GET  /metrics  "));

  const HttpText asked = Get("/", "Accept: application/json\r\n");
  EXPECT_EQ(asked.Header("content-type"), "application/json");
  const nlohmann::json json = nlohmann::json::parse(asked.body);
  EXPECT_EQ(json["id"], "edge");
  EXPECT_EQ(json["state"], "LIVE");
  EXPECT_EQ(json["workers"], 2);
  EXPECT_EQ(json["config"]["version"], 3);
  EXPECT_EQ(json["listeners"][0]["address"], "127.0.0.1:8080");
  EXPECT_EQ(json["endpoints"].size(), table_.rows().size());
  EXPECT_EQ(json["endpoints"][6]["path"], "/act");
  EXPECT_EQ(json["endpoints"][6]["method"], "POST");
  EXPECT_EQ(json["endpoints"][6]["parameters"], "?how=WELL");
  EXPECT_EQ(Get("/?format=json", "Accept: text/plain\r\n").Header("content-type"),
            "application/json");
  EXPECT_THAT(Get("/?format=text", "Accept: application/json\r\n").body, StartsWith("sluice "));
}

TEST_F(AdminTest, ReadyOnlyWhileLive) {
  EXPECT_EQ(Get("/ready").status, 200);
  state_ = ServerState::kStarting;
  EXPECT_EQ(Get("/ready").status, 503);
  state_ = ServerState::kDraining;
  const HttpText draining = Get("/ready");
  EXPECT_EQ(draining.status, 503);
  EXPECT_EQ(draining.body, "DRAINING\n");
  EXPECT_EQ(Get("/live").status, 200);
}

TEST_F(AdminTest, MetricsInTheFormatThatIsAsked) {
  directory_.main_row().counter(directory_.Counter({"sluice_a_total", "A."})).Inc(5);
  directory_.Counter({"sluice_b_total", "B."});
  const HttpText text = Get("/metrics");
  EXPECT_EQ(text.status, 200);
  EXPECT_THAT(text.Header("content-type").value_or(""), HasSubstr("version=0.0.4"));
  EXPECT_THAT(text.body, HasSubstr("\nsluice_a_total 5\n"));
  EXPECT_THAT(text.body, HasSubstr("\nsluice_b_total 0\n"));
  EXPECT_THAT(text.body, HasSubstr("sluice_downstream_connections_total{listener=\"admin\"} 1\n"));

  const HttpText open = Get("/metrics", "Accept: application/openmetrics-text\r\n");
  EXPECT_THAT(open.Header("content-type").value_or(""), StartsWith("application/openmetrics-text"));
  EXPECT_THAT(open.body, HasSubstr("\n# EOF\n"));

  const HttpText some = Get("/metrics?name%5B%5D=sluice_b_total");
  EXPECT_THAT(some.body, HasSubstr("sluice_b_total 0\n"));
  EXPECT_THAT(some.body, Not(HasSubstr("sluice_a_total")));
}

TEST_F(AdminTest, StatsForPeople) {
  directory_.main_row().counter(directory_.Counter({"sluice_a_total", "A."}, {{"x", "1"}})).Inc(5);
  directory_.Counter({"sluice_a_total", "A."}, {{"x", "2"}});
  EXPECT_EQ(Get("/stats?filter=sluice_a").body,
            "sluice_a_total{x=\"1\"}: 5\nsluice_a_total{x=\"2\"}: 0\n");
  EXPECT_EQ(Get("/stats?filter=sluice_a&used").body, "sluice_a_total{x=\"1\"}: 5\n");
  const nlohmann::json json = nlohmann::json::parse(Get("/stats?format=json").body);
  EXPECT_GT(json.size(), 10U);
  EXPECT_EQ(Get("/stats?format=json&filter=nothing").body, "[]\n");
  const HttpText bad = Get("/stats?filter=(");
  EXPECT_EQ(bad.status, 400);
  EXPECT_THAT(bad.body, HasSubstr("\"error\":\"filter: "));
}

TEST_F(AdminTest, WhatIsNotThereAndWhatIsNotAllowed) {
  const HttpText missing = Get("/nothing");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(nlohmann::json::parse(missing.body)["error"],
            "there is nothing at /nothing; GET / lists what there is");
  client_.Send("POST /ready HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
  const HttpText post = client_.ReadResponse();
  EXPECT_EQ(post.status, 405);
  EXPECT_EQ(post.Header("allow"), "GET, HEAD");
  const HttpText get = Get("/act");
  EXPECT_EQ(get.status, 405);
  EXPECT_EQ(get.Header("allow"), "POST");
  client_.Send("PUT /both HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(client_.ReadResponse().Header("allow"), "GET, HEAD, POST");
  const HttpText text = Get("/nothing", "Accept: text/plain\r\n");
  EXPECT_EQ(text.body, "error: there is nothing at /nothing; GET / lists what there is\n");
  EXPECT_THAT(asked_, ElementsAre());
}

TEST_F(AdminTest, ActionsSeeTheirParametersAndTheirBody) {
  const HttpText done = Post("/act?how=well", "body", "If-Match: \"3\"\r\n");
  EXPECT_EQ(done.status, 200);
  EXPECT_EQ(done.body, "done\n");
  const HttpText json = Post("/act", "", "Accept: application/json\r\n");
  EXPECT_EQ(nlohmann::json::parse(json.body)["result"], "done");
  EXPECT_THAT(asked_, ElementsAre("well body \"3\"", "  "));
  EXPECT_THAT(who_, StartsWith("127.0.0.1:"));
  EXPECT_EQ(Get("/both").body, "page\n");
  EXPECT_EQ(Post("/both").body, "action\n");

  const HttpText failed = Post("/act?how=badly");
  EXPECT_EQ(failed.status, 503);
  EXPECT_EQ(nlohmann::json::parse(failed.body)["error"], "not now");
}

TEST_F(AdminTest, ABodyThatComesInPiecesAndOneThatIsTooLong) {
  client_.Send(
      "POST /act HTTP/1.1\r\nHost: localhost:1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n");
  EXPECT_EQ(GetAside("/live").status, 200);
  EXPECT_THAT(asked_, ElementsAre());
  client_.Send("3\r\nefg\r\n0\r\n\r\n");
  EXPECT_EQ(client_.ReadResponse().status, 200);
  EXPECT_THAT(asked_, ElementsAre(" abcdefg "));
  const HttpText large = Post("/act", "01234567890");
  EXPECT_EQ(large.status, 413);
  EXPECT_EQ(nlohmann::json::parse(large.body)["error"], "/act takes a body of at most 10 bytes");
  EXPECT_EQ(asked_.size(), 1U);
}

TEST_F(AdminTest, AnAnswerThatComesLater) {
  client_.Send("POST /later HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
  ASSERT_TRUE(driver_.RunUntil([this] { return waiter_ != nullptr; }, "the action"));
  waiter_->OnAdminReply(AdminReply{200, "at last\n"});
  EXPECT_EQ(client_.ReadResponse().body, "at last\n");
  ASSERT_TRUE(driver_.RunUntil([this] { return waiter_ == nullptr; }, "the end of the stream"));
  EXPECT_EQ(Get("/live").status, 200);
}

TEST_F(AdminTest, AClientThatLeavesCancelsWhatIsPending) {
  client_.Send("POST /later HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
  ASSERT_TRUE(driver_.RunUntil([this] { return waiter_ != nullptr; }, "the action"));
  client_.Reset();
  EXPECT_TRUE(driver_.RunUntil([this] { return waiter_ == nullptr; }, "the end of the stream"));
}

// Over a unix socket: text, and HTTP.
class AdminTextTest : public AdminTest {
 protected:
  AdminTextTest() { EXPECT_TRUE(listener_.Start({unix_.fds[0].get()})); }

  // All that comes until the connection ends.
  std::string Say(std::string_view text) {
    test::RawClient client(driver_, unix_.address);
    client.Send(text);
    client.HalfClose();
    EXPECT_TRUE(client.WaitForEnd());
    return client.received();
  }

  test::TempFolder folder_;
  ListenSockets unix_ =
      OpenListenSockets(*Address::Parse("unix:" + folder_.Path("admin")), 1).value();
};

TEST_F(AdminTextTest, CommandsOneALine) {
  EXPECT_EQ(Say("live\nact how=well\nboth\nboth now=1\nboth format=json"),
            "LIVE\n\ndone\n\npage\n\naction\n\npage\n\n");
  EXPECT_THAT(who_, StartsWith("uid "));
  const std::string help = Say("help\n");
  EXPECT_THAT(help, HasSubstr("\nact how=WELL  "));
  EXPECT_THAT(help, HasSubstr("\nmetrics name[]=FAMILY used=  "));
  EXPECT_THAT(help, ::testing::EndsWith("\n\n"));
}

TEST_F(AdminTextTest, ErrorsAreALine) {
  EXPECT_EQ(Say("nothing here\nlive\n"),
            "error: there is nothing at /nothing/here; help lists what there is\n\nLIVE\n\n");
  EXPECT_EQ(Say("act how=badly"), "error: not now\n\n");
  EXPECT_THAT(Say("stats filter=("), StartsWith("error: filter: "));
  EXPECT_THAT(Say(std::string(5000, 'x')), StartsWith("error: "));
  EXPECT_THAT(Say(std::string_view("\x01\xff\0\n", 4)), StartsWith("error: "));
  EXPECT_EQ(Say("\n \r\n"), "");
}

TEST_F(AdminTextTest, HttpIsSpokenToo) {
  EXPECT_THAT(Say("GET /live HTTP/1.1\r\nHost: any\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(Say("POST /act HTTP/1.1\r\nHost: any\r\nContent-Length: 0\r\n\r\n"),
              HasSubstr("\r\n\r\ndone\n"));
  EXPECT_THAT(Say("COMMAND /act HTTP/1.1\r\nHost: any\r\n\r\n"), Not(HasSubstr("done")));
}

TEST_F(AdminTextTest, LongAnswersInSlices) {
  for (int i = 0; i < 2000; ++i) {
    directory_.Counter({"sluice_many_total", "Many."}, {{"i", Decimal(static_cast<uint64_t>(i))}});
  }
  const std::string answer = Say("metrics\nlive\n");
  EXPECT_THAT(answer, HasSubstr("sluice_many_total{i=\"1999\"} 0\n"));
  EXPECT_THAT(answer, ::testing::EndsWith("\n\nLIVE\n\n"));
}

// Whether it only closed its side cannot be told before something is written to it.
TEST_F(AdminTextTest, AClientThatLeavesBeforeItsAnswer) {
  {
    test::RawClient client(driver_, unix_.address);
    client.Send("later\nlive\n");
    ASSERT_TRUE(driver_.RunUntil([this] { return waiter_ != nullptr; }, "the action"));
  }
  waiter_->OnAdminReply(AdminReply{200, "at last\n"});
  ASSERT_TRUE(driver_.RunUntil([this] { return waiter_ == nullptr; }, "the end of the stream"));
  ASSERT_TRUE(driver_.RunUntil(
      [this] {
        const StatsReader reader(*segment_);
        return reader.gauge(*reader.Find("sluice_downstream_connections_active",
                                         {{"listener", "admin"}})) == 1;
      },
      "the end of the connection"));
}

TEST_F(AdminTest, TheTextFormIsNotForTcp) {
  client_.Send("live\n");
  EXPECT_EQ(client_.ReadResponse().status, 400);
}

TEST_F(AdminTest, HeadHasNoBody) {
  for (const std::string_view target : {"/", "/ready", "/metrics", "/stats"}) {
    client_.Send(StrCat({"HEAD ", target, " HTTP/1.1\r\nHost: a\r\n\r\n"}));
    EXPECT_EQ(client_.ReadResponse(HttpTextKind::kResponseToHead).status, 200) << target;
  }
  EXPECT_EQ(Get("/live").body, "LIVE\n");
}

TEST_F(AdminTest, OthersAreAnsweredWhileMetricsAreRendered) {
  for (int i = 0; i < 100000; ++i) {
    directory_.Counter({"sluice_many_total", "Many."}, {{"i", Decimal(static_cast<uint64_t>(i))}});
  }
  test::RawClient scraper(driver_, sockets_.address);
  scraper.Send("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(driver_.RunUntil([&] { return !scraper.received().empty(); }, "the first slice"));
  EXPECT_EQ(Get("/ready").status, 200);
  EXPECT_THAT(scraper.received(), Not(HasSubstr("{i=\"99999\"}")));
  EXPECT_THAT(scraper.ReadResponse().body, HasSubstr("sluice_many_total{i=\"99999\"} 0\n"));
}

TEST_F(AdminTest, AClientThatLeavesInTheMiddle) {
  for (int i = 0; i < 20000; ++i) {
    directory_.Counter({"sluice_many_total", "Many."}, {{"i", Decimal(static_cast<uint64_t>(i))}});
  }
  test::RawClient scraper(driver_, sockets_.address);
  scraper.Send("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(driver_.RunUntil([&] { return !scraper.received().empty(); }, "the first slice"));
  scraper.Reset();
  EXPECT_EQ(Get("/ready").status, 200);
  ASSERT_TRUE(driver_.RunUntil(
      [this] {
        const StatsReader reader(*segment_);
        return reader.gauge(*reader.Find("sluice_downstream_connections_active",
                                         {{"listener", "admin"}})) == 1;
      },
      "the end of the connection"));
}

}  // namespace
}  // namespace sluice
