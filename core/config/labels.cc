#include "core/config/labels.h"

#include <algorithm>

#include "core/base/strings.h"
#include "core/config/hash_key.pb.h"

namespace sluice {

LabelPairs LabelPairsOf(const google::protobuf::RepeatedPtrField<config::Label>& labels) {
  LabelPairs pairs;
  for (const config::Label& label : labels) pairs.emplace_back(label.name(), label.value());
  std::sort(pairs.begin(), pairs.end());
  return pairs;
}

std::string SubsetText(const LabelPairs& labels) {
  std::string text;
  for (const auto& [name, value] : labels) {
    // A value may hold anything; a name and a length cannot be taken for it.
    text += StrCat({name, "=", Decimal(value.size()), ":", value, ";"});
  }
  return text;
}

}  // namespace sluice
