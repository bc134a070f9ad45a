#include "core/server/admin/admin_listener.h"

#include <utility>

#include "core/server/admin/admin.h"
#include "core/stats/directory.h"

namespace sluice {
namespace {

std::unique_ptr<const ListenerSettings> AdminSettings(StatsDirectory& stats) {
  auto settings = std::make_unique<ListenerSettings>();
  settings->name = "admin";
  settings->x_forwarded = false;
  settings->request_id = false;
  settings->connections = 0;
  settings->stats = StatsScope(stats, {{"listener", settings->name}}).Group<ListenerStats>();
  return settings;
}

}  // namespace

AdminListener::AdminListener(Loop& loop, StatsDirectory& stats, const ServerStatus& status,
                             const AdminTable& table)
    : settings_(AdminSettings(stats)),
      worker_(loop, stats.main_row(), status, 0),
      generation_(loop),
      runtime_(*settings_, worker_, generation_, std::make_unique<AdminFactory>(table)),
      acceptor_(*this, runtime_, AcceptorLimits{limit_, overall_}) {}

AdminListener::~AdminListener() {
  acceptor_.Abort();
  while (!acceptor_.empty()) worker_.loop.RunOnce(0);
  worker_.loop.RunOnce(0);  // destroys what the last connections retired
}

}  // namespace sluice
