// Tells whoever started us how it stands: systemd, or our own supervisor, by the protocol of
// sd_notify(3). Any thread; never blocks.
#ifndef SLUICE_CORE_SERVER_NOTIFY_H_
#define SLUICE_CORE_SERVER_NOTIFY_H_

#include <string_view>

namespace sluice {

// Sends lines such as "READY=1\nMAINPID=7" to $NOTIFY_SOCKET. Without one, or when nobody listens
// there, nothing happens.
void NotifyStarter(std::string_view state);

// Says that a reload begins, and at its end that it is over, whatever came of it: for systemd's
// Type=notify-reload.
class ReloadNotice {
 public:
  ReloadNotice();
  ~ReloadNotice();
  ReloadNotice(const ReloadNotice&) = delete;
  ReloadNotice& operator=(const ReloadNotice&) = delete;
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_NOTIFY_H_
