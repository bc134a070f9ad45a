#include "core/upstream/cluster_discovery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/event/loop.h"
#include "core/stats/directory.h"
#include "core/stats/segment.h"
#include "tests/support/fake_name_resolver.h"

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ClusterDiscoveryTest : public testing::Test {
 protected:
  void Start(const std::vector<std::string>& names, const DiscoverySettings& settings = {}) {
    discovery_ = std::make_unique<ClusterDiscovery>(
        *loop_, std::make_unique<FakeNameResolver>(dns_), settings, stats_, names,
        Callback::To<&ClusterDiscoveryTest::OnChanged>(this));
    discovery_->Start();
  }
  void Advance(Nanos by) {
    clock_.Advance(by);
    loop_->RunOnce(0);
  }
  // Passes over all time until just before `delay` from now, then over the rest: is the name asked
  // for again exactly there?
  void ExpectAskedAfter(const std::string& name, Nanos delay) {
    const size_t asked = dns_.AskedFor(name);
    ASSERT_FALSE(dns_.IsWaiting(name));
    Advance(delay - 2 * kMillisecond);
    EXPECT_EQ(dns_.AskedFor(name), asked) << "too early";
    Advance(4 * kMillisecond);
    EXPECT_EQ(dns_.AskedFor(name), asked + 1) << "too late";
  }
  std::vector<std::string> AddressesOf(std::string_view name) {
    std::vector<std::string> texts;
    for (const Address& address : discovery_->AddressesOf(name)) {
      texts.push_back(address.IpString());
    }
    return texts;
  }
  void OnChanged() { ++changes_; }

  FakeClock clock_;
  std::unique_ptr<Loop> loop_ = Loop::Create(clock_).value();
  std::unique_ptr<StatsSegment> segment_ = StatsSegment::Create({}).value();
  StatsDirectory directory_{*segment_};
  DiscoveryStats stats_ =
      StatsScope(directory_).Group<DiscoveryStats>().Bind(directory_.main_row());
  FakeNameResolver::Questions dns_;
  int changes_ = 0;
  std::unique_ptr<ClusterDiscovery> discovery_;
};

TEST_F(ClusterDiscoveryTest, AsksForEachNameAtTheStart) {
  Start({"a.test", "b.test"});
  EXPECT_THAT(dns_.asked, ElementsAre("a.test", "b.test"));
  EXPECT_THAT(AddressesOf("a.test"), IsEmpty());
  EXPECT_FALSE(discovery_->warm());
  EXPECT_EQ(changes_, 0);
}

TEST_F(ClusterDiscoveryTest, IsWarmWhenEveryNameWasAnsweredWellOrBadly) {
  Start({"a.test", "b.test"});
  dns_.Answer("b.test", {"10.0.0.2"});
  EXPECT_FALSE(discovery_->warm());
  EXPECT_EQ(changes_, 1);
  dns_.Refuse("a.test");
  EXPECT_TRUE(discovery_->warm());
  EXPECT_EQ(changes_, 2);
  EXPECT_THAT(AddressesOf("a.test"), IsEmpty());
  EXPECT_THAT(AddressesOf("b.test"), ElementsAre("10.0.0.2"));
}

TEST_F(ClusterDiscoveryTest, AsksAgainWhenTheTtlIsOver) {
  Start({"a.test"});
  dns_.Answer("a.test", {"10.0.0.1"}, 30 * kSecond);
  ExpectAskedAfter("a.test", 30 * kSecond);
  dns_.Answer("a.test", {"10.0.0.1"}, 5 * kSecond);
  ExpectAskedAfter("a.test", 5 * kSecond);
}

TEST_F(ClusterDiscoveryTest, ATtlIsAtLeastASecondAndAtMostADay) {
  Start({"a.test"});
  dns_.Answer("a.test", {"10.0.0.1"}, 0);
  ExpectAskedAfter("a.test", kSecond);
  dns_.Answer("a.test", {"10.0.0.1"}, 10 * kMillisecond);
  ExpectAskedAfter("a.test", kSecond);
  dns_.Answer("a.test", {"10.0.0.1"}, Nanos{INT32_MAX} * kSecond);
  ExpectAskedAfter("a.test", 24 * 3600 * kSecond);
}

TEST_F(ClusterDiscoveryTest, TheConfiguredRefreshGoesBeforeTheTtl) {
  DiscoverySettings settings;
  settings.refresh = 200 * kMillisecond;
  Start({"a.test"}, settings);
  dns_.Answer("a.test", {"10.0.0.1"}, 3600 * kSecond);
  ExpectAskedAfter("a.test", 200 * kMillisecond);
}

TEST_F(ClusterDiscoveryTest, AQuestionThatWaitsIsNotAskedTwice) {
  Start({"a.test"});
  Advance(3600 * kSecond);
  EXPECT_EQ(dns_.AskedFor("a.test"), 1u);
  EXPECT_EQ(dns_.waiting(), 1u);
}

