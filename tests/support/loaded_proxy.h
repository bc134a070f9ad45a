// LoadedProxy: the real binary, supervised, under load from wrk and counting clients. It can be
// restarted and made to reload, and is looked at afterwards: nothing may be lost, or left over. For
// restart_soak.cc.
#ifndef SLUICE_TESTS_SUPPORT_LOADED_PROXY_H_
#define SLUICE_TESTS_SUPPORT_LOADED_PROXY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/net/address.h"
#include "tests/support/counting_load.h"
#include "tests/support/driver.h"
#include "tests/support/load_upstream.h"
#include "tests/support/process.h"
#include "tests/support/stats_watch.h"
#include "tests/support/temp_folder.h"

namespace sluice::test {

class LoadedProxy {
 public:
  // What a process has when nobody is connected; fds without those to upstreams.
  struct Figures {
    int pid = 0;
    int64_t resident_kb = 0;
    int64_t fds = 0;
    int64_t supervisor_kb = 0;
    int64_t supervisor_fds = 0;
  };

  // `download_size`: of /download at the listener "sockets".
  LoadedProxy(const std::string& binary, uint64_t download_size);
  ~LoadedProxy();
  LoadedProxy(const LoadedProxy&) = delete;
  LoadedProxy& operator=(const LoadedProxy&) = delete;

  // The configuration, with these entries besides.
  void WriteConfig(std::string_view listeners = "", std::string_view clusters = "",
                   std::string_view web_filters = "", std::string_view web_routes = "");

  // Each fails the test if it does not come to that.
  bool Start();
  bool StartLoad();
  // `name`: "restart", "reload".
  bool Command(const std::string& name);
  // The process that serves, when one alone is left; 0 after a failure.
  int AwaitOneProcess();
  Figures Look();
  // Ends the load and checks what it counted: all of it answered, the counters say the same, the
  // gauges are at rest.
  void StopLoadAndCheck();
  // Ends the proxy and looks for what it left behind.
  void StopAndCheck();

  Address Where(std::string_view listener) const;
  Driver& driver() { return driver_; }
  CountingLoad& load() { return *load_; }
  LoadUpstream& upstream() { return upstream_; }
  // What all of its processes wrote.
  const std::string& log() const { return supervisor_->err(); }
  size_t CountInLog(std::string_view text) const;
  uint64_t wrk_requests() const { return wrk_requests_; }

 private:
  int64_t UpstreamConnections() const;

  const std::string binary_;
  Driver driver_;
  TempFolder folder_;
  LoadUpstream upstream_;
  std::unique_ptr<Process> echo_;
  std::string file_;
  const std::string stats_;
  std::unique_ptr<Process> supervisor_;
  std::unique_ptr<Process> wrk_;
  std::optional<CountingLoad> load_;
  std::optional<StatsWatch> watch_;
  uint64_t wrk_requests_ = 0;
};

}  // namespace sluice::test

#endif  // SLUICE_TESTS_SUPPORT_LOADED_PROXY_H_
