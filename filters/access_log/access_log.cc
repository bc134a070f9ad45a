// The access_log filter: see access_log.proto and README.md. A filter of a stream is nothing but
// its OnComplete: the factory, one per worker, writes the line and hands it to the worker's ring.
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/base/strings.h"
#include "core/event/loop.h"
#include "core/event/timer.h"
#include "core/filter/factory.h"
#include "core/stats/scope.h"
#include "filters/access_log/access_log.pb.h"
#include "filters/access_log/conditions.h"
#include "filters/access_log/file_sink.h"
#include "filters/access_log/line_format.h"
#include "filters/access_log/log_file.h"
#include "filters/access_log/syslog_sink.h"

namespace sluice::access_log {
namespace {

struct AccessLogStats {
  Counter lines;
  Counter bytes;
  Counter dropped;
  Counter errors;
  Counter reopen_errors;

  void Describe(MetricTable& table) {
    table.Add(lines, {"sluice_access_log_written_lines_total", "Lines written."});
    table.Add(bytes, {"sluice_access_log_written_bytes_total", "Bytes written."});
    table.Add(dropped, {"sluice_access_log_dropped_lines_total",
                        "Lines dropped: the disk or whoever reads was too slow, full or gone."});
    table.Add(errors, {"sluice_access_log_write_errors_total", "Writes that failed."});
    table.Add(reopen_errors,
              {"sluice_access_log_reopen_errors_total",
               "Times that the file could not be replaced by a new one: the old one stays."});
  }
};

struct AccessLogSettings final : FilterSettings {
  explicit AccessLogSettings(LineFormat line_format) : format(std::move(line_format)) {}
  ~AccessLogSettings() override {
    if (file && rotation) file->DropRotation(this);
  }
  void ReopenLogs() override {
    if (file) file->Reopen();
  }
  std::optional<FilterLog> log() const override {
    if (path.empty() || !file) return std::nullopt;
    return FilterLog{path, file->reopened()};
  }

  LineFormat format;
  Conditions conditions;
  std::optional<Rotation> rotation;
  Nanos flush_interval = kSecond;
  StatsGroup<AccessLogStats> stats;
  std::string path;  // empty for a syslog
  LogFileRef file;   // none in a dry run
};

class AccessLogFilter;

class AccessLogFactory final : public FilterFactory {
 public:
  using Settings = AccessLogSettings;

  static Result<std::unique_ptr<Settings>> Load(const AccessLogConfig& config,
                                                LoadContext& context);
  AccessLogFactory(const Settings& settings, const WorkerContext& context)
      : settings_(settings),
        random_(context.random),
        stats_(settings.stats.Bind(context.stats)),
        ring_(settings.file->Ring(context.worker)),
        timer_(context.loop, Callback::To<&AccessLogFactory::OnTimer>(this)) {
    // Not while it is loaded: a configuration may be refused yet.
    if (settings.rotation) settings.file->SetRotation(&settings, *settings.rotation);
  }
  ~AccessLogFactory() override {
    settings_.file->Wake();
    CountOutcome();
  }

  ArenaPtr<Filter> Create(Arena& arena) override;
  uint8_t hooks() const override;

  void Write(const StreamInfo& info) {
    if (!settings_.conditions.none() && !settings_.conditions.Hold(info, random_)) return;
    line_.Clear();
    settings_.format.Write(line_, info);
    if (!ring_.Append(line_.view())) [[unlikely]]
      stats_.dropped.Inc();
    if (!timer_.pending()) timer_.Start(settings_.flush_interval);
    if (ring_.HalfFull()) [[unlikely]]
      settings_.file->Wake();
  }

 private:
  void OnTimer() {
    // Once more after the last line, to count what became of it.
    if (!ring_.empty()) {
      timer_.Start(settings_.flush_interval);
      settings_.file->Wake();
    }
    CountOutcome();
  }
  void CountOutcome() {
    const LogCounts counts = ring_.TakeCounts();
    stats_.lines.Inc(counts.lines);
    stats_.bytes.Inc(counts.bytes);
    stats_.dropped.Inc(counts.lost);
    stats_.errors.Inc(counts.errors);
    stats_.reopen_errors.Inc(counts.reopen_errors);
  }

