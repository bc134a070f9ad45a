// RoutePathIndex: from a path to the routes of a virtual host that may take it, in their order.
// Exact paths are found by hash, prefixes by a radix tree. Built once; immutable, read by all
// workers.
#ifndef SLUICE_CORE_CONFIG_ROUTE_PATH_INDEX_H_
#define SLUICE_CORE_CONFIG_ROUTE_PATH_INDEX_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/route_prefix_tree.h"
#include "core/config/route_strings.h"

namespace sluice {

// A route by its place among those of its host.
struct RouteCandidate {
  static constexpr uint32_t kNone = UINT32_MAX;

  uint32_t order = kNone;
  // Takes whatever has such a path: what comes after it is out of reach.
  bool final = false;
};

class RoutePathIndex {
 public:
  // Collects routes, in any order.
  class Builder {
   public:
    // Under paths that are `path`.
    void AddExact(std::string_view path, RouteCandidate route);
    // Under paths that begin with `prefix`; all paths if it is empty.
    void AddPrefix(std::string_view prefix, RouteCandidate route);

   private:
    friend class RoutePathIndex;
    using Routes = std::map<std::string, std::vector<RouteCandidate>, std::less<>>;

    Routes exact_;
    Routes prefixes_;
  };

  // The candidates for one path, the lowest order first. Lives no longer than the index.
  class Walk {
   public:
    Walk(const RoutePathIndex& index, std::string_view path);
    // The next one, or one whose order is kNone. REQUIRES: none was final.
    RouteCandidate Next();

   private:
    uint32_t NextOfChain();

    const RoutePathIndex& index_;
    uint32_t bucket_;                 // where a chain of buckets begins; kNone: there is just one
    const uint32_t* next_ = nullptr;  // in the one bucket
    const uint32_t* end_ = nullptr;
    uint32_t least_ = 0;  // of a chain: entries below this are behind us
  };

  RoutePathIndex() = default;
  explicit RoutePathIndex(const Builder& builder);

 private:
  static constexpr uint32_t kNone = UINT32_MAX;

  // The routes of one exact path or prefix that no shorter prefix's shadow. Those of the next
  // shorter prefix, at `parent`, take its paths too; the order decides.
  struct Bucket {
    uint32_t begin = 0;  // in entries_
    uint32_t end = 0;
    uint32_t parent = kNone;
    uint32_t shadowed_from = kNone;  // the first final entry of this one and its parents
  };

  uint32_t AddBucket(std::vector<RouteCandidate> routes, uint32_t parent);
  uint32_t FindBucket(std::string_view path) const;

  std::vector<uint32_t> entries_;  // order times 2, plus 1 if final
  std::vector<Bucket> buckets_;
  RouteStrings exact_;                  // to buckets_
  RoutePrefixTree tree_;                // to places in tree_buckets_
  std::vector<uint32_t> tree_buckets_;  // to buckets_, or kNone
};

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_ROUTE_PATH_INDEX_H_
