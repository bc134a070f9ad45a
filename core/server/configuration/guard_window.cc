#include "core/server/configuration/guard_window.h"

namespace sluice {
namespace {

void Add(ResponseCounts& sum, ResponseCounts more) {
  sum.all += more.all;
  sum.failed += more.failed;
}

}  // namespace

void GuardWindow::Begin(Nanos now, const GuardSettings& settings) {
  settings_ = settings;
  if (state_ == State::kTrusted) {
    before_ = {};
    for (const Sample& sample : trusted_) {
      if (now - sample.time < settings.before) Add(before_, sample.counts);
    }
  }
  state_ = State::kTrial;
  began_ = now;
  after_ = {};
  trial_.clear();
}

void GuardWindow::Trust() {
  state_ = State::kTrusted;
  trial_.clear();
}

GuardWindow::Verdict GuardWindow::Count(Nanos now, ResponseCounts more) {
  if (state_ == State::kFailed) return Verdict::kNone;
  (state_ == State::kTrial ? trial_ : trusted_).push_back({now, more});
  while (!trusted_.empty() && now - trusted_.front().time >= kLongest) trusted_.pop_front();
  if (state_ == State::kTrusted) return Verdict::kNone;

  Add(after_, more);
  if (after_.all >= settings_.min_responses &&
      after_.share() > before_.share() + settings_.max_increase) {
    state_ = State::kFailed;
    trial_.clear();
    return Verdict::kFailed;
  }
  if (lasted(now) < settings_.window) return Verdict::kNone;
  trusted_.insert(trusted_.end(), trial_.begin(), trial_.end());
  Trust();
  return Verdict::kStood;
}

}  // namespace sluice
