#include "core/server/stats/stats_listing.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/base/strings.h"
#include "core/stats/labels.h"

namespace sluice {
namespace {

// Three digits behind the point are enough, and are never 0.30000000000000004.
double Rounded(double value) { return std::round(value * 1000) / 1000; }

std::string Dump(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

StatsListing::StatsListing(const StatsReader& reader, const ListingOptions& options)
    : reader_(reader), options_(options), end_(reader.series_count()) {}

bool StatsListing::RenderSome(uint32_t max_series, std::string& out) {
  if (!std::exchange(begun_, true)) {
    if (options_.format == ListingFormat::kJson) out += "[";
    if (options_.format == ListingFormat::kJsonLine) {
      const double time = static_cast<double>(options_.wall / kMillisecond) / 1000;
      out += StrCat({"{\"time\":", Dump(time), ",\"series\":["});
    }
  }
  for (uint32_t i = 0; i < max_series && next_ < end_; ++i) Append(next_++, out);
  if (next_ < end_) return true;
  if (options_.format == ListingFormat::kJson) out += first_ ? "]\n" : "\n]\n";
  if (options_.format == ListingFormat::kJsonLine) out += "]}\n";
  return false;
}

void StatsListing::Append(uint32_t index, std::string& out) {
  if (!reader_.Read(index, series_)) return;
  const StatsReader::Family family = reader_.family(series_.family);
  const std::string name = SeriesText(family.name, series_.labels);
  if (options_.filter != nullptr && !options_.filter->Matches(name)) return;
  nlohmann::json value;
  std::optional<uint64_t> total;  // that only grows
  switch (family.kind) {
    case MetricKind::kCounter:
      total = reader_.counter(series_.id);
      value = *total;
      break;
    case MetricKind::kGauge:
      value = reader_.gauge(series_.id);
      break;
    case MetricKind::kHistogram:
      reader_.histogram(series_.id, histogram_);
      total = histogram_.count();
      value = {{"count", histogram_.count()},
               {"sum", histogram_.sum()},
               {"p50", histogram_.Quantile(0.5)},
               {"p90", histogram_.Quantile(0.9)},
               {"p99", histogram_.Quantile(0.99)}};
      break;
  }
  std::optional<double> rate;
  if (options_.rates != nullptr && total) rate = options_.rates->Of(series_.id, *total);
  if (options_.hide_unused && (total ? *total == 0 : value == 0)) return;
  if (options_.format == ListingFormat::kText) return AppendText(name, Dump(value), rate, out);
  nlohmann::json labels = nlohmann::json::object();
  for (const auto& [label, text] : ParseLabels(series_.labels)) labels[label] = text;
  nlohmann::json entry = {
      {"name", family.name}, {"labels", std::move(labels)}, {"value", std::move(value)}};
  if (rate) entry["rate"] = Rounded(*rate);
  if (!std::exchange(first_, false)) out += ",";
  if (options_.format == ListingFormat::kJson) out += "\n";
  out += Dump(entry);
}

void StatsListing::AppendText(std::string_view name, std::string_view value,
                              std::optional<double> rate, std::string& out) const {
  const size_t begin = out.size();
  out += StrCat({name, ": ", value});
  if (rate) out += StrCat({" (", Dump(Rounded(*rate)), "/s)"});
  // A label may hold anything; a terminal would obey it.
  std::replace_if(
      out.begin() + static_cast<ptrdiff_t>(begin), out.end(),
      [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, '?');
  out += '\n';
}

}  // namespace sluice
