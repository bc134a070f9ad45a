// How a filter comes from its config to a stream, and the one line that registers it:
//
//   REGISTER_FILTER("cors", CorsConfig, CorsFactory);
//
// where CorsFactory has
//   struct or class Settings : FilterSettings     immutable, compiled from the config; one a
//   snapshot
//                                                 (and one for each route that overrides it)
//   static Result<std::unique_ptr<Settings>> Load(const CorsConfig&, LoadContext&)   main thread
//   CorsFactory(const Settings&, const WorkerContext&)                               each worker
// and derives from BasicFilterFactory<CorsFilter>, or from FilterFactory.
#ifndef SLUICE_CORE_FILTER_FACTORY_H_
#define SLUICE_CORE_FILTER_FACTORY_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "core/base/append_file.h"
#include "core/base/arena.h"
#include "core/base/result.h"
#include "core/filter/filter.h"
#include "core/stats/row.h"

namespace google::protobuf {
class Message;
}

namespace sluice {

class BreakerBoard;
class Clock;
class Loop;
class Random;
class StatsDirectory;

// What is given up while something runs short, in this order.
enum class OverloadStep : uint8_t { kStopKeepAlive, kShedLowPriority, kRefuseConnections };

inline constexpr size_t kOverloadSteps = 3;

// What filters may know of the process they run in. Reading is for any thread, and takes one load;
// setting is for the main thread.
class ServerStatus {
 public:
  // SIGTERM came, or /drain: health checks should fail.
  bool draining() const { return Has(kDraining); }
  void set_draining(bool draining) { Set(kDraining, draining); }
  // SIGTERM came: each connection's next response is its last.
  bool closing() const { return Has(kClosing); }
  void set_closing(bool closing) { Set(kClosing, closing); }
  // Something runs short, and this step is taken.
  bool overloaded(OverloadStep step) const { return Has(BitOf(step)); }
  void set_overloaded(OverloadStep step, bool taken) { Set(BitOf(step), taken); }
  // For either reason: each connection's next response is its last.
  bool ends_connections() const { return Has(kClosing | BitOf(OverloadStep::kStopKeepAlive)); }

 private:
  static constexpr uint32_t kDraining = 1;
  static constexpr uint32_t kClosing = 2;
  static constexpr uint32_t BitOf(OverloadStep step) { return 4U << static_cast<uint32_t>(step); }

  bool Has(uint32_t bits) const { return (bits_.load(std::memory_order_relaxed) & bits) != 0; }
  void Set(uint32_t bit, bool on) {
    on ? bits_.fetch_or(bit, std::memory_order_relaxed)
       : bits_.fetch_and(~bit, std::memory_order_relaxed);
  }

  std::atomic<uint32_t> bits_{0};
};

// For Load: on the main thread, while a configuration is built.
struct LoadContext {
  StatsDirectory& stats;
  Clock& clock;
  const ServerStatus& server;  // outlives the settings
  std::string_view listener;   // the name of the listener that the filter stands in
  uint32_t workers = 1;
  // Whose the files shall be that a filter makes: those we are to become.
  FileOwner files = {};
  // Only `sluice check` asks: nothing may be opened, started or written.
  bool dry_run = false;
  BreakerBoard* breakers = nullptr;  // outlives what is loaded; null: nobody looks at breakers
};

// For factories: of one worker.
struct WorkerContext {
  Loop& loop;
  Random& random;
  StatsRow& stats;
  const ServerStatus& server;
  uint32_t worker;  // 0 to workers - 1
};

// A log file that a filter writes to, and what became of the last ReopenLogs.
struct FilterLog {
  enum class State : uint8_t { kOpen, kReopening, kFailed };

  std::string path;
  State state = State::kOpen;
};

// Immutable but for what it guards itself: all workers read it.
class FilterSettings {
 public:
  virtual ~FilterSettings() = default;
  // SIGUSR1, on the main thread: files were renamed, open them anew. log() says when that is done.
  virtual void ReopenLogs() {}
  // The log file that it writes to, if it does. Main thread.
  virtual std::optional<FilterLog> log() const { return std::nullopt; }
  // x-sluice-* fields of clients are taken out at the edge unless a filter of the listener says
  // that it reads them; it then removes them itself.
  virtual bool reads_private_headers() const { return false; }
};

// One per worker and snapshot (and overriding route).
class FilterFactory {
 public:
  virtual ~FilterFactory() = default;
  virtual ArenaPtr<Filter> Create(Arena& arena) = 0;
  // The hooks that what Create makes overrides: a mask of FilterHook.
  virtual uint8_t hooks() const = 0;
};

// A factory of filters that are constructed from their factory: T(Derived& factory).
template <typename T, typename Derived>
class BasicFilterFactory : public FilterFactory {
 public:
  ArenaPtr<Filter> Create(Arena& arena) final {
    return ArenaPtr<Filter>(arena.Make<T>(static_cast<Derived&>(*this)).release());
  }
  uint8_t hooks() const final { return HooksOf<T>(); }
};

// A registered kind of filter.
class FilterKind {
 public:
  virtual ~FilterKind() = default;
  virtual std::string_view name() const = 0;
  virtual const google::protobuf::Message& prototype() const = 0;
  // REQUIRES: `config` is of the prototype's type.
  virtual Result<std::unique_ptr<FilterSettings>> Load(const google::protobuf::Message& config,
                                                       LoadContext& context) const = 0;
  // REQUIRES: `settings` came from Load of the same kind; it outlives the factory.
  virtual std::unique_ptr<FilterFactory> NewFactory(const FilterSettings& settings,
                                                    const WorkerContext& context) const = 0;
};

template <typename Config, typename Factory>
class BasicFilterKind final : public FilterKind {
 public:
  explicit BasicFilterKind(std::string_view name) : name_(name) {}
  std::string_view name() const override { return name_; }
  const google::protobuf::Message& prototype() const override { return Config::default_instance(); }
  Result<std::unique_ptr<FilterSettings>> Load(const google::protobuf::Message& config,
                                               LoadContext& context) const override {
    auto settings = Factory::Load(static_cast<const Config&>(config), context);
    if (!settings) return Fail(std::move(settings).error());
    return std::unique_ptr<FilterSettings>(std::move(*settings));
  }
  std::unique_ptr<FilterFactory> NewFactory(const FilterSettings& settings,
                                            const WorkerContext& context) const override {
    return std::make_unique<Factory>(static_cast<const typename Factory::Settings&>(settings),
                                     context);
  }

 private:
  std::string_view name_;
};

}  // namespace sluice

#define REGISTER_FILTER(name, Config, Factory)                               \
  static const ::sluice::BasicFilterKind<Config, Factory> kFilterKind(name); \
  static const ::sluice::FilterRegistration kFilterRegistration(kFilterKind)

#include "core/filter/registry.h"  // IWYU pragma: keep: the macro needs it

#endif  // SLUICE_CORE_FILTER_FACTORY_H_
