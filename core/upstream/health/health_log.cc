#include "core/upstream/health/health_log.h"

#include "core/base/log.h"
#include "core/base/one_line.h"
#include "core/base/strings.h"

namespace sluice {

void HealthLog::operator()(const HealthEvent& event) {
  if (!event.changed) return TellLeftOut(event);
  (event.healthy ? stats_->to_healthy : stats_->to_unhealthy).Inc();
  if (event.healthy && event.first) return;
  std::string message = StrCat({"clusters.", cluster_, " ", event.endpoint, " is ",
                                event.healthy ? "healthy" : "unhealthy: ",
                                event.healthy ? "" : OneLine(std::string(event.reason)), " (",
                                Decimal(event.in_a_row), " in a row)"});
  if (!TakeLine(event, message)) return;
  Log(event.healthy ? LogLevel::kInfo : LogLevel::kWarning, "health", message);
}

// The log's last word of an endpoint must be right, though it changes no more.
void HealthLog::TellLeftOut(const HealthEvent& event) {
  if (lines_.empty()) return;
  const auto found = lines_.find(std::string(event.endpoint));
  if (found == lines_.end()) return;
  Lines& lines = found->second;
  if (lines.left_out == 0 || event.at - lines.begin < kWindow) return;
  Log(event.healthy ? LogLevel::kInfo : LogLevel::kWarning, "health",
      StrCat({"clusters.", cluster_, " ", event.endpoint, " is ",
              event.healthy ? "healthy" : "unhealthy", LeftOut(lines)}));
  lines = {event.at, 1};
}

std::string HealthLog::LeftOut(const Lines& lines) {
  return StrCat({"; it changed ", Decimal(lines.left_out), " times since the last line"});
}

bool HealthLog::TakeLine(const HealthEvent& event, std::string& message) {
  ForgetOld(event.at);
  Lines& lines = lines_.try_emplace(std::string(event.endpoint), Lines{event.at}).first->second;
  if (event.at - lines.begin >= kWindow) {
    if (lines.left_out > 0) message += LeftOut(lines);
    lines = {event.at};
  }
  if (lines.written == kMostLines) {
    ++lines.left_out;
    return false;
  }
  if (++lines.written == kMostLines) {
    message += "; it changes often: no more is written of it for a minute";
  }
  return true;
}

// Those of which nothing is left to say, and those that have left.
void HealthLog::ForgetOld(Nanos now) {
  if (now < next_look_) return;
  next_look_ = now + kWindow;
  std::erase_if(lines_, [now](const auto& each) {
    const Lines& lines = each.second;
    return now - lines.begin >= (lines.left_out == 0 ? 1 : 60) * kWindow;
  });
}

}  // namespace sluice
