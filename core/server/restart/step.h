// RestartStep: where a test can stop, or kill, a process in the middle of a restart. Nothing,
// unless $SLUICE_RESTART_STEPS names a unix socket: then a process says to it where it is ("STEP
// PID\n"), and goes on when it gets a byte, or nobody is there. Main thread.
#ifndef SLUICE_CORE_SERVER_RESTART_STEP_H_
#define SLUICE_CORE_SERVER_RESTART_STEP_H_

#include <string_view>

namespace sluice {

// In the order of a restart.
namespace restart_step {
inline constexpr std::string_view kConnecting = "connecting";         // new
inline constexpr std::string_view kHelloSent = "hello_sent";          // new
inline constexpr std::string_view kHelloReceived = "hello_received";  // old
inline constexpr std::string_view kOffered = "offered";               // old
inline constexpr std::string_view kOfferReceived = "offer_received";  // new
inline constexpr std::string_view kStatsAttached = "stats_attached";  // new
inline constexpr std::string_view kChecked = "checked";               // new: it answers itself
inline constexpr std::string_view kAccepting = "accepting";           // new: all workers
inline constexpr std::string_view kDoorOpen = "door_open";            // new: callers come to it
inline constexpr std::string_view kReadySent = "ready_sent";          // new
inline constexpr std::string_view kReadyReceived = "ready_received";  // old: still accepts
inline constexpr std::string_view kHandedOver = "handed_over";        // old: accepts no more
inline constexpr std::string_view kDrainingHeard = "draining_heard";  // new
inline constexpr std::string_view kDrained = "drained";               // old: about to end
}  // namespace restart_step

void RestartStep(std::string_view step);

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_RESTART_STEP_H_
