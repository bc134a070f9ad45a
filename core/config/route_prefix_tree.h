// RoutePrefixTree: a radix tree from prefixes to numbers. The cost of a look-up follows from the
// text's length, not from how many prefixes there are. Built once; immutable, read by all workers.
#ifndef SLUICE_CORE_CONFIG_ROUTE_PREFIX_TREE_H_
#define SLUICE_CORE_CONFIG_ROUTE_PREFIX_TREE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

class RoutePrefixTree {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  RoutePrefixTree() = default;
  // The value of prefixes[i] is i. REQUIRES: sorted, without doubles.
  explicit RoutePrefixTree(std::span<const std::string> prefixes);

  // The number of the longest prefix that `text` begins with, or kNone.
  uint32_t FindLongest(std::string_view text) const;

 private:
  // The children of a node stand side by side; the tree's root is the first.
  struct Node {
    // What stands between the parent and here, or where that begins in labels_ if it is longer: a
    // look-up should touch as few cache lines as can be.
    union {
      char label[8] = {};
      uint64_t label_begin;
    };
    uint32_t label_size = 0;
    uint32_t first_child = 0;
    uint32_t child_count = 0;
    uint32_t value = kNone;
  };

  std::string_view LabelOf(const Node& node) const {
    const char* begin =
        node.label_size <= sizeof(node.label) ? node.label : labels_.data() + node.label_begin;
    return {begin, node.label_size};
  }
  void SetLabel(Node& node, std::string_view label);
  void Fill(size_t node, std::span<const std::string> prefixes, uint32_t first, size_t depth);

  std::vector<Node> nodes_;
  std::string first_bytes_;  // the first byte of each node's label, to find a child
  std::string labels_;       // the long ones
};

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_ROUTE_PREFIX_TREE_H_