TEST_F(ClusterDiscoveryTest, TheSameAddressesInAnotherOrderAreNoChange) {
  Start({"a.test"});
  dns_.Answer("a.test", {"10.0.0.2", "10.0.0.1", "10.0.0.3"});
  EXPECT_EQ(changes_, 1);
  EXPECT_THAT(AddressesOf("a.test"), ElementsAre("10.0.0.1", "10.0.0.2", "10.0.0.3"));
  Advance(61 * kSecond);
  dns_.Answer("a.test", {"10.0.0.3", "10.0.0.2", "10.0.0.1", "10.0.0.2"});
  EXPECT_EQ(changes_, 1);
  Advance(61 * kSecond);
  dns_.Answer("a.test", {"10.0.0.3", "10.0.0.4", "10.0.0.1"});
  EXPECT_EQ(changes_, 2);
  EXPECT_THAT(AddressesOf("a.test"), ElementsAre("10.0.0.1", "10.0.0.3", "10.0.0.4"));
}

TEST_F(ClusterDiscoveryTest, TheLastGoodAnswerIsKeptWhileThereIsNoBetterOne) {
  Start({"a.test"});
  dns_.Answer("a.test", {"10.0.0.1"});
  Advance(61 * kSecond);
  dns_.Refuse("a.test");
  EXPECT_THAT(AddressesOf("a.test"), ElementsAre("10.0.0.1"));
  Advance(2 * kSecond);
  dns_.Refuse("a.test", "the name has no such address");
  EXPECT_THAT(AddressesOf("a.test"), ElementsAre("10.0.0.1"));
  EXPECT_EQ(changes_, 1);
  EXPECT_EQ(stats_.dns_answers.value(), 1u);
  EXPECT_EQ(stats_.dns_failures.value(), 2u);
  Advance(3 * kSecond);
  dns_.Answer("a.test", {"10.0.0.2"});
  EXPECT_THAT(AddressesOf("a.test"), ElementsAre("10.0.0.2"));
  EXPECT_EQ(changes_, 2);
  EXPECT_EQ(stats_.dns_answers.value(), 2u);
}

TEST_F(ClusterDiscoveryTest, RetriesBackOffFromOneSecondToThirty) {
  Start({"a.test"});
  for (const Nanos seconds : {1, 2, 4, 8, 16, 30, 30}) {
    dns_.Refuse("a.test");
    ExpectAskedAfter("a.test", seconds * kSecond);
  }
  // A good answer ends it; the next failure begins at one second again.
  dns_.Answer("a.test", {"10.0.0.1"}, 10 * kSecond);
  ExpectAskedAfter("a.test", 10 * kSecond);
  dns_.Refuse("a.test");
  ExpectAskedAfter("a.test", kSecond);
}

TEST_F(ClusterDiscoveryTest, NamesFailAndRefreshOnTheirOwn) {
  Start({"a.test", "b.test"});
  dns_.Refuse("a.test");
  dns_.Answer("b.test", {"10.0.0.2"}, 3600 * kSecond);
  ExpectAskedAfter("a.test", kSecond);
  EXPECT_EQ(dns_.AskedFor("b.test"), 1u);
}

TEST_F(ClusterDiscoveryTest, AsksForTheFamilyThatIsWanted) {
  for (const DnsFamily family :
       {DnsFamily::kAuto, DnsFamily::kV4, DnsFamily::kV6, DnsFamily::kAll}) {
    DiscoverySettings settings;
    settings.family = family;
    Start({"a.test"}, settings);
    EXPECT_EQ(dns_.open.back().family, family);
  }
}

TEST_F(ClusterDiscoveryTest, BothFamiliesStandInOneOrder) {
  Start({"a.test"});
  dns_.Answer("a.test", {"2001:db8::1", "10.0.0.1", "2001:db8::", "9.0.0.1"});
  EXPECT_THAT(AddressesOf("a.test"),
              ElementsAre("9.0.0.1", "10.0.0.1", "2001:db8::", "2001:db8::1"));
}

TEST_F(ClusterDiscoveryTest, ItsEndCancelsQuestionsAndTimers) {
  Start({"a.test", "b.test"});
  dns_.Answer("a.test", {"10.0.0.1"});
  EXPECT_EQ(dns_.waiting(), 1u);
  discovery_.reset();
  EXPECT_EQ(dns_.waiting(), 0u);
  Advance(3600 * kSecond);
  EXPECT_EQ(dns_.asked.size(), 2u);
}

TEST_F(ClusterDiscoveryTest, LogsEachChangeBetweenGoodAndBadOnce) {
  char path[] = "/tmp/sluice-dns-log-XXXXXX";
  const int fd = mkstemp(path);
  ASSERT_GE(fd, 0);
  close(fd);
  ASSERT_TRUE(OpenLog(path));
  Start({"a.test"});
  for (const Nanos seconds : {1, 2, 4}) {
    dns_.Refuse("a.test", "server failure");
    Advance(seconds * kSecond + 2 * kMillisecond);
  }
  dns_.Answer("a.test", {"10.0.0.1"}, kSecond);
  Advance(2 * kSecond);
  dns_.Answer("a.test", {"10.0.0.1"}, kSecond);
  Advance(2 * kSecond);
  dns_.Refuse("a.test", "timeout");
  ASSERT_TRUE(OpenLog(""));

  std::ifstream log(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(log, line);) lines.push_back(line);
  unlink(path);
  EXPECT_THAT(lines, ElementsAre(testing::HasSubstr("resolve a.test: server failure; it "
                                                    "has no addresses yet"),
                                 testing::HasSubstr("a.test is resolved again"),
                                 testing::HasSubstr("resolve a.test: timeout; keeping its "
                                                    "last addresses")));
}

}  // namespace
}  // namespace sluice
