#include "core/server/admin/worker_survey.h"

#include <utility>

#include "core/event/loop.h"
#include "core/event/timer.h"

namespace sluice {

class WorkerSurveys::Survey final : public AdminPending {
 public:
  Survey(WorkerSurveys& surveys, const WorkerQuestion& question, Render render)
      : surveys_(surveys),
        question_(question),
        render_(std::move(render)),
        timer_(surveys.loop_, Callback::To<&Survey::Finish>(this)) {}
  ~Survey() override { surveys_.open_.erase(id_); }

  void Start(AdminWaiter& waiter) override {
    waiter_ = &waiter;
    id_ = ++surveys_.last_id_;
    surveys_.open_.emplace(id_, this);
    const uint32_t workers = surveys_.ask_(
        question_, [surveys = &surveys_, id = id_](uint32_t worker, WorkerReport report) {
          surveys->OnReport(id, worker, std::move(report));
        });
    reports_.resize(workers);
    timer_.Start(workers == 0 ? 0 : kPatience);
  }

  void Add(uint32_t worker, WorkerReport report) {
    if (worker >= reports_.size() || reports_[worker]) return;
    reports_[worker] = std::move(report);
    if (++answered_ == reports_.size()) Finish();
  }

 private:
  void Finish() {
    timer_.Cancel();
    surveys_.open_.erase(id_);
    waiter_->OnAdminReply(render_(reports_));
  }

  WorkerSurveys& surveys_;
  const WorkerQuestion question_;
  const Render render_;
  Timer timer_;
  AdminWaiter* waiter_ = nullptr;
  uint64_t id_ = 0;
  WorkerReports reports_;
  size_t answered_ = 0;
};

std::unique_ptr<AdminPending> WorkerSurveys::New(const WorkerQuestion& question, Render render) {
  return std::make_unique<Survey>(*this, question, std::move(render));
}

void WorkerSurveys::OnReport(uint64_t id, uint32_t worker, WorkerReport report) {
  const auto found = open_.find(id);
  if (found != open_.end()) found->second->Add(worker, std::move(report));
}

}  // namespace sluice
