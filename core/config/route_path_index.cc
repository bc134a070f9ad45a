#include "core/config/route_path_index.h"

#include <algorithm>

namespace sluice {

void RoutePathIndex::Builder::AddExact(std::string_view path, RouteCandidate route) {
  exact_[std::string(path)].push_back(route);
}

void RoutePathIndex::Builder::AddPrefix(std::string_view prefix, RouteCandidate route) {
  prefixes_[std::string(prefix)].push_back(route);
}

RoutePathIndex::RoutePathIndex(const Builder& builder) {
  std::vector<std::string> prefixes;
  std::vector<uint32_t> open;  // the prefixes that the current one begins with, the longest last
  for (const auto& [prefix, routes] : builder.prefixes_) {
    while (!open.empty() && !prefix.starts_with(prefixes[open.back()])) open.pop_back();
    const uint32_t parent = open.empty() ? kNone : tree_buckets_[open.back()];
    open.push_back(static_cast<uint32_t>(prefixes.size()));
    prefixes.push_back(prefix);
    tree_buckets_.push_back(AddBucket(routes, parent));
  }
  tree_ = RoutePrefixTree(prefixes);
  for (const auto& [path, routes] : builder.exact_) {
    const uint32_t prefix = tree_.FindLongest(path);
    const uint32_t parent = prefix == kNone ? kNone : tree_buckets_[prefix];
    exact_.Insert(path, AddBucket(routes, parent));
  }
}

// The bucket of these routes; the parent itself where it shadows them all.
uint32_t RoutePathIndex::AddBucket(std::vector<RouteCandidate> routes, uint32_t parent) {
  std::sort(routes.begin(), routes.end(),
            [](const RouteCandidate& a, const RouteCandidate& b) { return a.order < b.order; });
  Bucket bucket;
  bucket.begin = static_cast<uint32_t>(entries_.size());
  bucket.parent = parent;
  if (parent != kNone) bucket.shadowed_from = buckets_[parent].shadowed_from;
  for (const RouteCandidate& route : routes) {
    const uint32_t entry = route.order * 2 + (route.final ? 1 : 0);
    if (entry > bucket.shadowed_from) break;
    entries_.push_back(entry);
    if (route.final) bucket.shadowed_from = entry;
  }
  bucket.end = static_cast<uint32_t>(entries_.size());
  if (bucket.begin == bucket.end) return parent;
  buckets_.push_back(bucket);
  return static_cast<uint32_t>(buckets_.size() - 1);
}

uint32_t RoutePathIndex::FindBucket(std::string_view path) const {
  if (const uint32_t bucket = exact_.Find(path); bucket != kNone) return bucket;
  const uint32_t prefix = tree_.FindLongest(path);
  return prefix == kNone ? kNone : tree_buckets_[prefix];
}

RoutePathIndex::Walk::Walk(const RoutePathIndex& index, std::string_view path)
    : index_(index), bucket_(index.FindBucket(path)) {
  if (bucket_ == kNone) return;
  const Bucket& bucket = index.buckets_[bucket_];
  if (bucket.parent != kNone) return;
  next_ = index.entries_.data() + bucket.begin;
  end_ = index.entries_.data() + bucket.end;
  bucket_ = kNone;
}

RouteCandidate RoutePathIndex::Walk::Next() {
  uint32_t entry = kNone;
  if (next_ != end_) {
    entry = *next_++;
  } else if (bucket_ != kNone) {
    entry = NextOfChain();
  }
  if (entry == kNone) return {};
  return {entry / 2, (entry & 1) != 0};
}

// The least entry from least_ on, over the buckets of the chain. It keeps no place in each bucket:
// a chain may be of any length.
uint32_t RoutePathIndex::Walk::NextOfChain() {
  uint32_t least = kNone;
  for (uint32_t at = bucket_; at != kNone;) {
    const Bucket& bucket = index_.buckets_[at];
    const uint32_t* const end = index_.entries_.data() + bucket.end;
    const uint32_t* first = index_.entries_.data() + bucket.begin;
    if (*first < least_) first = std::lower_bound(first, end, least_);
    if (first != end) least = std::min(least, *first);
    at = bucket.parent;
  }
  least_ = least + 1;
  return least;
}

}  // namespace sluice
