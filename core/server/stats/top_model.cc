#include "core/server/stats/top_model.h"

#include <algorithm>

namespace sluice {
namespace {

constexpr std::string_view kAdmin = "admin";

uint64_t Grown(uint64_t before, uint64_t now) { return now >= before ? now - before : now; }

void Subtract(const TopCounts::Buckets& before, TopCounts::Buckets& now) {
  auto old = before.begin();
  for (auto& [bucket, count] : now) {
    while (old != before.end() && old->first < bucket) ++old;
    if (old != before.end() && old->first == bucket) count = Grown(old->second, count);
  }
}

// What was counted between two samples, or altogether.
TopCounts Difference(const TopCounts* before, const TopCounts& now) {
  TopCounts out = now;
  if (before == nullptr) return out;
  out.requests = Grown(before->requests, now.requests);
  out.responses = Grown(before->responses, now.responses);
  out.errors = Grown(before->errors, now.errors);
  out.received = Grown(before->received, now.received);
  out.sent = Grown(before->sent, now.sent);
  out.cpu = Grown(before->cpu, now.cpu);
  Subtract(before->latency, out.latency);
  Subtract(before->turns, out.turns);
  return out;
}

void Add(const TopCounts& counts, TopCounts& sum) {
  sum.requests += counts.requests;
  sum.responses += counts.responses;
  sum.errors += counts.errors;
  sum.received += counts.received;
  sum.sent += counts.sent;
  sum.cpu += counts.cpu;
  sum.connections += counts.connections;
  sum.active += counts.active;
  sum.latency.insert(sum.latency.end(), counts.latency.begin(), counts.latency.end());
  sum.turns.insert(sum.turns.end(), counts.turns.begin(), counts.turns.end());
}

class Quantiles {
 public:
  explicit Quantiles(const TopCounts::Buckets& buckets) : buckets_(buckets) {
    std::sort(buckets_.begin(), buckets_.end());
    for (const auto& [bucket, count] : buckets_) count_ += count;
  }

  std::optional<TopLine::Latency> latency() const {
    if (count_ == 0) return std::nullopt;
    return TopLine::Latency{Of(0.5), Of(0.9), Of(0.99)};
  }

 private:
  // Nearest rank, the middle of its bucket: as HistogramSnapshot does.
  double Of(double q) const {
    const double rank = std::max(1.0, q * static_cast<double>(count_));
    uint64_t seen = 0;
    for (const auto& [bucket, count] : buckets_) {
      seen += count;
      if (static_cast<double>(seen) < rank) continue;
      return static_cast<double>(HistogramBucketLower(bucket) + HistogramBucketLower(bucket + 1u) -
                                 1) /
             2;
    }
    return 0;
  }

  TopCounts::Buckets buckets_;
  uint64_t count_ = 0;
};

TopLine LineOf(std::string name, const TopCounts& counts, TopTable table,
               std::optional<double> seconds) {
  const double per = seconds.value_or(1);
  const auto rate = [per](uint64_t n) { return static_cast<double>(n) / per; };
  TopLine line;
  line.name = std::move(name);
  line.requests = rate(counts.requests);
  // Endpoints count no responses.
  const uint64_t of = table == TopTable::kEndpoints ? counts.requests : counts.responses;
  if (of > 0) {
    line.errors = std::min(1.0, static_cast<double>(counts.errors) / static_cast<double>(of));
  }
  line.latency = Quantiles(counts.latency).latency();
  line.turns = Quantiles(counts.turns).latency();
  line.received = rate(counts.received);
  line.sent = rate(counts.sent);
  if (table == TopTable::kWorkers && seconds) line.cpu = rate(counts.cpu) / 1e6;
  line.connections = counts.connections;
  line.active = counts.active;
  return line;
}

}  // namespace

TopModel CompareTopSamples(const TopSample* before, const TopSample& now) {
  TopModel model;
  std::optional<double> seconds;
  if (before != nullptr && now.at > before->at) {
    seconds = static_cast<double>(now.at - before->at) / static_cast<double>(kSecond);
  } else {
    before = nullptr;
  }
  model.totals = before == nullptr;
  model.ready = now.ready;
  model.draining = now.draining;
  model.processes = now.processes;
  for (const StatsFile::Process& process : now.processes) model.live |= process.live;
  TopCounts listeners;
  TopCounts workers;
  for (size_t i = 0; i < kTopTables; ++i) {
    const auto table = static_cast<TopTable>(i);
    for (const auto& [name, counts] : now.tables[i]) {
      const TopCounts* old = nullptr;
      if (before != nullptr) {
        const auto found = before->tables[i].find(name);
        if (found != before->tables[i].end()) old = &found->second;
      }
      const TopCounts grown = Difference(old, counts);
      model.tables[i].push_back(LineOf(name, grown, table, seconds));
      if (table == TopTable::kListeners && name != kAdmin) Add(grown, listeners);
      if (table == TopTable::kWorkers) Add(grown, workers);
    }
  }
  model.all = LineOf("", listeners, TopTable::kListeners, seconds);
  model.worker = LineOf("", workers, TopTable::kWorkers, seconds);
  const uint64_t lua =
      before == nullptr ? now.lua_errors : Grown(before->lua_errors, now.lua_errors);
  model.lua_errors = static_cast<double>(lua) / seconds.value_or(1);
  return model;
}

}  // namespace sluice
