#include "core/config/route_entry.h"

#include <algorithm>

#include "core/base/strings.h"
#include "core/config/filter_use.pb.h"
#include "core/config/route.pb.h"
#include "core/config/route_strings.h"

namespace sluice {

Route::Route() = default;
Route::Route(Route&&) noexcept = default;
Route::~Route() = default;

RouteTarget Route::Pick(const RouteInput& input, Random& random) const {
  if (action_ == Action::kCluster) return {cluster_, cluster_index_, 0};
  if (action_ == Action::kClusterHeader) {
    const std::optional<std::string_view> name = input.Header(cluster_header_);
    if (!name) return {};
    return {*name, clusters_->Find(*name), 0};
  }
  const uint64_t point = PickPoint(input, random);
  const auto picked = std::upper_bound(
      choices_.begin(), choices_.end(), point,
      [](uint64_t value, const Choice& each) { return value < each.weights_up_to; });
  return {picked->cluster, picked->cluster_index, static_cast<uint32_t>(picked - choices_.begin())};
}

// A point within the sum of weights.
uint64_t Route::PickPoint(const RouteInput& input, Random& random) const {
  const uint64_t sum = choices_.back().weights_up_to;
  const std::optional<std::string_view> key = sticky_.Find(input);
  if (!key) return random.Below(sum);
  // Scaled rather than the remainder: a change of weights moves only who is next to a border.
  __extension__ using Wide = unsigned __int128;
  return static_cast<uint64_t>((static_cast<Wide>(RouteHash(*key)) * sum) >> 64);
}

bool Route::AllowsUpgrade(std::string_view token) const {
  return std::any_of(upgrades_.begin(), upgrades_.end(),
                     [&](std::string_view each) { return EqualsIgnoreCase(each, token); });
}

const config::FilterUse* Route::FindFilter(std::string_view name) const {
  for (const config::FilterUse& use : config_->filters()) {
    if (use.name() == name) return &use;
  }
  return nullptr;
}

}  // namespace sluice
