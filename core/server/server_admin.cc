// What the admin API sees of the server, and does to it.
#include <algorithm>
#include <utility>

#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/config/snapshot.h"
#include "core/server/admin/actions.h"
#include "core/server/admin/admin_listener.h"
#include "core/server/admin/basic_pages.h"
#include "core/server/admin/breakers_page.h"
#include "core/server/admin/logging_page.h"
#include "core/server/admin/server_pages.h"
#include "core/server/configuration/config_pages.h"
#include "core/server/generation.h"
#include "core/server/loop_lag.h"
#include "core/server/server.h"

namespace sluice {

Result<void> Server::StartAdmin() {
  for (const Cluster* cluster : current().clusters()) {
    for (const Endpoint& endpoint : cluster->endpoints()->endpoints) {
      if (!HasFault(endpoint.faults, EndpointFault::kDrained)) continue;
      Log(LogLevel::kWarning, "server",
          StrCat({"cluster \"", cluster->settings().name, "\": ", endpoint.text,
                  " is drained still: POST /endpoints/enable takes it back"}));
    }
  }
  const std::vector<int> sockets = listening_.admin_fds();
  if (sockets.empty()) return {};
  AdminSource& source = *this;
  AdminControl& control = *this;
  surveys_.emplace(*loop_,
                   [this](const WorkerQuestion& question, const WorkerSurveys::Answer& answer) {
                     for (const auto& worker : workers_) worker->Ask(question, answer);
                     return static_cast<uint32_t>(workers_.size());
                   });
  AddBasicPages(admin_table_, source);
  AddServerPages(admin_table_, source, *surveys_);
  AddLogging(admin_table_);
  AddBreakersPage(admin_table_, *breakers_);
  AddActions(admin_table_, control, *loop_);
  if (desk_ != nullptr) AddConfigPages(admin_table_, *desk_);
  admin_ = std::make_unique<AdminListener>(*loop_, *directory_, status_, admin_table_,
                                           current().admin_token());
  return admin_->Start(sockets);
}

// What is shown -------------------------------------------------------------------------------

ServerSummary Server::Summary() const {
  ServerSummary summary;
  summary.id = options_.id;
  summary.state = state_;
  summary.uptime = loop_->now() - started_;
  summary.workers = options_.workers;
  summary.loop_lag_p99 = LoopLagP99(StatsReader(*segment_));
  summary.config_version = 0;
  if (current().snapshot() != nullptr) {
    summary.config_file = current().snapshot()->file();
    summary.config_version = desk_ == nullptr ? 0 : desk_->current().version;
  }
  for (const Generation::Listener& listener : current().listeners()) {
    const std::string& name = listener.settings->name;
    summary.listeners.push_back({name, listening_.AddressOf(name).ToString()});
  }
  return summary;
}

StatsReader Server::FreshStats() {
  system_->SampleAll();
  directory_->CountPageFailures();
  breakers_->Refresh();
  return StatsReader(*segment_);
}

ServerState Server::state() const {
  return out_ && state_ == ServerState::kLive ? ServerState::kDraining : state_;
}

ServerReport Server::Report() const {
  ServerReport report;
  report.summary = Summary();
  report.out = out_;
  report.started = (loop_->wall() - report.summary.uptime) / kSecond;
  if (desk_ != nullptr) report.config_hash = desk_->current().hash;
  if (restart_) {
    report.predecessor = restart_->predecessor_pid();
    report.successor = restart_->successor_pid();
  }
  report.handed_over = handed_over_;
  report.connections = connections_->active();
  report.connections_limit = connections_->most();
  report.drain_timeout = options_.drain_timeout;
  return report;
}

std::vector<ListenerReport> Server::Listeners() const {
  const bool accepting = state_ == ServerState::kLive && !handed_over_;
  std::vector<ListenerReport> reports;
  for (const Generation::Listener& listener : current().listeners()) {
    const ListenerSettings& settings = *listener.settings;
    ListenerReport report;
    report.name = settings.name;
    report.address = listening_.AddressOf(settings.name).ToString();
    report.accepting = accepting;
    for (const ListeningSocket& socket : listening_.Sockets()) {
      if (socket.listener == settings.name) ++report.sockets;
    }
    report.connections_limit = settings.connections;
    for (uint32_t i = 0; i < settings.filter_count; ++i) {
      report.filters.emplace_back(settings.filters[i].kind->name());
    }
    reports.push_back(std::move(report));
  }
  for (const Address& address : listening_.AdminAddresses()) {
    reports.push_back({"admin", address.ToString(), !handed_over_, 1, 0, {}});
  }
  return reports;
}

const std::vector<Cluster*>& Server::UsedClusters() const { return current().clusters(); }

StatsMemoryUse Server::StatsMemory() const { return {options_.stats_path, segment_->use()}; }

// What is done --------------------------------------------------------------------------------

Result<void> Server::SetOut(bool out) {
  if (state_ != ServerState::kLive || handed_over_) {
    return Fail(Code::kUnavailable, state_ == ServerState::kStarting ? "this process is starting"
                                                                     : "this process is ending");
  }
  if (std::exchange(out_, out) == out) return {};
  stats_.ready.Set(out ? 0 : 1);
  stats_.draining.Set(out ? 1 : 0);
  status_.set_draining(out);
  for (const auto& worker : workers_) {
    out ? worker->AskToLeave(std::min(options_.drain_timeout / 2, kRetireSpread))
        : worker->AskNoMore();
  }
  return {};
}

Result<void> Server::Stop() {
  if (state_ == ServerState::kDraining || handed_over_) {
    return Fail(Code::kUnavailable, "this process is ending already");
  }
  Drain();
  return {};
}

void Server::Restart(RestartCommand& command) {
  if (!restart_) return command.Finish(false, "this process has no restart socket");
  restart_->Start(&command);
}

void Server::ForgetRestart(RestartCommand& command) {
  if (restart_) restart_->Forget(command);
}

Result<void> Server::SetEndpointDrained(std::string_view cluster, std::string_view address,
                                        bool drained) {
  if (clusters_->SetDrained(cluster, address, drained)) return {};
  return Fail(Code::kNotFound,
              StrCat({"there is no cluster \"", cluster, "\" with an endpoint ", address}));
}

}  // namespace sluice
