// Label text: the canonical form that names a series in the directory, and that Prometheus reads as
// it is. Pure functions, any thread.
#ifndef SLUICE_CORE_STATS_LABELS_H_
#define SLUICE_CORE_STATS_LABELS_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/stats/metric.h"

namespace sluice {

// [a-zA-Z_:][a-zA-Z0-9_:]*, and the same without the colon.
bool IsMetricName(std::string_view name);
bool IsLabelName(std::string_view name);

// `a="x",b="y"`: sorted by name, values escaped (backslash, quote, line feed), bytes that are not
// UTF-8 replaced by U+FFFD, since one of them would make the whole scrape unreadable.
// REQUIRES: valid, distinct label names.
std::string CanonicalLabels(const LabelList& labels);

// Is it such a text, in UTF-8? What is found in shared memory is asked.
bool IsLabelText(std::string_view text);

// The pairs of such a text, values unescaped: for JSON and for people. What does not parse ends it.
std::vector<std::pair<std::string, std::string>> ParseLabels(std::string_view canonical);

}  // namespace sluice

#endif  // SLUICE_CORE_STATS_LABELS_H_
