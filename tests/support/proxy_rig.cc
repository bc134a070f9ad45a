#include "tests/support/proxy_rig.h"

#include <gtest/gtest.h>

#include <utility>

#include "core/config/config.pb.h"
#include "core/config/listener.pb.h"
#include "core/config/loader.h"
#include "core/filter/registry.h"
#include "core/net/listen_socket.h"
#include "core/net/listener.h"
#include "core/proxy/router.h"
#include "core/proxy/server_connection.h"

namespace sluice::test {
namespace {

class RegisteredSchemas final : public FilterSchemas {
 public:
  const google::protobuf::Message* Prototype(std::string_view name) const override {
    const FilterKind* kind = FindFilterKind(name);
    return kind == nullptr ? nullptr : &kind->prototype();
  }
  std::vector<std::string> Names() const override {
    std::vector<std::string> names;
    for (const FilterKind* kind : AllFilterKinds()) names.emplace_back(kind->name());
    return names;
  }
};

// Who is still in a bulkhead, or waits for it; null: there is none.
std::string NotEmpty(std::string_view whose, Bulkhead* bulkhead) {
  if (bulkhead == nullptr) return {};
  const auto active = static_cast<int64_t>(bulkhead->settings().active.value());
  const auto waiting = static_cast<int64_t>(bulkhead->settings().waiting.value());
  if (active == 0 && waiting == 0) return {};
  return std::string(whose) + "'s bulkhead=" + std::to_string(active) + "+" +
         std::to_string(waiting) + " ";
}

}  // namespace

struct ProxyRig::Entrance final : Listener::Handler, ServerConnectionOwner {
  Entrance(Loop& loop, const ListenerSettings& settings, ProxyWorker& worker,
           ProxyGeneration& generation)
      : runtime(MakeRuntime(settings, worker, generation)), listener(loop, *this) {}

  static std::unique_ptr<ListenerRuntime> MakeRuntime(const ListenerSettings& settings,
                                                      ProxyWorker& worker,
                                                      ProxyGeneration& generation) {
    auto factory = std::make_unique<RouterFactory>();
    RouterFactory& router = *factory;
    auto runtime =
        std::make_unique<ListenerRuntime>(settings, worker, generation, std::move(factory));
    router.set_runtime(*runtime);
    return runtime;
  }

  void OnAccept(Fd fd, const Address& peer) override {
    ++open;
    const Address& local = sockets.address;
    (new ServerConnection(*this, *runtime, all, idle, std::move(fd), peer, local))->Start();
  }
  void OnAcceptPaused(int) override { runtime->stats.accept_errors.Inc(); }
  void OnConnectionClosed(ServerConnection&) override { --open; }

