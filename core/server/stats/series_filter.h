// SeriesFilter: which series somebody wants to see: those whose `name{labels}` has a match of a
// regular expression. For any thread.
#ifndef SLUICE_CORE_SERVER_STATS_SERIES_FILTER_H_
#define SLUICE_CORE_SERVER_STATS_SERIES_FILTER_H_

#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace re2 {
class RE2;
}

namespace sluice {

class SeriesFilter {
 public:
  SeriesFilter();  // all
  ~SeriesFilter();
  SeriesFilter(SeriesFilter&& other) noexcept;
  SeriesFilter& operator=(SeriesFilter&& other) noexcept;

  // Empty: all. Errors: kInvalidArgument, "filter: missing ): (".
  static Result<SeriesFilter> Parse(std::string_view pattern);

  bool all() const { return pattern_ == nullptr; }
  bool Matches(std::string_view series) const;

 private:
  std::unique_ptr<re2::RE2> pattern_;  // null: all
};

// name{labels}, or the name alone.
std::string SeriesText(std::string_view name, std::string_view labels);

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_STATS_SERIES_FILTER_H_
