#include "core/server/registered_filters.h"

#include <memory>
#include <utility>

#include "core/base/clock.h"
#include "core/base/strings.h"
#include "core/config/config.pb.h"
#include "core/filter/factory.h"
#include "core/filter/registry.h"
#include "core/stats/directory.h"
#include "core/stats/segment.h"

namespace sluice {
namespace {

constexpr std::string_view kFieldCharacters = "abcdefghijklmnopqrstuvwxyz_0123456789.[]";

// Filters begin an error with the field that it is about, "origins[0].regex: ...", where there is
// one.
std::string_view FieldOf(std::string_view detail) {
  const size_t end = detail.find_first_not_of(kFieldCharacters);
  return end != std::string_view::npos && end > 0 && detail.substr(end, 2) == ": "
             ? detail.substr(0, end)
             : std::string_view();
}

class Checker {
 public:
  Checker(const LoadedConfig& loaded, StatsDirectory& stats)
      : loaded_(loaded), context_{stats, clock_, status_, "", 1, {}, true} {}

  std::vector<ConfigError> Run() {
    const config::Config& config = *loaded_.config;
    for (int i = 0; i < config.listeners_size(); ++i) {
      const config::Listener& listener = config.listeners(i);
      context_.listener = listener.name();
      const std::string path = StrCat({"listeners", Index(i)});
      for (int k = 0; k < listener.filters_size(); ++k) {
        const config::FilterUse& use = listener.filters(k);
        Check(use, StrCat({path, ".filters", Index(k), ".", use.name()}));
      }
      CheckRoutes(listener.routes(), path);
      for (int k = 0; k < listener.hosts_size(); ++k) {
        CheckRoutes(listener.hosts(k).routes(), StrCat({path, ".hosts", Index(k)}));
      }
    }
    return std::move(errors_);
  }

 private:
  static std::string Index(int i) { return StrCat({"[", Decimal(static_cast<uint64_t>(i)), "]"}); }

  template <typename Routes>
  void CheckRoutes(const Routes& routes, const std::string& path) {
    for (int i = 0; i < routes.size(); ++i) {
      for (const config::FilterUse& use : routes.Get(i).filters()) {
        if (use.off()) continue;
        Check(use, StrCat({path, ".routes", Index(i), ".filters.", use.name()}));
      }
    }
  }

  void Check(const config::FilterUse& use, std::string path) {
    const FilterKind* const kind = FindFilterKind(use.name());
    if (kind == nullptr) return;  // the loader has said so
    const std::unique_ptr<google::protobuf::Message> message(kind->prototype().New());
    if (use.has_config() && !use.config().UnpackTo(message.get())) return;
    const Result<std::unique_ptr<FilterSettings>> settings = kind->Load(*message, context_);
    if (settings) return;
    const std::string_view detail = settings.error().detail;
    const std::string_view field = FieldOf(detail);
    if (field.empty()) {
      errors_.push_back(loaded_.Problem(std::move(path), std::string(detail)));
      return;
    }
    errors_.push_back(
        loaded_.Problem(StrCat({path, ".", field}), std::string(detail.substr(field.size() + 2))));
  }

  const LoadedConfig& loaded_;
  SystemClock clock_;
  const ServerStatus status_;
  LoadContext context_;
  std::vector<ConfigError> errors_;
};

}  // namespace

const google::protobuf::Message* RegisteredFilters::Prototype(std::string_view name) const {
  const FilterKind* const kind = FindFilterKind(name);
  return kind == nullptr ? nullptr : &kind->prototype();
}

std::vector<std::string> RegisteredFilters::Names() const {
  std::vector<std::string> names;
  for (const FilterKind* kind : AllFilterKinds()) names.emplace_back(kind->name());
  return names;
}

std::vector<ConfigError> CheckFilterConfigs(const LoadedConfig& loaded) {
  // What a dry load registers must not stay in the process' own stats.
  Result<std::unique_ptr<StatsSegment>> segment = StatsSegment::Create(StatsLimits{});
  if (!segment) return {loaded.Problem("", segment.error().detail)};
  StatsDirectory directory(**segment, [](std::string_view) {});
  return Checker(loaded, directory).Run();
}

}  // namespace sluice
