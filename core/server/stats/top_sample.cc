#include "core/server/stats/top_sample.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "core/base/strings.h"
#include "core/stats/labels.h"

namespace sluice {
namespace {

enum class Column : uint8_t {
  kRequests,
  kResponses,  // by code_class: "5xx" are errors
  kTries,      // the same, and "none" is one
  kErrors,
  kReceived,
  kSent,
  kCpu,
  kConnections,
  kActive,
  kLatency,
  kTurns,
};

// Which metric fills which column.
struct Source {
  std::string_view metric;
  TopTable table;
  Column column;
};
constexpr Source kSources[] = {
    {"sluice_downstream_requests_total", TopTable::kListeners, Column::kRequests},
    {"sluice_downstream_responses_total", TopTable::kListeners, Column::kResponses},
    {"sluice_downstream_received_bytes_total", TopTable::kListeners, Column::kReceived},
    {"sluice_downstream_sent_bytes_total", TopTable::kListeners, Column::kSent},
    {"sluice_downstream_connections_active", TopTable::kListeners, Column::kConnections},
    {"sluice_downstream_requests_active", TopTable::kListeners, Column::kActive},
    {"sluice_downstream_request_duration_seconds", TopTable::kListeners, Column::kLatency},
    {"sluice_upstream_requests_total", TopTable::kClusters, Column::kRequests},
    {"sluice_upstream_responses_total", TopTable::kClusters, Column::kTries},
    {"sluice_upstream_received_bytes_total", TopTable::kClusters, Column::kReceived},
    {"sluice_upstream_sent_bytes_total", TopTable::kClusters, Column::kSent},
    {"sluice_upstream_connections_active", TopTable::kClusters, Column::kConnections},
    {"sluice_upstream_requests_active", TopTable::kClusters, Column::kActive},
    {"sluice_upstream_request_duration_seconds", TopTable::kClusters, Column::kLatency},
    {"sluice_endpoint_requests_total", TopTable::kEndpoints, Column::kRequests},
    {"sluice_endpoint_failures_total", TopTable::kEndpoints, Column::kErrors},
    {"sluice_worker_cpu_seconds_total", TopTable::kWorkers, Column::kCpu},
    {"sluice_worker_connections_active", TopTable::kWorkers, Column::kConnections},
    {"sluice_worker_loop_lag_seconds", TopTable::kWorkers, Column::kLatency},
    {"sluice_worker_longest_turn_seconds", TopTable::kWorkers, Column::kTurns},
};

using Labels = std::vector<std::pair<std::string, std::string>>;

std::string_view ValueOf(const Labels& labels, std::string_view name) {
  for (const auto& [label, value] : labels) {
    if (label == name) return value;
  }
  return {};
}

// The line that a series belongs to.
std::string LineOf(TopTable table, const Labels& labels) {
  switch (table) {
    case TopTable::kListeners:
      return std::string(ValueOf(labels, "listener"));
    case TopTable::kClusters:
      return std::string(ValueOf(labels, "cluster"));
    case TopTable::kEndpoints:
      return StrCat({ValueOf(labels, "cluster"), " ", ValueOf(labels, "endpoint")});
    case TopTable::kWorkers:
      break;
  }
  return StrCat({"worker ", ValueOf(labels, "worker")});
}

// A metric that counts errors of scripts, should there be one.
bool IsLuaErrors(std::string_view metric) {
  constexpr std::string_view kPrefix = "sluice_";
  return metric.starts_with(kPrefix) && metric.substr(kPrefix.size()).starts_with("lua_") &&
         metric.ends_with("errors_total");
}

class Sampler {
 public:
  Sampler(const StatsReader& reader, TopSample& sample) : reader_(reader), sample_(sample) {}

  void Run() {
    const uint32_t count = reader_.series_count();
    for (uint32_t family = 0; family < reader_.family_count(); ++family) {
      const std::string_view name = reader_.family(family).name;
      const auto* const found =
          std::find_if(std::begin(kSources), std::end(kSources),
                       [name](const Source& source) { return source.metric == name; });
      sources_.push_back(found == std::end(kSources) ? nullptr : found);
    }
    for (uint32_t i = 0; i < count; ++i) {
      if (!reader_.ReadFamily(i, series_) || series_.family >= sources_.size()) continue;
      if (sources_[series_.family] != nullptr) {
        AddToTable(*sources_[series_.family], i);
      } else {
        AddToSummary(reader_.family(series_.family).name);
      }
    }
  }

 private:
  uint64_t count() const { return reader_.counter(series_.id); }
  int64_t level() const { return reader_.gauge(series_.id); }

  void AddToSummary(std::string_view metric) {
    if (metric == "sluice_server_ready") sample_.ready |= level() > 0;
    if (metric == "sluice_server_draining") sample_.draining |= level() > 0;
    if (IsLuaErrors(metric)) sample_.lua_errors += count();
  }

  void AddToTable(const Source& source, uint32_t index) {
    if (!reader_.Read(index, series_)) return;
    const Labels labels = ParseLabels(series_.labels);
    TopCounts& line =
        sample_.tables[static_cast<size_t>(source.table)][LineOf(source.table, labels)];
    switch (source.column) {
      case Column::kRequests:
        line.requests += count();
        break;
      case Column::kResponses:
      case Column::kTries:
        AddResponses(source.column, ValueOf(labels, "code_class"), line);
        break;
      case Column::kErrors:
        line.errors += count();
        break;
      case Column::kReceived:
        line.received += count();
        break;
      case Column::kSent:
        line.sent += count();
        break;
      case Column::kCpu:
        line.cpu += count();
        break;
      case Column::kConnections:
        line.connections += level();
        break;
      case Column::kActive:
        line.active += level();
        break;
      case Column::kLatency:
        ReadBuckets(line.latency);
        break;
      case Column::kTurns:
        ReadBuckets(line.turns);
        break;
    }
  }

  void ReadBuckets(TopCounts::Buckets& buckets) {
    reader_.histogram(series_.id, histogram_);
    for (uint16_t bucket = 0; bucket < kHistogramBuckets; ++bucket) {
      const uint64_t n = histogram_.bucket(bucket);
      if (n != 0) buckets.emplace_back(bucket, n);
    }
  }

  void AddResponses(Column column, std::string_view code_class, TopCounts& line) const {
    const uint64_t n = count();
    line.responses += n;
    if (code_class == "5xx" || (code_class == "none" && column == Column::kTries)) line.errors += n;
  }

  const StatsReader& reader_;
  TopSample& sample_;
  std::vector<const Source*> sources_;  // by family; null: none
  StatsReader::Series series_;
  HistogramSnapshot histogram_;
};

}  // namespace

TopSample TakeTopSample(const StatsReader& reader, std::vector<StatsFile::Process> processes,
                        Nanos now) {
  TopSample sample;
  sample.at = now;
  sample.processes = std::move(processes);
  Sampler(reader, sample).Run();
  return sample;
}

}  // namespace sluice
