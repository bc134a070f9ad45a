#include "core/server/admin/actions.h"

#include <string>
#include <utility>

#include "core/base/strings.h"
#include "core/event/loop.h"

namespace sluice {
namespace {

// What has come of it, as a sentence.
AdminAnswer Outcome(const AdminRequest& request, const Result<void>& result,
                    std::string_view sentence) {
  return result ? AdminDone(request, sentence) : AdminError(result.error());
}

// The request for a hot restart, until its outcome is known.
class PendingRestart final : public AdminPending, private RestartCommand {
 public:
  PendingRestart(AdminControl& control, Loop& loop, const AdminRequest& request)
      : control_(control),
        loop_(loop),
        request_(request),
        told_(Callback::To<&PendingRestart::Tell>(this)) {}
  ~PendingRestart() override {
    if (waits_) control_.ForgetRestart(*this);
  }

  void Start(AdminWaiter& waiter) override {
    waiter_ = &waiter;
    waits_ = true;
    control_.Restart(*this);
  }

 private:
  std::string Who() const override { return request_.who; }
  void Finish(bool ok, std::string_view text) override {
    waits_ = false;
    reply_ = ok ? AdminDone(request_, text) : AdminError(500, text);
    loop_.Defer(told_);
  }
  void Tell() { waiter_->OnAdminReply(std::move(reply_)); }

  AdminControl& control_;
  Loop& loop_;
  const AdminRequest& request_;
  AdminWaiter* waiter_ = nullptr;
  AdminReply reply_;
  Task told_;
  bool waits_ = false;
};

AdminAnswer SetEndpoint(AdminControl& control, const AdminRequest& request, bool drained) {
  const std::string_view cluster = request.query.Get("cluster");
  const std::string_view address = request.query.Get("address");
  if (cluster.empty() || address.empty()) {
    return AdminError(400, "say which one: ?cluster=NAME&address=127.0.0.1:9001");
  }
  return Outcome(request, control.SetEndpointDrained(cluster, address, drained),
                 StrCat({address, " of ", cluster, drained ? " is drained" : " is enabled"}));
}

}  // namespace

void AddActions(AdminTable& table, AdminControl& control, Loop& loop) {
  const auto action = [&table](std::string_view path, std::string_view about,
                               std::string_view parameters, AdminHandler handler) {
    table.Add({path, AdminKind::kAction, about, parameters, std::move(handler)});
  };
  action("/drain", "/ready fails, clients are asked to come again; who comes is served", "",
         [&](const AdminRequest& request) {
           return Outcome(request, control.SetOut(true), "draining; /undrain takes it back");
         });
  action("/undrain", "takes /drain back", "", [&](const AdminRequest& request) {
    return Outcome(request, control.SetOut(false), "in service");
  });
  action("/reload", "reads the configuration's file again, as SIGHUP", "",
         [&](const AdminRequest& request) -> AdminAnswer {
           const Result<std::string> outcome = control.Reload(request.who);
           return outcome ? AdminDone(request, *outcome) : AdminError(outcome.error());
         });
  action("/restart", "hot restart; the answer is what has come of it", "",
         [&](const AdminRequest& request) -> AdminAnswer {
           return std::make_unique<PendingRestart>(control, loop, request);
         });
  action("/stop", "drains, then ends, as SIGTERM", "", [&](const AdminRequest& request) {
    return Outcome(request, control.Stop(), "draining, then it ends");
  });
  action("/logs/reopen", "opens log files anew, as SIGUSR1", "",
         [&](const AdminRequest& request) -> AdminAnswer {
           control.ReopenLogs();
           return AdminDone(request, "opening log files anew; the log says what comes of it");
         });
  action("/endpoints/drain", "the endpoint gets no new requests, those in flight end",
         "?cluster=NAME, ?address=ADDRESS",
         [&](const AdminRequest& request) { return SetEndpoint(control, request, true); });
  action("/endpoints/enable", "takes /endpoints/drain back", "?cluster=NAME, ?address=ADDRESS",
         [&](const AdminRequest& request) { return SetEndpoint(control, request, false); });
}

}  // namespace sluice