  const Settings& settings_;
  Random& random_;
  AccessLogStats stats_;
  LogRing& ring_;  // the file's; shared by this worker's factories, of one thread
  VariableWriter line_;
  Timer timer_;
};

class AccessLogFilter final : public Filter {
 public:
  explicit AccessLogFilter(AccessLogFactory& factory) : factory_(factory) {}
  void OnComplete(const StreamInfo& info) override {
    if (!info.connection().probe) factory_.Write(info);
  }

 private:
  AccessLogFactory& factory_;
};

ArenaPtr<Filter> AccessLogFactory::Create(Arena& arena) {
  return ArenaPtr<Filter>(arena.Make<AccessLogFilter>(*this).release());
}

uint8_t AccessLogFactory::hooks() const { return HooksOf<AccessLogFilter>(); }

// The facility's code (RFC 5424 6.2.1) and the severity "informational".
int Priority(Syslog::Facility facility) {
  constexpr int kUser = 1;
  constexpr int kDaemon = 3;
  constexpr int kLocal7 = 23;
  constexpr int kInformational = 6;
  const int code = facility == Syslog::USER     ? kUser
                   : facility == Syslog::DAEMON ? kDaemon
                                                : kLocal7 - facility;
  return code * 8 + kInformational;
}

Result<LogFileRef> OpenFile(const AccessLogConfig& config, const FileOwner& owner) {
  static SystemClock clock;  // the writers' threads ask it; it has no state
  if (config.has_syslog()) {
    const Syslog& syslog = config.syslog();
    const int priority = Priority(syslog.facility());
    const std::string key =
        StrCat({"syslog ", syslog.socket(), " ", syslog.tag(), " ", std::to_string(priority)});
    return LogFileRef::Acquire(key, [&]() -> Result<std::unique_ptr<LogFile>> {
      auto sink = SyslogSink::Open(syslog.socket(), priority, syslog.tag(), clock);
      if (!sink) return Fail(std::move(sink).error());
      return LogFile::Start(key, std::move(*sink), config.buffer(), clock);
    });
  }
  return LogFileRef::Acquire(config.path(), [&]() -> Result<std::unique_ptr<LogFile>> {
    auto sink = FileSink::Open(config.path(), clock, owner);
    if (!sink) return Fail(std::move(sink).error());
    return LogFile::Start(config.path(), std::move(*sink), config.buffer(), clock);
  });
}

Result<std::unique_ptr<AccessLogSettings>> AccessLogFactory::Load(const AccessLogConfig& config,
                                                                  LoadContext& context) {
  auto format = LineFormat::Compile(config);
  if (!format) return Fail(std::move(format).error());
  auto settings = std::make_unique<Settings>(std::move(*format));
  auto conditions = Conditions::Compile(config.when());
  if (!conditions) {
    return Fail(Code::kInvalidArgument, StrCat({"when.", conditions.error().detail}));
  }
  settings->conditions = std::move(*conditions);
  settings->flush_interval = config.flush_interval();
  if (config.has_rotate()) {
    if (config.has_syslog()) return Fail(Code::kInvalidArgument, "rotate: only for files");
    if (config.rotate().size() == 0 && config.rotate().age() == 0) {
      return Fail(Code::kInvalidArgument, "rotate: neither size nor age is written");
    }
    settings->rotation =
        Rotation{config.rotate().size(), config.rotate().age(), config.rotate().keep()};
  }
  const std::string name =
      config.has_syslog() ? StrCat({"syslog:", config.syslog().socket()}) : config.path();
  if (!config.has_syslog()) settings->path = config.path();
  settings->stats = StatsScope(context.stats, {{"path", name}}).Group<AccessLogStats>();
  if (context.dry_run) {
    if (config.has_syslog()) return settings;
    const Result<void> could = FileSink::Check(config.path());
    if (!could) return Fail(could.error().code, StrCat({"path: ", could.error().detail}));
    return settings;
  }
  auto file = OpenFile(config, context.files);
  if (!file) return Fail(std::move(file).error());
  settings->file = std::move(*file);
  return settings;
}

REGISTER_FILTER("access_log", AccessLogConfig, AccessLogFactory);

}  // namespace
}  // namespace sluice::access_log
