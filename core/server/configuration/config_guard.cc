#include "core/server/configuration/config_guard.h"

#include <cstdio>
#include <utility>

#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/config/units.h"
#include "core/server/configuration/config_desk.h"

namespace sluice {
namespace {

constexpr Nanos kPeriod = kSecond;

std::string Percent(double share) {
  char text[16];
  std::snprintf(text, sizeof(text), "%.1f%%", share);
  return text;
}

// "7 of 10 responses (70.0%)"
std::string Figures(ResponseCounts counts) {
  return StrCat({Decimal(counts.failed), " of ", Decimal(counts.all), " responses (",
                 Percent(counts.share()), ")"});
}

std::string NameOf(const ConfigVersion& version) {
  return StrCat({"version ", Decimal(version.version)});
}

bool SameText(const ConfigVersion& a, const ConfigVersion& b) {
  return a.hash == b.hash && a.format == b.format;
}

void Info(std::string_view message) { Log(LogLevel::kInfo, "guard", message); }

}  // namespace

ConfigGuard::ConfigGuard(Loop& loop, StatsDirectory& stats, ConfigDesk& desk, Responses responses)
    : loop_(loop),
      desk_(desk),
      responses_(std::move(responses)),
      stats_group_(StatsScope(stats).Group<GuardStats>()),
      stats_(stats_group_.Bind(stats.main_row())),
      timer_(loop, Callback::To<&ConfigGuard::OnTimer>(this)) {
  desk_.Add(*this);
}

ConfigGuard::~ConfigGuard() { desk_.Remove(*this); }

void ConfigGuard::Start() {
  if (!trusted_) trusted_ = desk_.current();
  if (!desk_.guard()) return;
  responses_(true);  // what came meanwhile counts nowhere
  if (window_.open()) window_.Begin(loop_.now(), window_.settings());
  timer_.Start(kPeriod);
  Show();
}

void ConfigGuard::Stop() {
  timer_.Cancel();
  stats_.open.Set(0);
}

void ConfigGuard::OnConfigUsed(ConfigSource source) {
  if (!trusted_) return;  // it is not live yet
  const bool looked = timer_.pending();
  const ResponseCounts last = responses_(true);
  const ConfigVersion& current = desk_.current();
  if (window_.open()) stats_.windows[GuardStats::kReplaced].Inc();
  if (!desk_.guard()) {
    timer_.Cancel();
    return TrustCurrent();
  }
  if (!looked) timer_.Start(kPeriod);
  if (source == ConfigSource::kGuard) return TrustCurrent();
  if (SameText(current, *trusted_)) return TrustCurrent();
  if (!looked) {
    Info(
        StrCat({NameOf(current), " is not guarded: there was no guard before it to compare with"}));
    return TrustCurrent();
  }
  if (!window_.open()) window_.Count(loop_.now(), last);
  window_.Begin(loop_.now(), *desk_.guard());
  Info(StrCat({NameOf(current), " is on trial for ", FormatDuration(window_.settings().window),
               "; before it ", Figures(window_.before()), " were 5xx"}));
  Show();
}

void ConfigGuard::TrustCurrent() {
  window_.Trust();
  trusted_ = desk_.current();
  Show();
}

void ConfigGuard::OnTimer() {
  timer_.Start(kPeriod);
  switch (window_.Count(loop_.now(), responses_(false))) {
    case GuardWindow::Verdict::kNone:
      return;
    case GuardWindow::Verdict::kStood:
      stats_.windows[GuardStats::kStood].Inc();
      Info(StrCat({NameOf(desk_.current()), " is good: ", Figures(window_.after()), " were 5xx"}));
      return TrustCurrent();
    case GuardWindow::Verdict::kFailed:
      return GoBack();
  }
}

void ConfigGuard::GoBack() {
  const std::string bad = NameOf(desk_.current());
  const std::string good = NameOf(*trusted_);
  const std::string why =
      StrCat({Figures(window_.after()), " were 5xx within ",
              FormatDuration(window_.lasted(loop_.now()) / kMillisecond * kMillisecond), " of ",
              bad, ", ", Figures(window_.before()), " before"});
  const ConfigVersion kept = *trusted_;  // being told of the change changes it
  const Result<ConfigOutcome> outcome = desk_.UseAgain(kept, {ConfigSource::kGuard, "guard", why});
  stats_.windows[outcome ? GuardStats::kWentBack : GuardStats::kFailed].Inc();
  Log(LogLevel::kError, "guard",
      outcome ? StrCat({"rolled back to ", good, ", as ", NameOf(desk_.current()), ": ", why})
              : StrCat({bad, " stays in use, ", good, " cannot be used: ", why}));
  Show();
}

void ConfigGuard::Show() { stats_.open.Set(window_.open() ? 1 : 0); }

}  // namespace sluice
