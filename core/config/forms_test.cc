#include "core/config/forms.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sluice {
namespace {

struct Case {
  config::Form form;
  std::vector<std::string> right;
  std::vector<std::string> wrong;
};

TEST(Forms, RightAndWrong) {
  const std::string long_label(64, 'a');
  const std::string long_path = "unix:/" + std::string(120, 'a');
  const std::vector<Case> cases = {
      {config::TEXT, {"", "anything at all"}, {}},
      {config::NAME, {"web", "a.b-c_1"}, {"", "a b", "a/b", "\"", std::string(129, 'a')}},
      {config::LISTEN,
       {"127.0.0.1:8080", "0.0.0.0:0", "[::1]:80", "[::]:65535", "unix:/run/x", "unix:@x"},
       {"", "8080", ":8080", "localhost:80", "127.0.0.1", "127.0.0.1:65536", "::1:80", "[::1]",
        "[127.0.0.1]:80", "127.0.0.1:-1", "127.0.0.1:", "unix:", "unix:/", "unix:@", "unix:x",
        long_path, "127.0.0.256:80", std::string("1.2.3.4\0:80", 11)}},
      {config::ENDPOINT,
       {"127.0.0.1:80", "api.internal:80", "api:1", "a_b:80", "api.:80", "unix:/run/x"},
       {"api", "api:0", "127.0.0.1:0", "a b:80", "127.0.0.300:80", "1234:80", "-:x", "a..b:80",
        long_label + ":80", "http://api:80"}},
      {config::SERVER,
       {"10.0.0.1", "::1", "10.0.0.1:53", "[::1]:53"},
       {"dns", "dns:53", "10.0.0.1:0"}},
      {config::CIDR,
       {"10.0.0.0/8", "192.0.2.1", "fd00::/8", "::/0", "0.0.0.0/0"},
       {"10.0.0.0/33", "10/8", "::/129", "10.0.0.0/", "10.0.0.0/a", "host"}},
      {config::REGEX, {"^/a.*$", ""}, {"(", "a**", "(?=a)"}},
      {config::DOMAIN,
       {"a.example.com", "*.example.com", "www.*", "*", "localhost", "127.0.0.1", "[::1]"},
       {"", "*.", ".*", "a*b", "*.*", "a.com:80", "a b", "[127.0.0.1]", "http://a"}},
      {config::HEADER_NAME, {"x-a", "X_B"}, {"", "x a", "x:", "\xc3\xa9"}},
      {config::HEADER_VALUE,
       {"", "a b\tc", "\xc3\xa9"},
       {"a\r\nb: c", std::string("\0", 1), "\x7f"}},
      {config::TOKEN, {"GET", "x!"}, {"", "a b", "a\"b"}},
      {config::PATH, {"/", "/a%20b"}, {"", "a", "/a b", "/a\n"}},
      {config::FILE, {"a", "/dev/stdout"}, {"", std::string("a\0b", 3)}},
      {config::HOST,
       {"a.com", "a.com:80", "10.0.0.1", "[::1]:80"},
       {"", "*.a.com", "a b", "unix:/x"}},
  };
  for (const Case& c : cases) {
    for (const std::string& text : c.right) {
      EXPECT_EQ(CheckForm(c.form, text), "") << config::Form_Name(c.form);
    }
    for (const std::string& text : c.wrong) {
      EXPECT_NE(CheckForm(c.form, text), "") << config::Form_Name(c.form) << " " << text;
    }
  }
}

TEST(Forms, MessageNamesWhatIsDue) {
  EXPECT_EQ(CheckForm(config::CIDR, "x"),
            "expected an address range such as 10.0.0.0/8, got \"x\"");
  EXPECT_EQ(CheckForm(config::REGEX, "("), "bad regex \"(\": missing ): (");
}

TEST(Forms, SplitsAddresses) {
  const auto v4 = SplitAddress("127.0.0.1:80");
  ASSERT_TRUE(v4);
  EXPECT_EQ(v4->host, "127.0.0.1");
  EXPECT_EQ(v4->port, 80);
  EXPECT_TRUE(v4->is_ip);
  const auto v6 = SplitAddress("[::1]:81");
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->host, "::1");
  EXPECT_EQ(v6->port, 81);
  const auto name = SplitAddress("api:82");
  ASSERT_TRUE(name);
  EXPECT_FALSE(name->is_ip);
  const auto path = SplitAddress("unix:/run/a:b");
  ASSERT_TRUE(path);
  EXPECT_EQ(path->path, "/run/a:b");
  EXPECT_EQ(path->host, "");
}

}  // namespace
}  // namespace sluice
