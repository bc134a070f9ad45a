#include "core/server/admin/admin_listener.h"

#include <utility>

#include "core/net/socket.h"
#include "core/server/admin/admin.h"
#include "core/server/admin/text_codec.h"
#include "core/stats/directory.h"

namespace sluice {
namespace {

std::unique_ptr<const ListenerSettings> AdminSettings(StatsDirectory& stats, bool unix_socket) {
  auto settings = std::make_unique<ListenerSettings>();
  settings->name = "admin";
  settings->x_forwarded = false;
  settings->request_id = false;
  settings->connections = 0;
  // Who is slow is not to keep others out. A restart, which is waited for, takes half a minute.
  settings->body_idle_timeout = 10 * kSecond;
  settings->stream_idle_timeout = 120 * kSecond;
  if (unix_socket) settings->new_codec = NewAdminCodec;
  settings->stats = StatsScope(stats, {{"listener", settings->name}}).Group<ListenerStats>();
  return settings;
}

}  // namespace

AdminListener::AdminListener(Loop& loop, StatsDirectory& stats, const ServerStatus& status,
                             const AdminTable& table, std::string_view token)
    : settings_(AdminSettings(stats, false)),
      unix_settings_(AdminSettings(stats, true)),
      worker_(loop, stats.main_row(), status, 0),
      generation_(loop),
      guard_(token),
      runtime_(*settings_, worker_, generation_, std::make_unique<AdminFactory>(table, guard_)),
      unix_runtime_(*unix_settings_, worker_, generation_,
                    std::make_unique<AdminFactory>(table, guard_)) {}

AdminListener::~AdminListener() {
  for (const auto& acceptor : acceptors_) acceptor->Abort();
  for (const auto& acceptor : acceptors_) {
    while (!acceptor->empty()) worker_.loop.RunOnce(0);
  }
  worker_.loop.RunOnce(0);  // destroys what the last connections retired
}

Result<void> AdminListener::Start(const std::vector<int>& sockets) {
  AcceptorOwner& owner = *this;
  for (const int socket : sockets) {
    ListenerRuntime& runtime = LocalAddress(socket).is_unix() ? unix_runtime_ : runtime_;
    limits_.push_back(std::make_unique<ConnectionLimit>(kConnections));
    acceptors_.push_back(std::make_unique<Acceptor>(
        owner, runtime, AcceptorLimits{*limits_.back(), overall_, true}));
    SLUICE_TRY(acceptors_.back()->Start(socket));
  }
  return {};
}

void AdminListener::StopAccepting() {
  for (const auto& acceptor : acceptors_) acceptor->StopAccepting();
}

void AdminListener::ResumeAccepting() {
  for (const auto& acceptor : acceptors_) acceptor->ResumeAccepting();
}

void AdminListener::OnConnectionCount(int) {
  for (const auto& acceptor : acceptors_) {
    if (acceptor->full()) acceptor->OnRoom();
  }
}

}  // namespace sluice
