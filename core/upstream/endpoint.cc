#include "core/upstream/endpoint.h"

#include <algorithm>

namespace sluice {
namespace {

const Endpoint* Find(const EndpointSet& set, const std::vector<uint32_t>& order,
                     std::string Endpoint::*field, std::string_view wanted) {
  const auto found = std::lower_bound(
      order.begin(), order.end(), wanted,
      [&](uint32_t index, std::string_view text) { return set.endpoints[index].*field < text; });
  if (found == order.end() || set.endpoints[*found].*field != wanted) return nullptr;
  return &set.endpoints[*found];
}

}  // namespace

const Endpoint* EndpointSet::FindByText(std::string_view text) const {
  return Find(*this, by_text, &Endpoint::text, text);
}

const Endpoint* EndpointSet::FindBySession(std::string_view session) const {
  return Find(*this, by_session, &Endpoint::session, session);
}

const EndpointSubset* EndpointSet::FindSubset(std::string_view metadata) const {
  if (metadata.empty()) return &subsets.front();
  const auto found = std::lower_bound(
      subsets.begin() + 1, subsets.end(), metadata,
      [](const EndpointSubset& subset, std::string_view text) { return subset.metadata < text; });
  return found == subsets.end() || found->metadata != metadata ? nullptr : &*found;
}

}  // namespace sluice
