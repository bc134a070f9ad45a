// Finds routes that never match because an earlier one of the same list takes all they could. Cost
// per route is that of a few map lookups. Main thread.
#ifndef SLUICE_CORE_CONFIG_SHADOW_H_
#define SLUICE_CORE_CONFIG_SHADOW_H_

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace sluice {

namespace config {
class Match;
}  // namespace config

class ShadowFinder {
 public:
  // Feed the routes of one list in order. The number of an earlier route (from 0) that takes every
  // request that `match` could, if there is one. What it says is certain; it does not find what
  // only a comparison of regexes or of conditions would.
  std::optional<int> Next(const config::Match& match);

 private:
  using Numbers = std::map<std::string, int, std::less<>>;

  std::optional<int> Cover(const config::Match& match) const;
  std::optional<int> CoverOfPath(std::string_view path, bool whole_segment) const;
  void Remember(const config::Match& match, int number);

  int count_ = 0;
  Numbers same_;  // by all conditions, as bytes
  // The rest holds only routes without conditions besides the path.
  Numbers paths_;
  Numbers prefixes_;
  Numbers segments_;  // path_prefix
  Numbers regexes_;
  std::set<size_t> prefix_lengths_;
  std::set<size_t> segment_lengths_;
  std::optional<int> everything_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_SHADOW_H_
