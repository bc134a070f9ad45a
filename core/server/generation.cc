#include "core/server/generation.h"

#include <algorithm>
#include <utility>

#include "core/base/strings.h"
#include "core/config/config.pb.h"
#include "core/config/snapshot.h"
#include "core/proxy/router.h"

namespace sluice {

std::unique_ptr<ListenerRuntime> NewRouterRuntime(const ListenerSettings& settings,
                                                  ProxyWorker& worker,
                                                  ProxyGeneration& generation) {
  auto router = std::make_unique<RouterFactory>();
  RouterFactory& factory = *router;
  auto runtime = std::make_unique<ListenerRuntime>(settings, worker, generation, std::move(router));
  factory.set_runtime(*runtime);
  return runtime;
}

namespace {

template <typename Listen>
Result<ListenPlace> PlaceOf(const Listen& listen) {
  Result<Address> address = Address::Parse(listen.address());
  if (!address) return Fail(std::move(address).error());
  ListenPlace place{std::move(*address), {}};
  place.options.mode = static_cast<mode_t>(listen.mode());
  const Result<uid_t> owner = FindUser(listen.owner());
  if (!owner) return Fail(owner.error());
  const Result<gid_t> group = FindGroup(listen.group());
  if (!group) return Fail(group.error());
  place.options.owner = *owner;
  place.options.group = *group;
  return place;
}

}  // namespace

Result<ListenPlace> ReadListen(const config::Listen& listen) { return PlaceOf(listen); }
Result<ListenPlace> ReadListen(const config::AdminListen& listen) { return PlaceOf(listen); }

Generation::Generation() = default;
Generation::~Generation() = default;

Result<std::unique_ptr<Generation>> Generation::Build(std::shared_ptr<const Snapshot> snapshot,
                                                      Clusters& clusters,
                                                      const LoadContext& context) {
  auto generation = std::make_unique<Generation>();
  generation->snapshot_ = std::move(snapshot);
  const config::Config& config = generation->snapshot_->config();
  for (const config::Cluster& each : config.clusters()) {
    Result<Cluster*> cluster = clusters.Get(each);
    if (!cluster) {
      return Fail(cluster.error().code,
                  StrCat({"cluster \"", each.name(), "\": ", cluster.error().detail}));
    }
    generation->clusters_.push_back(*cluster);
  }
  for (const config::Listener& listener : config.listeners()) {
    Result<ListenPlace> place = ReadListen(listener.listen());
    if (!place) {
      return Fail(place.error().code,
                  StrCat({"listener \"", listener.name(), "\": listen: ", place.error().detail}));
    }
    LoadContext listener_context = context;
    listener_context.listener = listener.name();
    Result<std::unique_ptr<const ListenerSettings>> settings =
        ListenerSettings::Compile(listener, config, listener_context);
    if (!settings) return Fail(std::move(settings).error());
    generation->Add(std::move(*place), std::move(*settings), NewRouterRuntime);
  }
  for (const config::AdminListen& listen : config.admin().listen()) {
    Result<ListenPlace> place = ReadListen(listen);
    if (!place) {
      return Fail(place.error().code, StrCat({"admin: listen: ", place.error().detail}));
    }
    generation->admin_.push_back(std::move(*place));
  }
  return generation;
}

void Generation::Add(ListenPlace place, std::unique_ptr<const ListenerSettings> settings,
                     NewListenerRuntime new_runtime) {
  listeners_.push_back({std::move(place), std::move(settings), std::move(new_runtime)});
}

std::string_view Generation::admin_token() const {
  return snapshot_ == nullptr ? std::string_view() : snapshot_->config().admin().token();
}

bool Generation::warm() const {
  return std::all_of(clusters_.begin(), clusters_.end(),
                     [](const Cluster* cluster) { return cluster->warm(); });
}

std::vector<FilterLog> Generation::Logs() const {
  std::vector<FilterLog> logs;
  for (const Listener& listener : listeners_) {
    for (const LoadedFilter& filter : listener.settings->filters) {
      std::optional<FilterLog> log = filter.settings->log();
      if (log) logs.push_back(std::move(*log));
    }
  }
  return logs;
}

void Generation::ReopenLogs() const {
  for (const Listener& listener : listeners_) {
    for (const LoadedFilter& filter : listener.settings->filters) filter.settings->ReopenLogs();
  }
}

WorkerGeneration::WorkerGeneration(const Generation& generation, ProxyWorker& worker,
                                   const std::vector<WorkerCluster*>& clusters)
    : generation_(generation), scope_(worker.loop) {
  for (WorkerCluster* cluster : clusters) scope_.AddCluster(*cluster);
  for (const Generation::Listener& listener : generation.listeners()) {
    runtimes_.push_back(listener.new_runtime(*listener.settings, worker, scope_));
  }
}

}  // namespace sluice
