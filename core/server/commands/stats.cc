// stats: every number of an instance, read from its shared memory alone: also of a process that is
// stopped, wedged or dead.
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "core/base/clock.h"
#include "core/base/strings.h"
#include "core/server/commands/command.h"
#include "core/server/commands/stats_source.h"
#include "core/server/stats/stats_listing.h"
#include "core/stats/prometheus.h"

namespace sluice {
namespace {

constexpr uint32_t kSeriesAtOnce = 4096;

// False: nobody reads it any more.
bool Write(std::string_view text) {
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
}

// Writes what a renderer gives, as it comes.
template <typename Renderer>
bool WriteAll(Renderer&& renderer) {
  std::string piece;
  for (bool more = true; more;) {
    piece.clear();
    more = renderer.RenderSome(kSeriesAtOnce, piece);
    if (!Write(piece)) return false;
  }
  return std::fflush(stdout) == 0;
}

class StatsCommand final : public Command {
 public:
  void AddOptions(CLI::App& app) override {
    source_.AddOptions(app);
    app.add_option("--filter", pattern_, "Only series that this regular expression matches");
    app.add_option("--format", format_, "text, json or prometheus")
        ->check(CLI::IsMember({"text", "json", "prometheus"}))
        ->capture_default_str();
    app.add_flag("--used", used_, "Leave out what never counted");
    app.add_flag("--watch", watch_, "Again after each interval, with rates; json: a line each");
  }

  int Run() override {
    Result<SeriesFilter> filter = SeriesFilter::Parse(pattern_);
    if (!filter) return FailCommand(StrCat({"--", filter.error().detail}));
    filter_ = std::move(*filter);
    if (watch_ && format_ == "prometheus") {
      return FailCommand("--watch is for --format text and json");
    }
    if (const Result<void> opened = source_.Open(); !opened) {
      return FailCommand(opened.error().detail);
    }
    if (!source_.live()) {
      std::fprintf(stderr, "sluice: no process of %s: numbers as they were left\n",
                   source_.name().c_str());
    }
    if (watch_) return Watch();
    const bool written = format_ == "prometheus" ? WritePrometheus() : WriteListing();
    return written ? 0 : FailCommand(StrCat({"standard output: ", std::strerror(errno)}));
  }

 private:
  bool WritePrometheus() const {
    PrometheusOptions options;
    options.hide_unused = used_;
    if (!filter_.all()) {
      options.wanted = [this](std::string_view name, std::string_view labels) {
        return filter_.Matches(SeriesText(name, labels));
      };
    }
    return WriteAll(PrometheusRenderer(source_.reader(), std::move(options)));
  }

  bool WriteListing() const {
    ListingOptions options;
    options.format = format_ == "json" ? ListingFormat::kJson : ListingFormat::kText;
    options.filter = &filter_;
    options.hide_unused = used_;
    return WriteAll(StatsListing(source_.reader(), options));
  }

  // Until a signal ends it, or the reader of its output is gone.
  int Watch() {
    SystemClock clock;
    StatsRates rates;
    for (Nanos next = clock.Monotonic();; next += source_.interval()) {
      if (source_.Renewed()) rates.Forget();
      rates.Begin(clock.Monotonic());
      if (!WriteLook(rates, clock.Wall())) return 0;
      next =
          std::max(next, clock.Monotonic() - source_.interval());  // after a stop: not in a hurry
      const Nanos until = next + source_.interval();
      const timespec at = {until / kSecond, until % kSecond};
      while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr) == EINTR) {
      }
    }
  }

  bool WriteLook(StatsRates& rates, Nanos wall) {
    ListingOptions options;
    options.format = format_ == "json" ? ListingFormat::kJsonLine : ListingFormat::kText;
    options.filter = &filter_;
    options.hide_unused = used_;
    options.rates = &rates;
    options.wall = wall;
    StatsListing listing(source_.reader(), options);
    winsize window{};
    if (format_ == "json" || ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0) {
      if (format_ != "json" && rates.interval() > 0 && !Write("\n")) return false;
      return WriteAll(listing);
    }
    std::string text;
    while (listing.RenderSome(kSeriesAtOnce, text)) {
    }
    return Write(Redrawn(text, window)) && std::fflush(stdout) == 0;
  }

  // In place of what is on the terminal: as much as fits.
  static std::string Redrawn(std::string_view text, const winsize& window) {
    const size_t height = std::max<size_t>(window.ws_row, 2);
    const size_t width = std::max<size_t>(window.ws_col, 20);
    std::string frame = "\x1b[H";
    auto left = static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
    for (size_t line = 0; line + 1 < height && left > 0; ++line, --left) {
      const size_t end = text.find('\n');
      frame += StrCat({text.substr(0, std::min(end, width - 1)), "\x1b[K\r\n"});
      text.remove_prefix(end + 1);
    }
    if (left > 0) frame += StrCat({Decimal(left), " more; --filter shows fewer\x1b[K"});
    return frame + "\x1b[J";
  }

  StatsSource source_;
  std::string pattern_;
  SeriesFilter filter_;
  std::string format_ = "text";
  bool used_ = false;
  bool watch_ = false;
};

}  // namespace

std::unique_ptr<Command> NewStatsCommand() { return std::make_unique<StatsCommand>(); }

}  // namespace sluice
