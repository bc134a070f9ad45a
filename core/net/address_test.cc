#include "core/net/address.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <unordered_set>

#include "core/net/cidr.h"

namespace sluice {
namespace {

Address Parse(std::string_view text) {
  Result<Address> address = Address::Parse(text);
  EXPECT_TRUE(address) << text << ": " << (address ? "" : address.error().detail);
  return address.value_or(Address());
}

Address RoundTrip(const Address& address) {
  sockaddr_storage storage;
  const socklen_t size = address.ToSockaddr(storage);
  return Address::FromSockaddr(reinterpret_cast<const sockaddr*>(&storage), size);
}

TEST(Address, IsSmall) { EXPECT_LE(sizeof(Address), 24u); }

TEST(Address, TextComesBackAsItWas) {
  const std::string longest = "unix:/" + std::string(106, 'a');
  for (const std::string& text :
       {std::string("127.0.0.1:80"), std::string("0.0.0.0:0"), std::string("255.255.255.255:65535"),
        std::string("[::1]:80"), std::string("[::]:0"), std::string("[2001:db8::ff00:42:8329]:443"),
        std::string("[::ffff:10.0.0.1]:1"), std::string("[fe80::1%lo]:80"),
        std::string("unix:/run/web.sock"), std::string("unix:@web"), longest}) {
    const Address address = Parse(text);
    EXPECT_EQ(address.ToString(), text);
    EXPECT_EQ(RoundTrip(address), address) << text;
    EXPECT_EQ(RoundTrip(address).ToString(), text);
    EXPECT_LE(text.size(), Address::kMaxText);
  }
}

TEST(Address, TextWithoutPort) {
  EXPECT_EQ(Parse("10.1.2.3:80").IpString(), "10.1.2.3");
  EXPECT_EQ(Parse("[2001:db8::1]:80").IpString(), "2001:db8::1");
  EXPECT_EQ(Parse("unix:/a").IpString(), "unix:/a");
  EXPECT_EQ(Address().ToString(), "");
}

TEST(Address, RefusesWhatIsNone) {
  for (const std::string_view text : {"",
                                      ":",
                                      ":80",
                                      "80",
                                      "127.0.0.1",
                                      "127.0.0.1:",
                                      "127.0.0.1:65536",
                                      "127.0.0.1:-1",
                                      "127.0.0.1: 80",
                                      "127.0.0.1:80 ",
                                      "127.0.0.1:000080",
                                      "127.0.0.256:80",
                                      "127.0.1:80",
                                      "0x7f.0.0.1:80",
                                      "01.0.0.1:80",
                                      "::1:80",
                                      "[::1]",
                                      "[::1]80",
                                      "[::1:80",
                                      "[127.0.0.1]:80",
                                      "[fe80::1%nosuchif0]:80",
                                      "[fe80::1%0]:80",
                                      "[::1%]:80",
                                      "localhost:80",
                                      "unix:",
                                      "unix:@",
                                      "[1:2:3:4:5:6:7:8:9]:80"}) {
    const Result<Address> address = Address::Parse(text);
    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error().code, Code::kInvalidArgument);
  }
  EXPECT_FALSE(Address::Parse("unix:/" + std::string(107, 'a')));
  EXPECT_FALSE(Address::Parse(std::string_view("unix:/a\0b", 9)));
  EXPECT_FALSE(Address::Parse(std::string_view("127.0.0.1\0:80", 13)));
  EXPECT_FALSE(Address::Parse("[" + std::string(300, ':') + "]:80"));
}

TEST(Address, ErrorsSayTheTextAndTheFix) {
  EXPECT_EQ(Address::Parse("::1:80").error().detail,
            "\"::1:80\" is not an address: IPv6 takes brackets: [::1]:80");
  EXPECT_EQ(Address::Parse("127.0.0.1").error().detail,
            "\"127.0.0.1\" is not an address: the port is missing");
}

TEST(Address, ParseIpTakesNoPortAndNoName) {
  EXPECT_EQ(Address::ParseIp("10.0.0.1", 8)->ToString(), "10.0.0.1:8");
  EXPECT_EQ(Address::ParseIp("::1")->ToString(), "[::1]:0");
  EXPECT_FALSE(Address::ParseIp("[::1]"));
  EXPECT_FALSE(Address::ParseIp("10.0.0.1:80"));
  EXPECT_FALSE(Address::ParseIp("example.com"));
  EXPECT_FALSE(Address::ParseIp(""));
}

TEST(Address, KindsAndParts) {
  EXPECT_TRUE(Parse("127.9.9.9:1").is_loopback());
  EXPECT_TRUE(Parse("[::1]:1").is_loopback());
  EXPECT_TRUE(Parse("[::ffff:127.0.0.1]:1").is_loopback());
  EXPECT_FALSE(Parse("128.0.0.1:1").is_loopback());
  EXPECT_TRUE(Parse("0.0.0.0:1").is_any());
  EXPECT_TRUE(Parse("[::]:1").is_any());
  EXPECT_FALSE(Parse("[::1]:1").is_any());
  EXPECT_FALSE(Parse("unix:/a").is_any());
  EXPECT_EQ(Parse("[::ffff:10.0.0.1]:7").Unmapped(), Parse("10.0.0.1:7"));
  EXPECT_EQ(Parse("[::1]:7").Unmapped(), Parse("[::1]:7"));
  EXPECT_EQ(Parse("1.2.3.4:1").ip_bytes(), std::string_view("\1\2\3\4"));
  EXPECT_EQ(Parse("unix:@x").unix_name(), "@x");
  EXPECT_EQ(Parse("1.2.3.4:1").unix_name(), "");
  EXPECT_TRUE(Address().empty());
}

TEST(Address, CopiesAreTheirOwn) {
  Address unix_address = Parse("unix:/run/a.sock");
  Address copy = unix_address;
  EXPECT_EQ(copy, unix_address);
  unix_address = Parse("1.2.3.4:5");
  EXPECT_EQ(copy.ToString(), "unix:/run/a.sock");
  Address moved = std::move(copy);
  EXPECT_TRUE(copy.empty());  // NOLINT(bugprone-use-after-move): this is what is tested
  copy = moved;
  const Address& same = copy;
  copy = same;
  EXPECT_EQ(copy.ToString(), "unix:/run/a.sock");
  moved = std::move(copy);
  EXPECT_EQ(moved.ToString(), "unix:/run/a.sock");
}

TEST(Address, EqualityAndHash) {
  std::unordered_set<Address> set;
  for (const std::string_view text :
       {"1.2.3.4:5", "1.2.3.4:6", "1.2.3.5:5", "[::1]:5", "[::ffff:1.2.3.4]:5", "unix:/a",
        "unix:/b", "unix:@a", "[fe80::1%1]:5", "[fe80::1%2]:5"}) {
    EXPECT_TRUE(set.insert(Parse(text)).second) << text;
    EXPECT_FALSE(set.insert(Parse(text)).second) << text;
  }
  set.insert(Address());
  EXPECT_FALSE(set.insert(Address()).second);
}

TEST(Address, FromSockaddrOfUnixPeers) {
  sockaddr_un peer{};
  peer.sun_family = AF_UNIX;
  const auto from = [&peer](size_t path_size) {
    return Address::FromSockaddr(
        reinterpret_cast<const sockaddr*>(&peer),
        static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_size));
  };
  EXPECT_TRUE(from(0).is_unix());
  EXPECT_EQ(from(0).ToString(), "unix:");
  // A path that leaves no room for its zero.
  std::memset(peer.sun_path, 'p', sizeof(peer.sun_path));
  const Address full = from(sizeof(peer.sun_path));
  EXPECT_EQ(full.unix_name(), std::string(108, 'p'));
  EXPECT_EQ(RoundTrip(full), full);
  char text[Address::kMaxText];
  EXPECT_LE(full.WriteText(text), text + sizeof(text));
  // A client may put anything into an abstract name; it must not reach a header.
  std::memcpy(peer.sun_path, "\0a\r\nb: c\0d", 10);
  EXPECT_EQ(from(10).ToString(), "unix:@a??b: c?d");
}