  size_t open = 0;
  std::unique_ptr<ListenerRuntime> runtime;
  ServerConnection::AllList all;
  ServerConnection::IdleList idle;
  ListenSockets sockets;
  Listener listener;
};

ProxyRig::ProxyRig(Loop& loop, Clock& clock, std::string_view yaml, const Seams& seams)
    : loop_(loop), generation_(loop) {
  LoadResult loaded =
      LoadConfigText(yaml, ConfigFormat::kYaml, "test.yaml", ProcessEnv, RegisteredSchemas());
  if (!loaded) {
    for (const ConfigError& error : loaded.error()) {
      ADD_FAILURE() << error.path << ": " << error.message;
    }
    return;
  }
  loaded_ = std::make_unique<LoadedConfig>(std::move(*loaded));
  const config::Config& config = *loaded_->config;
  StatsOptions options;
  options.workers = 1;
  segment_ = std::move(*StatsSegment::Create(options));
  directory_ = std::make_unique<StatsDirectory>(*segment_);
  worker_ = std::make_unique<ProxyWorker>(loop, segment_->worker_row(0), status_, 0U);
  for (int i = 0; i < config.clusters_size(); ++i) {
    auto cluster = Cluster::Create(config.clusters(i), loop, *directory_);
    if (!cluster) {
      ADD_FAILURE() << cluster.error().detail;
      return;
    }
    cluster_settings_.push_back(std::make_unique<ClusterSettings>((*cluster)->settings()));
    if (seams.cluster) seams.cluster(*cluster_settings_.back());
    worker_clusters_.push_back(std::make_unique<WorkerCluster>(
        loop, worker_->random, worker_->stats, *cluster_settings_.back(), (*cluster)->endpoints()));
    generation_.AddCluster(*worker_clusters_.back());
    clusters_.push_back(std::move(*cluster));
  }
  for (size_t i = 0; i < clusters_.size(); ++i) {
    clusters_[i]->Start([this, i] { worker_clusters_[i]->Update(clusters_[i]->endpoints()); });
  }
  for (const config::Listener& listener : config.listeners()) {
    LoadContext context{*directory_, clock, status_, listener.name(), 1, {}, false};
    auto settings = ListenerSettings::Compile(listener, config, context);
    if (!settings) {
      ADD_FAILURE() << settings.error().detail;
      return;
    }
    // Made by Compile as a plain object: const is for its readers.
    if (seams.listener) seams.listener(const_cast<ListenerSettings&>(**settings));
    settings_.push_back(std::move(*settings));
    auto entrance = std::make_unique<Entrance>(loop, *settings_.back(), *worker_, generation_);
    const auto address = Address::Parse(listener.listen().address());
    auto sockets = address ? OpenListenSockets(*address, 1) : Fail(address.error());
    if (!sockets) {
      ADD_FAILURE() << sockets.error().detail;
      return;
    }
    entrance->sockets = std::move(*sockets);
    const Result<void> started = entrance->listener.Start(entrance->sockets.fds[0].get());
    EXPECT_TRUE(started.has_value());
    entrances_.push_back(std::move(entrance));
  }
}

ProxyRig::~ProxyRig() {
  for (const auto& entrance : entrances_) {
    entrance->listener.Close();
    entrance->all.ForEach([](ServerConnection& connection) { connection.Abort(); });
  }
  if (worker_ != nullptr) worker_->mirrors.GiveUp();
  loop_.RunOnce(0);
  entrances_.clear();  // they hold the generation
}

uint16_t ProxyRig::port(size_t listener) const {
  return entrances_.at(listener)->sockets.address.port();
}

ListenerStats& ProxyRig::stats(size_t listener) { return runtime(listener).stats; }
ListenerRuntime& ProxyRig::runtime(size_t listener) { return *entrances_.at(listener)->runtime; }

size_t ProxyRig::connection_count() const {
  size_t count = 0;
  for (const auto& entrance : entrances_) count += entrance->open;
  return count;
}

void ProxyRig::Drain() {
  status_.set_draining(true);
  for (const auto& entrance : entrances_) {
    entrance->listener.Close();
    entrance->all.ForEach([](ServerConnection& connection) { connection.Drain(); });
  }
}

std::string ProxyRig::NotQuiet() {
  std::string text;
  const auto expect_zero = [&](std::string_view what, int64_t value) {
    if (value != 0) text += std::string(what) + "=" + std::to_string(value) + " ";
  };
  expect_zero("client connections", static_cast<int64_t>(connection_count()));
  for (const auto& entrance : entrances_) {
    expect_zero("requests_active", entrance->runtime->stats.requests_active.value());
    expect_zero("connections_active", entrance->runtime->stats.connections_active.value());
    for (const auto& host : entrance->runtime->settings.routes->hosts()) {
      for (const Route& route : host->routes()) {
        text += NotEmpty("route", entrance->runtime->bulkhead(&route));
      }
    }
  }
  for (const auto& cluster : worker_clusters_) {
    expect_zero("upstream requests_active", cluster->stats().requests_active.value());
    text += NotEmpty("cluster", cluster->bulkhead());
    expect_zero("upstream connections in use", cluster->stats().connections_active.value() -
                                                   cluster->stats().connections_idle.value());
  }
  return text;
}

bool ProxyRig::Quiet() { return NotQuiet().empty(); }

}  // namespace sluice::test
