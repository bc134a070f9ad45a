#include "core/net/proxy_protocol.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sluice {
namespace {

using Status = ProxyHeaderResult::Status;

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::string_view kTcp4Block("\x0a\x00\x00\x01\x0a\x00\x00\x02\x1f\x90\x00\x50", 12);

std::string V2(unsigned char version_command, unsigned char family, std::string_view rest) {
  std::string bytes(kSignature);
  bytes += static_cast<char>(version_command);
  bytes += static_cast<char>(family);
  bytes += static_cast<char>(rest.size() >> 8);
  bytes += static_cast<char>(rest.size() & 0xff);
  return bytes += rest;
}

std::string Written(size_t (*write)(const Address&, const Address&, char*), std::string_view source,
                    std::string_view destination) {
  char out[kMaxWrittenProxyHeader];
  const auto parse = [](std::string_view text) {
    if (text == "unnamed") return Address::Unix("").value();
    return text.empty() ? Address() : Address::Parse(text).value();
  };
  return std::string(out, write(parse(source), parse(destination), out));
}

// The result of the whole; what its pieces give must agree: each prefix wants more (or is known to
// be wrong already), and what follows a header does not matter.
ProxyHeaderResult Parse(std::string_view bytes, ProxyHeader* out = nullptr) {
  ProxyHeader header;
  const ProxyHeaderResult result = ParseProxyHeader(bytes, header);
  for (size_t size = 0; size < bytes.size(); ++size) {
    const std::vector<char> piece(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size));
    ProxyHeader ignored;
    const Status status = ParseProxyHeader({piece.data(), size}, ignored).status;
    if (result.status == Status::kDone) {
      EXPECT_EQ(status, size < result.size ? Status::kNeedMore : Status::kDone) << size;
    } else {
      EXPECT_TRUE(status == Status::kNeedMore || status == result.status) << size;
    }
  }
  if (result.status == Status::kDone) {
    ProxyHeader again;
    const std::string longer = std::string(bytes) + "GET / HTTP/1.1\r\n";
    EXPECT_EQ(ParseProxyHeader(longer, again).size, result.size);
    EXPECT_EQ(again.source, header.source);
    EXPECT_EQ(again.destination, header.destination);
  }
  if (out != nullptr) *out = header;
  return result;
}

void ExpectTells(std::string_view bytes, std::string_view source, std::string_view destination) {
  ProxyHeader header;
  const ProxyHeaderResult result = Parse(bytes, &header);
  ASSERT_EQ(result.status, Status::kDone) << bytes << ": " << result.detail;
  EXPECT_EQ(result.size, bytes.size());
  EXPECT_EQ(header.source.ToString(), source);
  EXPECT_EQ(header.destination.ToString(), destination);
}

void ExpectWrong(std::string_view bytes, std::string_view detail) {
  const ProxyHeaderResult result = Parse(bytes);
  EXPECT_EQ(result.status, Status::kError) << bytes;
  EXPECT_EQ(result.detail, detail) << bytes;
}

TEST(ProxyProtocolV1, TellsAddresses) {
  ExpectTells("PROXY TCP4 10.0.0.1 10.0.0.2 8080 80\r\n", "10.0.0.1:8080", "10.0.0.2:80");
  ExpectTells("PROXY TCP6 2001:db8::1 ::1 65535 0\r\n", "[2001:db8::1]:65535", "[::1]:0");
  const std::string v6 = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
  ExpectTells("PROXY TCP6 " + v6 + " " + v6 + " 65535 65535\r\n", "[" + v6 + "]:65535",
              "[" + v6 + "]:65535");
}

TEST(ProxyProtocolV1, UnknownTellsNothing) {
  ExpectTells("PROXY UNKNOWN\r\n", "", "");
  ExpectTells("PROXY UNKNOWN ffff::1 what ever\r\n", "", "");
  ExpectTells("PROXY UNKNOWN " + std::string(107 - 16, 'x') + "\r\n", "", "");
}

