// ProxyWorker: what all streams of one thread share: its loop, its random numbers, its row of the
// stats, the date. Owned by the worker (or the main thread, for the admin listener).
#ifndef SLUICE_CORE_PROXY_PROXY_WORKER_H_
#define SLUICE_CORE_PROXY_PROXY_WORKER_H_

#include <cstdint>
#include <string_view>

#include "core/base/random.h"
#include "core/event/loop.h"
#include "core/filter/factory.h"
#include "core/http/date.h"
#include "core/proxy/mirror.h"
#include "core/stats/row.h"

namespace sluice {

class ProxyWorker {
 public:
  ProxyWorker(Loop& worker_loop, const StatsRow& row, const ServerStatus& server_status,
              uint32_t worker_index)
      : loop(worker_loop), stats(row), status(server_status), index(worker_index) {}

  WorkerContext Context() { return WorkerContext{loop, random, stats, status, index}; }

  // The Date field's value (RFC 9110 5.6.7), written once a second.
  std::string_view Date() {
    const int64_t second = loop.wall() / kSecond;
    if (second != date_second_) {
      date_second_ = second;
      date_ = HttpDate(second);
    }
    return date_.view();
  }

  Loop& loop;
  Random random;
  StatsRow stats;
  const ServerStatus& status;
  uint32_t index;
  uint64_t last_stream_id = 0;
  uint64_t last_connection_id = 0;
  MirrorCopies mirrors;

 private:
  int64_t date_second_ = -1;
  HttpDate date_{0};
};

}  // namespace sluice

#endif  // SLUICE_CORE_PROXY_PROXY_WORKER_H_
