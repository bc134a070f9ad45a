// Names and values that endpoints have and routes want, as plain values.
#ifndef SLUICE_CORE_CONFIG_LABELS_H_
#define SLUICE_CORE_CONFIG_LABELS_H_

#include <string>
#include <utility>
#include <vector>

namespace google::protobuf {
template <typename T>
class RepeatedPtrField;
}

namespace sluice {
namespace config {
class Label;
}

// Sorted by name.
using LabelPairs = std::vector<std::pair<std::string, std::string>>;

LabelPairs LabelPairsOf(const google::protobuf::RepeatedPtrField<config::Label>& labels);

// All of them as one text: the same for the same pairs, another for others. It names the subset of
// a cluster's endpoints that have them.
std::string SubsetText(const LabelPairs& labels);

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_LABELS_H_