TEST(Address, FromSockaddrOfOtherFamilies) {
  sockaddr other{};
  other.sa_family = AF_APPLETALK;
  EXPECT_TRUE(Address::FromSockaddr(&other, sizeof(other)).empty());
  other.sa_family = AF_INET6;  // too short for it
  EXPECT_TRUE(Address::FromSockaddr(&other, sizeof(other)).empty());
  EXPECT_TRUE(Address::FromSockaddr(&other, 0).empty());
  sockaddr_storage storage;
  EXPECT_EQ(Address().ToSockaddr(storage), 0u);
}

TEST(SplitHostPort, TakesNamesToo) {
  const Result<HostPort> name = SplitHostPort("api.internal:8080");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->host, "api.internal");
  EXPECT_EQ(name->port, 8080);
  EXPECT_EQ(SplitHostPort("[::1]:80")->host, "::1");
  for (const std::string_view text : {"api", "api:", "api:x", ":80", "[]:80", "::1", "a:1:2"}) {
    EXPECT_FALSE(SplitHostPort(text)) << text;
  }
}

TEST(Cidr, Contains) {
  const auto contains = [](std::string_view range, std::string_view ip) {
    return Cidr::Parse(range).value().Contains(Address::ParseIp(ip).value());
  };
  EXPECT_TRUE(contains("10.0.0.0/8", "10.255.0.1"));
  EXPECT_FALSE(contains("10.0.0.0/8", "11.0.0.0"));
  EXPECT_TRUE(contains("10.16.0.0/12", "10.31.255.255"));
  EXPECT_FALSE(contains("10.16.0.0/12", "10.32.0.0"));
  EXPECT_TRUE(contains("0.0.0.0/0", "255.255.255.255"));
  EXPECT_FALSE(contains("0.0.0.0/0", "::1"));
  EXPECT_TRUE(contains("::/0", "2001:db8::1"));
  EXPECT_FALSE(contains("::/0", "10.0.0.1"));
  EXPECT_TRUE(contains("10.0.0.1", "10.0.0.1"));
  EXPECT_FALSE(contains("10.0.0.1", "10.0.0.2"));
  EXPECT_TRUE(contains("10.0.0.1/31", "10.0.0.0"));
  EXPECT_TRUE(contains("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
  EXPECT_TRUE(contains("::1/128", "::1"));
  // IPv4 in either form, on either side.
  EXPECT_TRUE(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
  EXPECT_FALSE(contains("10.0.0.0/8", "::ffff:11.1.2.3"));
  EXPECT_TRUE(contains("::ffff:10.0.0.0/104", "10.1.2.3"));
  EXPECT_FALSE(contains("::ffff:10.0.0.0/104", "11.1.2.3"));
  EXPECT_TRUE(contains("::ffff:0.0.0.0/96", "1.1.1.1"));
  EXPECT_FALSE(Cidr::Parse("0.0.0.0/0")->Contains(Parse("unix:/a")));
  EXPECT_FALSE(Cidr::Parse("0.0.0.0/0")->Contains(Address()));
}

TEST(Cidr, TextHasZerosBehindThePrefix) {
  EXPECT_EQ(Cidr::Parse("10.1.2.3/8")->ToString(), "10.0.0.0/8");
  EXPECT_EQ(Cidr::Parse("10.255.255.255/9")->ToString(), "10.128.0.0/9");
  EXPECT_EQ(Cidr::Parse("2001:db8:ffff::1/36")->ToString(), "2001:db8:f000::/36");
  EXPECT_EQ(Cidr::Parse("10.0.0.1")->ToString(), "10.0.0.1/32");
  EXPECT_EQ(Cidr::Parse("10.0.0.1/8").value(), Cidr::Parse("10.9.9.9/8").value());
}

TEST(Cidr, RefusesWhatIsNone) {
  for (const std::string_view text :
       {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8 ", "10.0.0.0/0008",
        "10.0.0/8", "::/129", "fe80::%lo/64", "example.com/8", "10.0.0.0/8/8"}) {
    EXPECT_FALSE(Cidr::Parse(text)) << text;
  }
}

}  // namespace
}  // namespace sluice
