#include "core/server/configuration/response_counter.h"

#include <gtest/gtest.h>

#include <memory>
#include <string_view>

#include "core/proxy/listener_stats.h"
#include "core/stats/directory.h"
#include "core/stats/segment.h"

namespace sluice {
namespace {

class ResponseCounterTest : public testing::Test {
 protected:
  ListenerStats Listener(std::string_view name, uint32_t worker = 0) {
    return StatsScope(directory_, {{"listener", name}})
        .Group<ListenerStats>()
        .Bind(segment_->worker_row(worker));
  }
  static StatsOptions TwoWorkers() {
    StatsOptions options;
    options.workers = 2;
    return options;
  }
  void Expect(ResponseCounts counts, uint64_t all, uint64_t failed) {
    EXPECT_EQ(counts.all, all);
    EXPECT_EQ(counts.failed, failed);
  }

  std::unique_ptr<StatsSegment> segment_ = StatsSegment::Create(TwoWorkers()).value();
  StatsDirectory directory_{*segment_};
  ResponseCounter counter_{*segment_};
};

TEST_F(ResponseCounterTest, AllWorkersAndListenersButTheAdmins) {
  ListenerStats web = Listener("web");
  ListenerStats web2 = Listener("web", 1);
  ListenerStats other = Listener("other");
  ListenerStats admin = Listener("admin");
  web.responses[2].Inc(1000);
  Expect(counter_.Take(false), 0, 0);  // from here on
  web.responses[2].Inc(5);
  web2.responses[4].Inc();
  web2.responses[5].Inc(2);
  other.responses[5].Inc();
  web.responses[0].Inc(7);  // no response
  admin.responses[5].Inc(9);
  Expect(counter_.Take(false), 9, 3);
  Expect(counter_.Take(false), 0, 0);
}

// It may have counted for an earlier process.
TEST_F(ResponseCounterTest, AListenerThatComesBeginsAtWhatItSaid) {
  Listener("web");
  counter_.Take(false);
  ListenerStats late = Listener("late");
  late.responses[5].Inc(100);
  Expect(counter_.Take(true), 0, 0);
  late.responses[5].Inc();
  Expect(counter_.Take(false), 1, 1);
}

}  // namespace
}  // namespace sluice