TEST(ProxyProtocolV1, RefusesWhatIsNotExact) {
  for (const std::string_view line :
       {"PROXY TCP4 10.0.0.1 10.0.0.2 8080\r\n", "PROXY TCP4 10.0.0.1 10.0.0.2 8080 80 \r\n",
        "PROXY TCP4 10.0.0.1 10.0.0.2 8080 80 1\r\n", "PROXY TCP4  10.0.0.1 10.0.0.2 8080 80\r\n",
        "PROXY TCP4 10.0.0.1 10.0.0.2 08080 80\r\n", "PROXY TCP4 10.0.0.1 10.0.0.2 65536 80\r\n",
        "PROXY TCP4 10.0.0.1 10.0.0.2 +80 80\r\n", "PROXY TCP4 10.0.0.1 10.0.0.2 -1 80\r\n",
        "PROXY TCP4 10.0.0.256 10.0.0.2 8080 80\r\n", "PROXY TCP4 010.0.0.1 10.0.0.2 8080 80\r\n",
        "PROXY TCP4 ::1 ::1 8080 80\r\n", "PROXY TCP6 10.0.0.1 10.0.0.2 8080 80\r\n",
        "PROXY TCP6 ::1 10.0.0.2 8080 80\r\n", "PROXY TCP6 fe80::1%1 ::1 8080 80\r\n",
        "PROXY TCP4 a b 1 2\r\n", "PROXY TCP4\r\n", "PROXY TCP4 \r\n"}) {
    ExpectWrong(line, "PROXY line with a wrong address");
  }
  for (const std::string_view line :
       {"PROXY TCP5 10.0.0.1 10.0.0.2 8080 80\r\n", "PROXY tcp4 10.0.0.1 10.0.0.2 8080 80\r\n",
        "PROXY  TCP4 10.0.0.1 10.0.0.2 8080 80\r\n", "PROXY \r\n", "PROXY UNKNOWNS\r\n",
        "PROXY UDP4 10.0.0.1 10.0.0.2 8080 80\r\n"}) {
    ExpectWrong(line, "PROXY line with a wrong protocol");
  }
  ExpectWrong("PROXY UNKNOWN\n", "PROXY line not ended by CRLF");
  ExpectWrong("PROXY UNKNOWN\r\r\n", "PROXY line not ended by CRLF");
  ExpectWrong("PROXY UNKNOWN " + std::string(107 - 15, 'x') + "\r\n", "PROXY line too long");
  ExpectWrong("PROXY " + std::string(200, 'x'), "PROXY line too long");
}

TEST(ProxyProtocol, OtherBytesAreNoHeader) {
  for (const std::string_view bytes :
       {"GET / HTTP/1.1\r\n", "POST / HTTP/1.1\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "PROXYX",
        "proxy TCP4", "\r\nGET / HTTP/1.1\r\n", "\r\n\r\nx", "\x16\x03\x01\x02"}) {
    EXPECT_EQ(Parse(bytes).status, Status::kAbsent) << bytes;
  }
  EXPECT_EQ(Parse("").status, Status::kNeedMore);
  EXPECT_EQ(Parse("PROX").status, Status::kNeedMore);
  EXPECT_EQ(Parse("\r\n\r\n").status, Status::kNeedMore);
}

TEST(ProxyProtocolV2, TellsAddresses) {
  ExpectTells(V2(0x21, 0x11, kTcp4Block), "10.0.0.1:8080", "10.0.0.2:80");
  std::string v6(36, '\0');
  v6[15] = 1;
  v6[16] = 0x20;
  v6[31] = 2;
  v6[33] = 9;
  v6[34] = 1;
  ExpectTells(V2(0x21, 0x21, v6), "[::1]:9", "[2000::2]:256");
  std::string unix_paths(216, '\0');
  unix_paths.replace(0, 6, "/a.soc");
  unix_paths.replace(108, 3, std::string_view("\0bc", 3));
  ExpectTells(V2(0x21, 0x31, unix_paths), "unix:/a.soc", "unix:@bc");
  // Paths that do not fit a socket address count as no name.
  ExpectTells(V2(0x21, 0x31, std::string(216, 'x')), "unix:", "unix:");
}

TEST(ProxyProtocolV2, LocalAndUnspecifiedTellNothing) {
  ExpectTells(V2(0x20, 0x00, ""), "", "");
  ExpectTells(V2(0x20, 0x11, kTcp4Block), "", "");
  ExpectTells(V2(0x20, 0xff, "skipped whatever it is"), "", "");
  ExpectTells(V2(0x21, 0x00, ""), "", "");
  ExpectTells(V2(0x21, 0x00, "skipped"), "", "");
}

TEST(ProxyProtocolV2, SkipsExtensions) {
  const std::string block(kTcp4Block);
  ExpectTells(V2(0x21, 0x11,
                 block + std::string("\x02\x00\x03"
                                     "abc\x20\x00\x00",
                                     9)),
              "10.0.0.1:8080", "10.0.0.2:80");
  const std::string filler = block + std::string("\x04\x0f\xe1", 3) + std::string(0xfe1, 'x');
  ASSERT_EQ(filler.size(), kMaxProxyHeader - 16);
  ExpectTells(V2(0x21, 0x11, filler), "10.0.0.1:8080", "10.0.0.2:80");
}

