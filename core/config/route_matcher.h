// RouteMatcher: finds the first route of a virtual host that takes a request. Owned by its
// VirtualHost; immutable, read by all workers.
#ifndef SLUICE_CORE_CONFIG_ROUTE_MATCHER_H_
#define SLUICE_CORE_CONFIG_ROUTE_MATCHER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/random.h"
#include "core/base/result.h"
#include "core/config/route_conditions.h"
#include "core/config/route_input.h"
#include "core/config/route_path_index.h"
#include "core/config/route_regex.h"

namespace sluice {

class RouteMatcher {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  // Collects the routes of a host in their order.
  class Builder {
   public:
    explicit Builder(const config::Config& config) : config_(config) {}
    // Errors begin with the field's name: "regex: ...".
    Result<void> Add(const config::Match& match);
    std::unique_ptr<RouteMatcher> Finish() &&;

   private:
    void AddPath(const config::Match& match, uint32_t order, bool final);
    Result<void> AddRegex(const std::string& pattern, uint32_t order, bool final);
    void PlaceRegexes();
    void BuildSet();

    const config::Config& config_;
    RoutePathIndex::Builder index_;
    std::unique_ptr<RouteMatcher> matcher_{new RouteMatcher};
    // The orders of the routes whose regexes begin with the same prefix.
    std::map<std::string, std::vector<uint32_t>> regexes_;
  };

  ~RouteMatcher();
  RouteMatcher(const RouteMatcher&) = delete;
  RouteMatcher& operator=(const RouteMatcher&) = delete;

  // The place of the route among those added, or kNone.
  uint32_t Match(const RouteInput& input, Random& random) const;

 private:
  struct Entry {
    explicit Entry(RouteConditions route_conditions);

    RouteConditions conditions;
    std::optional<RouteRegex> regex;  // of the path; none: the index has said all
    bool opens_set = false;           // the first of its prefix in the set: the set is to be asked
  };
  class SetHits;

  RouteMatcher();

  RoutePathIndex index_;
  RegexPool regexes_;
  std::vector<Entry> entries_;
  // The regexes whose prefix many have. Only the first of each prefix stands in the index.
  std::unique_ptr<RegexSet> set_;
  std::vector<uint32_t> set_orders_;  // the route of each pattern in the set; ascending
};

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_ROUTE_MATCHER_H_
