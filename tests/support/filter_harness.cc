#include "tests/support/filter_harness.h"

#include <google/protobuf/message.h>

#include <algorithm>
#include <memory>
#include <string>

#include "core/base/check.h"
#include "core/base/strings.h"
#include "core/config/error.h"
#include "core/config/message_reader.h"
#include "core/config/yaml_parser.h"
#include "core/filter/registry.h"
#include "core/stats/reader.h"

namespace sluice {
namespace {

std::unique_ptr<StatsSegment> MakeSegment() {
  auto segment = StatsSegment::Create({});
  CHECK(segment);
  return std::move(*segment);
}

std::unique_ptr<Loop> MakeLoop(Clock& clock) {
  auto loop = Loop::Create(clock);
  CHECK(loop);
  return std::move(*loop);
}

}  // namespace

FilterHarness::FilterHarness()
    : loop_(MakeLoop(clock_)),
      segment_(MakeSegment()),
      directory_(std::make_unique<StatsDirectory>(*segment_)),
      row_(segment_->worker_row(0)),
      load_context_{*directory_, clock_, server_, "web"},
      worker_context_{*loop_, random_, row_, server_, 0} {
  connection_.id = 1;
  connection_.listener = "web";
  connection_.direct_remote = connection_.remote = *Address::Parse("192.0.2.1:40000");
  connection_.local = *Address::Parse("192.0.2.80:8080");
  connection_.start = clock_.Monotonic();
}

FilterHarness::~FilterHarness() {
  factories_.clear();
  settings_.clear();
}

Result<void> FilterHarness::Add(std::string_view name, const google::protobuf::Message& config) {
  const FilterKind* kind = FindFilterKind(name);
  CHECK(kind != nullptr);
  auto settings = kind->Load(config, load_context_);
  if (!settings) return Fail(std::move(settings).error());
  settings_.push_back(std::move(*settings));
  Add(kind->NewFactory(*settings_.back(), worker_context_));
  return {};
}

Result<void> FilterHarness::AddYaml(std::string_view name, std::string_view yaml) {
  const FilterKind* kind = FindFilterKind(name);
  CHECK(kind != nullptr);
  const ParseResult node = ParseYaml(yaml);
  if (!node) return Fail(Code::kInvalidArgument, node.error().message);
  const std::unique_ptr<google::protobuf::Message> config(kind->prototype().New());
  ConfigProblems problems("test.yaml");
  MessageReader(problems).Read(*node, FieldPath{nullptr, name}, *config);
  if (problems.has_errors()) {
    return Fail(Code::kInvalidArgument, problems.TakeErrors().front().Text());
  }
  return Add(name, *config);
}

void FilterHarness::Add(std::unique_ptr<FilterFactory> factory) {
  factories_.push_back(std::move(factory));
}

std::unique_ptr<FilterStream> FilterHarness::NewStream() {
  if (plans_.empty() || plans_.back()->entries.size() != factories_.size()) {
    plans_.push_back(std::make_unique<ChainPlan>());
    for (const auto& factory : factories_) plans_.back()->Add(*factory);
  }
  return std::make_unique<FilterStream>(*this, *plans_.back(), connection_);
}

void FilterHarness::Advance(Nanos by) {
  const Nanos target = clock_.Monotonic() + by;
  while (true) {
    const Nanos wake = loop_->timers().NextWake();
    if (wake < 0 || wake > target) break;
    clock_.Advance(std::max<Nanos>(wake - clock_.Monotonic(), 0));
    loop_->RunOnce(0);
  }
  clock_.Advance(target - clock_.Monotonic());
  loop_->RunOnce(0);
}

double FilterHarness::Metric(std::string_view name, std::string_view labels) const {
  const StatsReader reader(*segment_);
  StatsReader::Series series;
  for (uint32_t i = 0; i < reader.series_count(); ++i) {
    if (!reader.Read(i, series)) continue;
    const StatsReader::Family family = reader.family(series.family);
    if (family.name != name || series.labels != labels) continue;
    CHECK(family.kind != MetricKind::kHistogram);
    return family.kind == MetricKind::kCounter ? static_cast<double>(reader.counter(series.id))
                                               : static_cast<double>(reader.gauge(series.id));
  }
  return 0;
}

void FilterHarness::ReopenLogs() {
  for (const auto& settings : settings_) settings->ReopenLogs();
}

}  // namespace sluice