TEST(ProxyProtocolV2, RefusesWhatIsNotExact) {
  const std::string block(kTcp4Block);
  ExpectWrong(V2(0x11, 0x11, block), "PROXY version or command unknown");
  ExpectWrong(V2(0x22, 0x11, block), "PROXY version or command unknown");
  ExpectWrong(V2(0x21, 0x12, block), "PROXY family or protocol not taken here");  // datagrams
  ExpectWrong(V2(0x21, 0x10, block), "PROXY family or protocol not taken here");
  ExpectWrong(V2(0x21, 0x41, block), "PROXY family or protocol not taken here");
  ExpectWrong(V2(0x21, 0x11, block.substr(0, 11)), "PROXY addresses cut short");
  ExpectWrong(V2(0x21, 0x21, std::string(35, 'x')), "PROXY addresses cut short");
  ExpectWrong(V2(0x21, 0x31, std::string(215, 'x')), "PROXY addresses cut short");
  ExpectWrong(V2(0x21, 0x11, block + "\x02"), "PROXY extension cut short");
  ExpectWrong(V2(0x21, 0x11, block + std::string("\x02\x00", 2)), "PROXY extension cut short");
  ExpectWrong(V2(0x21, 0x11, block + std::string("\x02\x00\x02x", 4)), "PROXY extension cut short");
  ExpectWrong(V2(0x21, 0x11, block + std::string("\x03\x00\x03xyz", 6)),
              "PROXY checksum malformed");
  ExpectWrong(V2(0x21, 0x11, std::string(kMaxProxyHeader - 15, 'x')), "PROXY header too long");
  ExpectWrong(V2(0x20, 0x00, std::string(kMaxProxyHeader - 15, 'x')), "PROXY header too long");
}

TEST(ProxyProtocolV2, ChecksTheChecksum) {
  const std::string good = Written(WriteProxyHeaderV2, "10.0.0.1:8080", "10.0.0.2:80");
  ASSERT_EQ(good.size(), 16u + 12 + 7);
  // Computed apart from this code, bit by bit, over the header with a checksum of zeros.
  EXPECT_EQ(good.substr(28), std::string("\x03\x00\x04", 3) + "\x13\x0d\x75\x6f");
  for (size_t i = 16; i < good.size(); ++i) {
    if (i >= 28 && i < 31) continue;  // the extension's own type and length
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x01);
    ExpectWrong(bad, "PROXY checksum wrong");
  }
}

TEST(ProxyProtocol, WritesVersion1) {
  EXPECT_EQ(Written(WriteProxyHeaderV1, "10.0.0.1:8080", "10.0.0.2:80"),
            "PROXY TCP4 10.0.0.1 10.0.0.2 8080 80\r\n");
  EXPECT_EQ(Written(WriteProxyHeaderV1, "[2001:db8::1]:8080", "[::1]:80"),
            "PROXY TCP6 2001:db8::1 ::1 8080 80\r\n");
  EXPECT_EQ(Written(WriteProxyHeaderV1, "10.0.0.1:8080", "[::1]:80"),
            "PROXY TCP6 ::ffff:10.0.0.1 ::1 8080 80\r\n");
  EXPECT_EQ(Written(WriteProxyHeaderV1, "[fe80::1%lo]:8080", "[::1]:80"),
            "PROXY TCP6 fe80::1 ::1 8080 80\r\n");
  EXPECT_EQ(Written(WriteProxyHeaderV1, "unix:/a", "unix:/b"), "PROXY UNKNOWN\r\n");
  EXPECT_EQ(Written(WriteProxyHeaderV1, "", "10.0.0.2:80"), "PROXY UNKNOWN\r\n");
}

TEST(ProxyProtocol, WrittenHeadersAreRead) {
  const std::pair<std::string_view, std::string_view> pairs[] = {
      {"10.0.0.1:8080", "10.0.0.2:80"},
      {"255.255.255.255:65535", "0.0.0.0:0"},
      {"[2001:db8::1]:8080", "[::1]:80"},
      {"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
       "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"}};
  for (const auto& pair : pairs) {
    ExpectTells(Written(WriteProxyHeaderV1, pair.first, pair.second), pair.first, pair.second);
    ExpectTells(Written(WriteProxyHeaderV2, pair.first, pair.second), pair.first, pair.second);
  }
  ExpectTells(Written(WriteProxyHeaderV2, "10.0.0.1:1", "[::1]:2"), "[::ffff:10.0.0.1]:1",
              "[::1]:2");
  const std::string longest = "unix:/" + std::string(106, 'p');
  ExpectTells(Written(WriteProxyHeaderV2, longest, "unix:@b"), longest, "unix:@b");
  ExpectTells(Written(WriteProxyHeaderV2, "unix:/a", "unnamed"), "unix:/a", "unix:");
  EXPECT_EQ(Written(WriteProxyHeaderV2, longest, longest).size(), kMaxWrittenProxyHeader);
  ExpectTells(Written(WriteProxyHeaderV2, "", ""), "", "");
  ExpectTells(Written(WriteProxyHeaderV2, "unix:/a", "10.0.0.1:1"), "", "");
}

}  // namespace
}  // namespace sluice
