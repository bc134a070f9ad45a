#include "core/server/stats/series_filter.h"

#include <re2/re2.h>

#include "core/base/strings.h"

namespace sluice {

SeriesFilter::SeriesFilter() = default;
SeriesFilter::~SeriesFilter() = default;
SeriesFilter::SeriesFilter(SeriesFilter&& other) noexcept = default;
SeriesFilter& SeriesFilter::operator=(SeriesFilter&& other) noexcept = default;

Result<SeriesFilter> SeriesFilter::Parse(std::string_view pattern) {
  SeriesFilter filter;
  if (pattern.empty()) return filter;
  filter.pattern_ =
      std::make_unique<re2::RE2>(re2::StringPiece(pattern.data(), pattern.size()), re2::RE2::Quiet);
  if (!filter.pattern_->ok()) {
    return Fail(Code::kInvalidArgument, StrCat({"filter: ", filter.pattern_->error()}));
  }
  return filter;
}

bool SeriesFilter::Matches(std::string_view series) const {
  return all() || re2::RE2::PartialMatch(re2::StringPiece(series.data(), series.size()), *pattern_);
}

std::string SeriesText(std::string_view name, std::string_view labels) {
  return labels.empty() ? std::string(name) : StrCat({name, "{", labels, "}"});
}

}  // namespace sluice
