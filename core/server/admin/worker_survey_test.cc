#include "core/server/admin/worker_survey.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "core/event/loop.h"

namespace sluice {
namespace {

class WorkerSurveyTest : public testing::Test, public AdminWaiter {
 protected:
  void OnAdminReply(AdminReply reply) override { replies_.push_back(std::move(reply.body)); }

  std::unique_ptr<AdminPending> Ask() {
    WorkerQuestion question;
    question.endpoints = true;
    auto survey = surveys_.New(question, [](const WorkerReports& reports) {
      AdminReply reply;
      for (const auto& report : reports) {
        reply.body += report ? std::to_string(report->open_connections) + " " : "silent ";
      }
      return reply;
    });
    survey->Start(*this);
    return survey;
  }
  void Say(uint32_t worker, size_t connections) {
    WorkerReport report;
    report.open_connections = connections;
    answer_(worker, std::move(report));
  }

  FakeClock clock_;
  std::unique_ptr<Loop> loop_ = Loop::Create(clock_).value();
  uint32_t workers_ = 3;
  WorkerSurveys::Answer answer_;
  WorkerSurveys surveys_{
      *loop_, [this](const WorkerQuestion& question, const WorkerSurveys::Answer& answer) {
        EXPECT_TRUE(question.endpoints);
        answer_ = answer;
        return workers_;
      }};
  std::vector<std::string> replies_;
};

using Replies = std::vector<std::string>;

TEST_F(WorkerSurveyTest, AnswersWhenAllHaveSpoken) {
  const auto survey = Ask();
  Say(2, 30);
  Say(0, 10);
  Say(0, 11);  // once each
  EXPECT_EQ(replies_, Replies{});
  Say(1, 20);
  EXPECT_EQ(replies_, Replies{"10 20 30 "});
  clock_.Advance(WorkerSurveys::kPatience);
  loop_->RunOnce(0);
  EXPECT_EQ(replies_.size(), 1U);
}

TEST_F(WorkerSurveyTest, ASilentWorkerIsLeftOut) {
  const auto survey = Ask();
  Say(0, 10);
  Say(2, 30);
  clock_.Advance(WorkerSurveys::kPatience);
  loop_->RunOnce(0);
  EXPECT_EQ(replies_, Replies{"10 silent 30 "});
  Say(1, 20);  // too late
  EXPECT_EQ(replies_.size(), 1U);
}

TEST_F(WorkerSurveyTest, AReportForOneThatIsGone) {
  auto survey = Ask();
  Say(0, 10);
  survey.reset();
  Say(1, 20);
  Say(2, 30);
  EXPECT_EQ(replies_, Replies{});
}

TEST_F(WorkerSurveyTest, WithoutWorkers) {
  workers_ = 0;
  const auto survey = Ask();
  EXPECT_EQ(replies_, Replies{});
  clock_.Advance(kMillisecond);
  loop_->RunOnce(0);
  EXPECT_EQ(replies_, Replies{""});
}

}  // namespace
}  // namespace sluice
