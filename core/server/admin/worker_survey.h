// WorkerSurveys: asks all workers something, by a post, and gathers what they post back: for pages
// that no metric can answer. One that does not answer in time (a wedged worker) is left out. Owned
// by the server, outlives the pages; of the main thread.
#ifndef SLUICE_CORE_SERVER_ADMIN_WORKER_SURVEY_H_
#define SLUICE_CORE_SERVER_ADMIN_WORKER_SURVEY_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/clock.h"
#include "core/server/admin/admin_answer.h"
#include "core/server/worker_report.h"

namespace sluice {

class Loop;

// By worker; nothing: it did not answer in time.
using WorkerReports = std::vector<std::optional<WorkerReport>>;

class WorkerSurveys {
 public:
  static constexpr Nanos kPatience = 2 * kSecond;

  // Called on the main thread, never inside of AskAll.
  using Answer = std::function<void(uint32_t worker, WorkerReport report)>;
  // Asks every worker; returns how many there are.
  using AskAll = std::function<uint32_t(const WorkerQuestion& question, const Answer& answer)>;
  using Render = std::function<AdminReply(const WorkerReports& reports)>;

  WorkerSurveys(Loop& loop, AskAll ask) : loop_(loop), ask_(std::move(ask)) {}

  std::unique_ptr<AdminPending> New(const WorkerQuestion& question, Render render);

 private:
  class Survey;

  void OnReport(uint64_t id, uint32_t worker, WorkerReport report);

  Loop& loop_;
  AskAll ask_;
  std::map<uint64_t, Survey*> open_;  // a report may come for one that is gone
  uint64_t last_id_ = 0;
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_ADMIN_WORKER_SURVEY_H_
