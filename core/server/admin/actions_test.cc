#include "core/server/admin/actions.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/strings.h"
#include "core/event/loop.h"

namespace sluice {
namespace {

class ActionsTest : public testing::Test, public AdminControl, public AdminWaiter {
 protected:
  ActionsTest() { AddActions(table_, *this, *loop_); }

  Result<void> SetOut(bool out) override { return Did(out ? "out" : "in"); }
  Result<std::string> Reload(const std::string& who) override {
    SLUICE_TRY(Did("reload"));
    return StrCat({"reloaded for ", who});
  }
  void ReopenLogs() override { (void)Did("reopen"); }
  Result<void> Stop() override { return Did("stop"); }
  void Restart(RestartCommand& command) override {
    restart_ = &command;
    if (!refuse_.empty()) command.Finish(false, refuse_);
  }
  void ForgetRestart(RestartCommand& command) override {
    EXPECT_EQ(restart_, &command);
    restart_ = nullptr;
  }
  Result<void> SetEndpointDrained(std::string_view cluster, std::string_view address,
                                  bool drained) override {
    return Did(StrCat({drained ? "drain " : "enable ", cluster, " ", address}));
  }
  void OnAdminReply(AdminReply reply) override { replies_.push_back(std::move(reply)); }

  Result<void> Did(std::string what) {
    done_.push_back(std::move(what));
    if (refuse_.empty()) return {};
    return Fail(Code::kUnavailable, refuse_);
  }
  AdminReply Do(std::string_view path, std::string_view query = "") {
    const AdminRow* row = table_.Find(path, AdminKind::kAction);
    EXPECT_NE(row, nullptr) << path;
    return std::get<AdminReply>(row->handler(AdminRequest(query)));
  }

  FakeClock clock_;
  std::unique_ptr<Loop> loop_ = Loop::Create(clock_).value();
  AdminTable table_;
  std::string refuse_;
  std::vector<std::string> done_;
  RestartCommand* restart_ = nullptr;
  std::vector<AdminReply> replies_;
};

using Done = std::vector<std::string>;

TEST_F(ActionsTest, EachDoesItsPart) {
  EXPECT_EQ(Do("/drain").status, 200);
  EXPECT_EQ(Do("/undrain").body, "in service\n");
  EXPECT_EQ(Do("/reload").outcome, "reloaded for ");
  EXPECT_EQ(Do("/logs/reopen").status, 200);
  EXPECT_EQ(Do("/stop").status, 200);
  EXPECT_EQ(Do("/endpoints/drain", "cluster=api&address=127.0.0.1:1").body,
            "127.0.0.1:1 of api is drained\n");
  EXPECT_EQ(Do("/endpoints/enable", "cluster=api&address=127.0.0.1:1").status, 200);
  EXPECT_EQ(done_, (Done{"out", "in", "reload", "reopen", "stop", "drain api 127.0.0.1:1",
                         "enable api 127.0.0.1:1"}));
}

TEST_F(ActionsTest, WhatFailsSaysWhy) {
  refuse_ = "not now";
  for (const char* path : {"/drain", "/undrain", "/reload", "/stop"}) {
    const AdminReply reply = Do(path);
    EXPECT_EQ(reply.status, 503) << path;
    EXPECT_EQ(reply.error, "not now");
  }
  EXPECT_EQ(Do("/endpoints/drain", "cluster=api").status, 400);
  EXPECT_EQ(Do("/endpoints/drain", "address=1").status, 400);
}

class RestartActionTest : public ActionsTest {
 protected:
  std::unique_ptr<AdminPending> Ask() {
    auto answer = table_.Find("/restart", AdminKind::kAction)->handler(request_);
    return std::move(std::get<std::unique_ptr<AdminPending>>(answer));
  }
  const AdminRequest request_{""};
};

TEST_F(RestartActionTest, AnswersWithTheOutcome) {
  const auto pending = Ask();
  pending->Start(*this);
  ASSERT_NE(restart_, nullptr);
  restart_->Finish(true, "process 7 serves");
  EXPECT_TRUE(replies_.empty());
  loop_->RunOnce(0);
  ASSERT_EQ(replies_.size(), 1U);
  EXPECT_EQ(replies_[0].body, "process 7 serves\n");
}

TEST_F(RestartActionTest, ARefusalComesLaterToo) {
  refuse_ = "a restart is under way";
  const auto pending = Ask();
  pending->Start(*this);
  EXPECT_TRUE(replies_.empty());
  loop_->RunOnce(0);
  ASSERT_EQ(replies_.size(), 1U);
  EXPECT_EQ(replies_[0].status, 500);
  EXPECT_EQ(replies_[0].error, "a restart is under way");
}

TEST_F(RestartActionTest, WhoeverLeavesIsForgotten) {
  auto pending = Ask();
  pending->Start(*this);
  pending.reset();
  EXPECT_EQ(restart_, nullptr);

  pending = Ask();
  pending->Start(*this);
  restart_->Finish(true, "process 7 serves");
  pending.reset();
  EXPECT_NE(restart_, nullptr);  // it is finished: there is nothing to forget
  loop_->RunOnce(0);
  EXPECT_TRUE(replies_.empty());
}

}  // namespace
}  // namespace sluice
