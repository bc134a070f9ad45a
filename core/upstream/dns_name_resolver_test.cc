#include "core/upstream/dns_name_resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "core/config/cluster.pb.h"

namespace sluice {
namespace {

class DnsNameResolverTest : public testing::Test {
 protected:
  void Ask(const std::string& name, DnsFamily family) {
    query_ =
        resolver_->Resolve(name, family, [this](Result<ResolvedName> answer) { answer_ = answer; });
    EXPECT_FALSE(answer_) << "answered inside the call";
  }
  void RunUntilAnswered() {
    const Nanos give_up = clock_.Monotonic() + 10 * kSecond;
    while (!answer_ && clock_.Monotonic() < give_up) loop_->RunOnce(100);
    ASSERT_TRUE(answer_);
  }

  SystemClock clock_;
  std::unique_ptr<Loop> loop_ = Loop::Create(clock_).value();
  std::unique_ptr<NameResolver> resolver_ = DnsNameResolver::Create(*loop_, {}).value();
  std::unique_ptr<NameResolver::Query> query_;
  std::optional<Result<ResolvedName>> answer_;
};

// RFC 6761 6.3: it is the loopback address wherever the name is asked, without a name server.
TEST_F(DnsNameResolverTest, GivesAddressesOfTheFamily) {
  Ask("localhost", DnsFamily::kV4);
  RunUntilAnswered();
  ASSERT_TRUE(*answer_) << answer_->error().detail;
  ASSERT_FALSE((*answer_)->addresses.empty());
  for (const Address& address : (*answer_)->addresses) {
    EXPECT_EQ(address.family(), Address::Family::kIpv4);
    EXPECT_TRUE(address.is_loopback()) << address.ToString();
  }
  EXPECT_LT((*answer_)->ttl, DnsAddress::kForever);
}

TEST_F(DnsNameResolverTest, SaysWhyThereIsNoAnswer) {
  const std::string too_long(255, 'a');
  Ask(too_long, DnsFamily::kAll);
  RunUntilAnswered();
  ASSERT_FALSE(*answer_);
  EXPECT_THAT(answer_->error().detail, testing::HasSubstr(too_long));
}

TEST_F(DnsNameResolverTest, AQuestionThatIsGoneIsNotAnswered) {
  Ask("localhost", DnsFamily::kV4);
  query_.reset();
  for (int i = 0; i < 10; ++i) loop_->RunOnce(0);
  EXPECT_FALSE(answer_);
}

TEST_F(DnsNameResolverTest, TakesServersWithAndWithoutPorts) {
  config::Dns config;
  for (const char* server : {"10.0.0.1", "10.0.0.1:5353", "::1", "[::1]:5353"}) {
    config.add_servers(server);
  }
  const auto resolver = DnsNameResolver::Create(*loop_, config);
  EXPECT_TRUE(resolver) << resolver.error().detail;
  for (const char* bad : {"dns.test", "unix:/run/dns.sock", "", "10.0.0.1:99999"}) {
    config.clear_servers();
    config.add_servers(bad);
    const auto refused = DnsNameResolver::Create(*loop_, config);
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().code, Code::kInvalidArgument);
  }
}

}  // namespace
}  // namespace sluice
