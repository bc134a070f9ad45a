#include "core/stats/prometheus.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <span>
#include <utility>

namespace sluice {
namespace {

constexpr size_t kMaxBounds = 16;
// How much less it costs to find a series' family than to render the series.
constexpr uint32_t kGroupedForOneRendered = 16;

// The classic buckets of a unit: bounds in what the cells count, and as `le` shows them.
// (OpenMetrics wants a float, so a whole number gets ".0" there.)
struct Bounds {
  std::span<const uint64_t> values;
  std::span<const std::string_view> texts;
};

constexpr uint64_t kMicroseconds[] = {
    500,     1'000,   2'500,     5'000,     10'000,    25'000,     50'000,     100'000,
    250'000, 500'000, 1'000'000, 2'500'000, 5'000'000, 10'000'000, 30'000'000, 60'000'000};
constexpr std::string_view kSecondsText[] = {"0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025",
                                             "0.05",   "0.1",   "0.25",   "0.5",   "1",    "2.5",
                                             "5",      "10",    "30",     "60"};
constexpr uint64_t kBytes[] = {256,        1'024,      4'096,       16'384,
                               65'536,     262'144,    1'048'576,   4'194'304,
                               16'777'216, 67'108'864, 268'435'456, 1'073'741'824};
constexpr std::string_view kBytesText[] = {"256",      "1024",     "4096",      "16384",
                                           "65536",    "262144",   "1048576",   "4194304",
                                           "16777216", "67108864", "268435456", "1073741824"};
constexpr uint64_t kPlain[] = {1,   2,   5,     10,    20,    50,     100,
                               200, 500, 1'000, 2'000, 5'000, 10'000, 100'000};
constexpr std::string_view kPlainText[] = {"1",   "2",   "5",    "10",   "20",   "50",    "100",
                                           "200", "500", "1000", "2000", "5000", "10000", "100000"};
static_assert(std::size(kMicroseconds) == std::size(kSecondsText) &&
              std::size(kMicroseconds) <= kMaxBounds);
static_assert(std::size(kBytes) == std::size(kBytesText) && std::size(kBytes) <= kMaxBounds);
static_assert(std::size(kPlain) == std::size(kPlainText) && std::size(kPlain) <= kMaxBounds);

Bounds BoundsOf(MetricUnit unit) {
  switch (unit) {
    case MetricUnit::kMicroseconds:
      return {kMicroseconds, kSecondsText};
    case MetricUnit::kBytes:
      return {kBytes, kBytesText};
    case MetricUnit::kNone:
      break;
  }
  return {kPlain, kPlainText};
}

void AppendInteger(uint64_t value, std::string& out) {
  char digits[20];
  const char* end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
  out.append(digits, static_cast<size_t>(end - digits));
}

// Exact: 1500000 us is "1.5".
void AppendSeconds(uint64_t microseconds, std::string& out) {
  AppendInteger(microseconds / 1'000'000, out);
  uint64_t fraction = microseconds % 1'000'000;
  if (fraction == 0) return;
  char digits[] = ".000000";
  size_t size = 7;
  for (size_t i = 6; i > 0; --i, fraction /= 10) digits[i] = static_cast<char>('0' + fraction % 10);
  while (digits[size - 1] == '0') --size;
  out.append(digits, size);
}

void AppendValue(uint64_t value, MetricUnit unit, std::string& out) {
  if (unit == MetricUnit::kMicroseconds) {
    AppendSeconds(value, out);
  } else {
    AppendInteger(value, out);
  }
}

std::string_view WithoutTotal(std::string_view name) {
  if (name.ends_with("_total")) name.remove_suffix(6);
  return name;
}

std::string_view TypeName(MetricKind kind) {
  switch (kind) {
    case MetricKind::kCounter:
      return "counter";
    case MetricKind::kGauge:
      return "gauge";
    case MetricKind::kHistogram:
      break;
  }
  return "histogram";
}

// The unit's word, if the family's name ends in it: OpenMetrics allows UNIT only then.
std::string_view UnitOf(std::string_view family) {
  if (family.ends_with("_seconds")) return "seconds";
  if (family.ends_with("_bytes")) return "bytes";
  return {};
}

bool IsWanted(const std::vector<std::string>& names, std::string_view family) {
  if (names.empty()) return true;
  return std::any_of(names.begin(), names.end(), [family](const std::string& name) {
    return name == family || name == WithoutTotal(family);
  });
}

// name{labels} or, without labels, name; then the space before the value.
void AppendSample(std::string_view name, std::string_view suffix, std::string_view labels,
                  std::string& out) {
  out += name;
  out += suffix;
  if (!labels.empty()) {
    out += '{';
    out += labels;
    out += '}';
  }
  out += ' ';
}

}  // namespace

std::string_view PrometheusContentType(PrometheusFormat format) {
  return format == PrometheusFormat::kOpenMetrics
             ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
             : "text/plain; version=0.0.4; charset=utf-8";
}

PrometheusFormat PrometheusFormatFor(std::string_view accept) {
  return accept.find("application/openmetrics-text") != std::string_view::npos
             ? PrometheusFormat::kOpenMetrics
             : PrometheusFormat::kText;
}

PrometheusRenderer::PrometheusRenderer(const StatsReader& reader, PrometheusOptions options)
    : reader_(reader),
      options_(std::move(options)),
      // Series first: every family of a published series is published.
      series_count_(reader_.series_count()),
      by_family_(reader_.family_count()) {}

void PrometheusRenderer::GroupSome(uint32_t max_series) {
  const uint32_t end = grouped_ + std::min(max_series, series_count_ - grouped_);
  for (; grouped_ < end; ++grouped_) {
    if (reader_.ReadFamily(grouped_, series_) && series_.family < by_family_.size()) {
      by_family_[series_.family].push_back(series_.id);
    }
  }
  if (grouped_ == series_count_) Order();
}

void PrometheusRenderer::Order() {
  std::map<std::string_view, uint32_t> latest;  // of each name
  for (uint32_t family = 0; family < by_family_.size(); ++family) {
    if (by_family_[family].empty()) continue;
    const std::string_view name = reader_.family(family).name;
    if (IsWanted(options_.names, name)) latest[name] = family;
  }
  for (const auto& [name, family] : latest) order_.push_back(std::move(by_family_[family]));
  by_family_ = {};
}

bool PrometheusRenderer::RenderSome(uint32_t max_series, std::string& out) {
  if (grouped_ < series_count_) {
    GroupSome(kGroupedForOneRendered * max_series);
    return true;
  }
  for (uint32_t n = 0; n < max_series && in_hand_ < order_.size(); ++n) {
    const SeriesId id = order_[in_hand_][next_];
    if (++next_ == order_[in_hand_].size()) {
      ++in_hand_;
      next_ = 0;
    }
    if (!reader_.Read(id.index(), series_) || series_.id != id) continue;  // recycled since
    const StatsReader::Family shown = reader_.family(series_.family);
    if (options_.wanted && !options_.wanted(shown.name, series_.labels)) continue;
    if (shown.kind == MetricKind::kHistogram) {
      AppendHistogram(out);
    } else {
      AppendScalar(out);
    }
  }
  if (in_hand_ < order_.size()) return true;
  if (!done_ && options_.format == PrometheusFormat::kOpenMetrics) out += "# EOF\n";
  done_ = true;
  return false;
}

void PrometheusRenderer::AppendHead(uint32_t index, std::string& out) {
  if (index == family_) return;
  family_ = index;
  const StatsReader::Family family = reader_.family(index);
  const bool open_metrics = options_.format == PrometheusFormat::kOpenMetrics;
  const std::string_view name = open_metrics ? WithoutTotal(family.name) : family.name;
  out += "# HELP ";
  out += name;
  out += ' ';
  for (const char c : family.help) {
    if (c == '\\' || (c == '"' && open_metrics)) out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  out += "\n# TYPE ";
  out += name;
  out += ' ';
  out += TypeName(family.kind);
  out += '\n';
  if (open_metrics && !UnitOf(name).empty()) {
    out += "# UNIT ";
    out += name;
    out += ' ';
    out += UnitOf(name);
    out += '\n';
  }
}

void PrometheusRenderer::AppendScalar(std::string& out) {
  const StatsReader::Family family = reader_.family(series_.family);
  uint64_t value = 0;
  bool negative = false;
  if (family.kind == MetricKind::kCounter) {
    value = reader_.counter(series_.id);
    if (value == 0 && options_.hide_unused) return;
  } else {
    const int64_t level = reader_.gauge(series_.id);
    negative = level < 0;
    value = negative ? -static_cast<uint64_t>(level) : static_cast<uint64_t>(level);
  }
  AppendHead(series_.family, out);
  AppendSample(family.name, "", series_.labels, out);
  if (negative) out += '-';
  AppendValue(value, family.unit, out);
  out += '\n';
}

void PrometheusRenderer::AppendHistogram(std::string& out) {
  const StatsReader::Family family = reader_.family(series_.family);
  reader_.histogram(series_.id, histogram_);
  if (histogram_.count() == 0 && options_.hide_unused) return;
  AppendHead(series_.family, out);

  const Bounds bounds = BoundsOf(family.unit);
  std::array<uint64_t, kMaxBounds> counts;
  histogram_.CountAtMost(bounds.values, counts);
  const auto append_bucket = [&](std::string_view bound, bool whole, uint64_t count) {
    out += family.name;
    out += "_bucket{";
    out += series_.labels;
    if (!series_.labels.empty()) out += ',';
    out += "le=\"";
    out += bound;
    if (whole) out += ".0";
    out += "\"} ";
    AppendInteger(count, out);
    out += '\n';
  };
  for (size_t i = 0; i < bounds.values.size(); ++i) {
    const std::string_view text = bounds.texts[i];
    const bool whole = options_.format == PrometheusFormat::kOpenMetrics &&
                       text.find('.') == std::string_view::npos;
    append_bucket(text, whole, counts[i]);
  }
  append_bucket("+Inf", false, histogram_.count());

  AppendSample(family.name, "_sum", series_.labels, out);
  AppendValue(histogram_.sum(), family.unit, out);
  out += '\n';
  AppendSample(family.name, "_count", series_.labels, out);
  AppendInteger(histogram_.count(), out);
  out += '\n';
}

std::string RenderPrometheus(const StatsReader& reader, PrometheusOptions options) {
  PrometheusRenderer renderer(reader, std::move(options));
  std::string out;
  while (renderer.RenderSome(1024, out)) {
  }
  return out;
}

}  // namespace sluice
