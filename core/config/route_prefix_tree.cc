#include "core/config/route_prefix_tree.h"

#include <algorithm>
#include <cstring>

namespace sluice {

RoutePrefixTree::RoutePrefixTree(std::span<const std::string> prefixes) {
  if (prefixes.empty()) return;
  nodes_.emplace_back();
  first_bytes_ += '\0';
  Fill(0, prefixes, 0, 0);
}

void RoutePrefixTree::SetLabel(Node& node, std::string_view label) {
  node.label_size = static_cast<uint32_t>(label.size());
  if (label.size() <= sizeof(node.label)) {
    std::copy(label.begin(), label.end(), node.label);
    return;
  }
  node.label_begin = labels_.size();
  labels_ += label;
}

// Makes nodes_[node] the root of `prefixes`, all of which are alike up to `depth`; the first of
// them has the number `first`.
void RoutePrefixTree::Fill(size_t node, std::span<const std::string> prefixes, uint32_t first,
                           size_t depth) {
  // Sorted: what the first and the last have in common, all have.
  const std::string& low = prefixes.front();
  const std::string& high = prefixes.back();
  size_t common = depth;
  while (common < low.size() && common < high.size() && low[common] == high[common]) ++common;

  SetLabel(nodes_[node], std::string_view(low).substr(depth, common - depth));
  if (low.size() == common) {
    nodes_[node].value = first;
    prefixes = prefixes.subspan(1);
    ++first;
  }

  std::vector<size_t> sizes;  // of the runs that go on with the same byte, a child each
  const size_t first_child = nodes_.size();
  for (size_t i = 0; i < prefixes.size();) {
    const char byte = prefixes[i][common];
    size_t end = i;
    while (end < prefixes.size() && prefixes[end][common] == byte) ++end;
    sizes.push_back(end - i);
    nodes_.emplace_back();
    first_bytes_ += byte;
    i = end;
  }
  nodes_[node].first_child = static_cast<uint32_t>(first_child);
  nodes_[node].child_count = static_cast<uint32_t>(sizes.size());
  for (size_t child = 0; child < sizes.size(); ++child) {
    Fill(first_child + child, prefixes.first(sizes[child]), first, common);
    prefixes = prefixes.subspan(sizes[child]);
    first += static_cast<uint32_t>(sizes[child]);
  }
}

uint32_t RoutePrefixTree::FindLongest(std::string_view text) const {
  if (nodes_.empty()) return kNone;
  uint32_t longest = kNone;
  const Node* node = nodes_.data();
  while (text.starts_with(LabelOf(*node))) {
    text.remove_prefix(node->label_size);
    if (node->value != kNone) longest = node->value;
    if (text.empty() || node->child_count == 0) break;
    const char* bytes = first_bytes_.data() + node->first_child;
    const void* found = std::memchr(bytes, text.front(), node->child_count);
    if (found == nullptr) break;
    node = nodes_.data() + node->first_child + (static_cast<const char*>(found) - bytes);
  }
  return longest;
}

}  // namespace sluice
