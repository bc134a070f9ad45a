#include "core/server/generation.h"

#include <utility>

#include "core/base/strings.h"
#include "core/config/config.pb.h"
#include "core/config/snapshot.h"
#include "core/proxy/router.h"

namespace sluice {

std::unique_ptr<ListenerRuntime> NewRouterRuntime(const ListenerSettings& settings,
                                                  ProxyWorker& worker) {
  auto router = std::make_unique<RouterFactory>();
  RouterFactory& factory = *router;
  auto runtime = std::make_unique<ListenerRuntime>(settings, worker, std::move(router));
  factory.set_runtime(*runtime);
  return runtime;
}

Result<ListenPlace> ReadListen(const config::Listen& listen) {
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

Generation::Listener::Listener(ListenPlace listen_place,
                               std::unique_ptr<const ListenerSettings> listener_settings,
                               NewListenerRuntime new_listener_runtime)
    : place(std::move(listen_place)),
      settings(std::move(listener_settings)),
      new_runtime(std::move(new_listener_runtime)),
      limit(std::make_unique<ConnectionLimit>(settings->connections)) {}

Generation::Generation() = default;
Generation::~Generation() = default;

Result<std::unique_ptr<Generation>> Generation::Build(std::shared_ptr<const Snapshot> snapshot,
                                                      Loop& loop, const LoadContext& context) {
  auto generation = std::make_unique<Generation>();
  generation->snapshot_ = std::move(snapshot);
  const config::Config& config = generation->snapshot_->config();
  for (uint32_t i = 0; i < static_cast<uint32_t>(config.clusters_size()); ++i) {
    const config::Cluster& cluster_config = config.clusters(static_cast<int>(i));
    Result<std::unique_ptr<Cluster>> cluster =
        Cluster::Create(cluster_config, i, loop, context.stats);
    if (!cluster) {
      cluster.error().detail =
          StrCat({"cluster \"", cluster_config.name(), "\": ", cluster.error().detail});
      return Fail(std::move(cluster).error());
    }
    generation->clusters_.push_back(std::move(*cluster));
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
  if (config.has_admin()) {
    Result<ListenPlace> place = ReadListen(config.admin().listen());
    if (!place) {
      return Fail(place.error().code, StrCat({"admin: listen: ", place.error().detail}));
    }
    generation->admin_ = std::move(*place);
  }
  return generation;
}

void Generation::Add(ListenPlace place, std::unique_ptr<const ListenerSettings> settings,
                     NewListenerRuntime new_runtime) {
  listeners_.emplace_back(std::move(place), std::move(settings), std::move(new_runtime));
}

bool Generation::warm() const {
  for (const std::unique_ptr<Cluster>& cluster : clusters_) {
    if (!cluster->warm()) return false;
  }
  return true;
}

void Generation::ReopenLogs() const {
  for (const Listener& listener : listeners_) {
    for (const LoadedFilter& filter : listener.settings->filters) filter.settings->ReopenLogs();
  }
}

WorkerGeneration::WorkerGeneration(const Generation& generation, ProxyWorker& worker) {
  for (const Generation::Listener& listener : generation.listeners()) {
    runtimes_.push_back(listener.new_runtime(*listener.settings, worker));
  }
}

}  // namespace sluice
