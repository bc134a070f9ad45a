#include "core/net/proxy_protocol.h"

#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string>

#include "core/base/strings.h"

namespace sluice {
namespace {

using Status = ProxyHeaderResult::Status;

constexpr std::string_view kV1Prefix = "PROXY ";
constexpr size_t kV1Most = 107;
constexpr std::string_view kV2Signature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr size_t kV2Fixed = 16;
constexpr size_t kUnixPath = 108;
constexpr unsigned char kTypeCrc32c = 0x03;
constexpr unsigned char kLocal = 0x20;
constexpr unsigned char kProxy = 0x21;
constexpr unsigned char kUnspecified = 0x00;
constexpr unsigned char kTcp4 = 0x11;
constexpr unsigned char kTcp6 = 0x21;
constexpr unsigned char kUnixStream = 0x31;

ProxyHeaderResult Wrong(std::string_view detail) {
  return {.status = Status::kError, .size = 0, .detail = detail};
}

// Do `bytes` and `prefix` agree as far as both go?
bool AgreesWith(std::string_view bytes, std::string_view prefix) {
  const size_t common = std::min(bytes.size(), prefix.size());
  return bytes.substr(0, common) == prefix.substr(0, common);
}

// ---- version 1 ---------------------------------------------------------------------------------

// The text before the next space, which is taken away with it.
std::string_view NextWord(std::string_view& line) {
  const size_t space = line.find(' ');
  const std::string_view word = line.substr(0, space);
  line.remove_prefix(space == std::string_view::npos ? line.size() : space + 1);
  return word;
}

std::optional<uint16_t> ParsePort(std::string_view text) {
  if (text.size() > 5 || (text.size() > 1 && text[0] == '0')) return {};
  const std::optional<uint64_t> port = ParseDecimal(text);
  if (!port || *port > 65535) return {};
  return static_cast<uint16_t>(*port);
}

bool ParseV1Addresses(std::string_view line, Address::Family family, ProxyHeader& header) {
  const std::string_view source = NextWord(line);
  const std::string_view destination = NextWord(line);
  const std::optional<uint16_t> source_port = ParsePort(NextWord(line));
  const std::optional<uint16_t> destination_port = ParsePort(line);  // a further space is no digit
  if (!source_port || !destination_port || source.find('%') != std::string_view::npos ||
      destination.find('%') != std::string_view::npos) {
    return false;
  }
  std::optional<Address> from = Address::ParseIp(source, *source_port);
  std::optional<Address> to = Address::ParseIp(destination, *destination_port);
  if (!from || !to || from->family() != family || to->family() != family) return false;
  header.source = std::move(*from);
  header.destination = std::move(*to);
  return true;
}

ProxyHeaderResult ParseV1(std::string_view bytes, ProxyHeader& header) {
  const std::string_view head = bytes.substr(0, kV1Most);
  const size_t end = head.find_first_of("\r\n");
  if (end == std::string_view::npos || (end + 1 == head.size() && head[end] == '\r')) {
    if (head.size() == kV1Most) return Wrong("PROXY line too long");
    return {};
  }
  if (head.substr(end, 2) != "\r\n") return Wrong("PROXY line not ended by CRLF");
  std::string_view line = head.substr(0, end);
  line.remove_prefix(kV1Prefix.size());
  const std::string_view protocol = NextWord(line);
  header = {};
  if (protocol == "TCP4" || protocol == "TCP6") {
    const bool v4 = protocol == "TCP4";
    if (!ParseV1Addresses(line, v4 ? Address::Family::kIpv4 : Address::Family::kIpv6, header)) {
      return Wrong("PROXY line with a wrong address");
    }
  } else if (protocol != "UNKNOWN") {  // behind which anything may stand
    return Wrong("PROXY line with a wrong protocol");
  }
  return {.status = Status::kDone, .size = end + 2, .detail = {}};
}

// ---- version 2 ---------------------------------------------------------------------------------

size_t Read16(std::string_view bytes) {
  return static_cast<size_t>(static_cast<unsigned char>(bytes[0])) << 8 |
         static_cast<unsigned char>(bytes[1]);
}

// CRC-32C (RFC 9260, appendix A), reflected, a byte at a time: headers are short.
constexpr std::array<uint32_t, 256> MakeCrcTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78U : 0);
    table[i] = crc;
  }
  return table;
}
constexpr std::array<uint32_t, 256> kCrcTable = MakeCrcTable();

uint32_t UpdateCrc(uint32_t crc, std::string_view bytes) {
  for (const char c : bytes) {
    crc = (crc >> 8) ^ kCrcTable[(crc ^ static_cast<unsigned char>(c)) & 0xff];
  }
  return crc;
}

// Of a whole header in which the four bytes at `place`, the CRC itself, count as zero.
uint32_t HeaderCrc(std::string_view header, size_t place) {
  uint32_t crc = UpdateCrc(0xffffffff, header.substr(0, place));
  crc = UpdateCrc(crc, std::string_view("\0\0\0\0", 4));
  return ~UpdateCrc(crc, header.substr(place + 4));
}

// Reads the extensions from `place` to the header's end; returns what is wrong.
std::string_view CheckExtensions(std::string_view header, size_t place) {
  bool crc_seen = false;
  while (place < header.size()) {
    if (header.size() - place < 3) return "PROXY extension cut short";
    const unsigned char type = static_cast<unsigned char>(header[place]);
    const size_t size = Read16(header.substr(place + 1));
    place += 3;
    if (size > header.size() - place) return "PROXY extension cut short";
    if (type == kTypeCrc32c) {
      if (size != 4 || crc_seen) return "PROXY checksum malformed";
      crc_seen = true;
      const uint32_t said = static_cast<uint32_t>(Read16(header.substr(place)) << 16 |
                                                  Read16(header.substr(place + 2)));
      if (said != HeaderCrc(header, place)) return "PROXY checksum wrong";
    }
    place += size;
  }
  return {};
}

// A path that ends at its first zero, or an abstract name, which begins with one and is padded with
// them.
Address ReadUnix(std::string_view path) {
  const size_t last = path.find_last_not_of('\0');
  path = path.substr(0, last == std::string_view::npos ? 0 : last + 1);
  std::string name(path);
  if (path.starts_with('\0')) {
    name[0] = '@';
  } else {
    name.resize(std::min(name.find('\0'), name.size()));
  }
  return Address::Unix(name).value_or(Address::Unix("").value_or(Address()));
}

ProxyHeaderResult ParseV2(std::string_view bytes, ProxyHeader& header) {
  if (bytes.size() < kV2Fixed) return {};
  const unsigned char version_command = static_cast<unsigned char>(bytes[12]);
  if (version_command != kLocal && version_command != kProxy) {
    return Wrong("PROXY version or command unknown");
  }
  const size_t size = kV2Fixed + Read16(bytes.substr(14));
  if (size > kMaxProxyHeader) return Wrong("PROXY header too long");
  // What follows the fixed part of LOCAL and UNSPEC has no shape, and is skipped.
  const unsigned char family =
      version_command == kLocal ? kUnspecified : static_cast<unsigned char>(bytes[13]);
  size_t addresses = 0;
  switch (family) {
    case kUnspecified:
      break;
    case kTcp4:
      addresses = 12;
      break;
    case kTcp6:
      addresses = 36;
      break;
    case kUnixStream:
      addresses = 2 * kUnixPath;
      break;
    default:
      return Wrong("PROXY family or protocol not taken here");
  }
  if (size < kV2Fixed + addresses) return Wrong("PROXY addresses cut short");
  if (bytes.size() < size) return {};
  const std::string_view whole = bytes.substr(0, size);
  const char* data = bytes.data() + kV2Fixed;
  const std::string_view ports = whole.substr(kV2Fixed + addresses - (addresses == 0 ? 0 : 4));
  header = {};
  if (family != kUnspecified) {
    if (const std::string_view wrong = CheckExtensions(whole, kV2Fixed + addresses);
        !wrong.empty()) {
      return Wrong(wrong);
    }
  }
  if (family == kTcp4) {
    header.source = Address::Ipv4(data, static_cast<uint16_t>(Read16(ports)));
    header.destination = Address::Ipv4(data + 4, static_cast<uint16_t>(Read16(ports.substr(2))));
  } else if (family == kTcp6) {
    header.source = Address::Ipv6(data, static_cast<uint16_t>(Read16(ports)));
    header.destination = Address::Ipv6(data + 16, static_cast<uint16_t>(Read16(ports.substr(2))));
  } else if (family == kUnixStream) {
    header.source = ReadUnix({data, kUnixPath});
    header.destination = ReadUnix({data + kUnixPath, kUnixPath});
  }
  return {.status = Status::kDone, .size = size, .detail = {}};
}

// ---- writing -----------------------------------------------------------------------------------

char* Append(char* out, std::string_view text) { return out + text.copy(out, text.size()); }

char* Append16(char* out, size_t value) {
  *out++ = static_cast<char>(value >> 8 & 0xff);
  *out++ = static_cast<char>(value & 0xff);
  return out;
}

// An IPv4 address in the form of IPv6, for a pair of both kinds.
Address Mapped(const Address& address) {
  if (address.family() != Address::Family::kIpv4) return address;
  unsigned char bytes[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  std::memcpy(bytes + 12, address.ip_bytes().data(), 4);
  return Address::Ipv6(bytes, address.port());
}

char* AppendUnixPath(char* out, const Address& address) {
  const std::string_view name = address.unix_name();
  std::memset(out, 0, kUnixPath);
  Append(out, name.substr(0, kUnixPath));
  if (name.starts_with('@')) *out = '\0';
  return out + kUnixPath;
}

// Without the interface, which means nothing on another machine.
char* AppendIp(char* out, const Address& address) {
  if (address.family() == Address::Family::kIpv6) {
    return Address::Ipv6(address.ip_bytes().data(), 0).WriteIp(out);
  }
  return address.WriteIp(out);
}

}  // namespace

ProxyHeaderResult ParseProxyHeader(std::string_view bytes, ProxyHeader& header) {
  if (bytes.empty()) return {};
  const std::string_view begin = bytes[0] == kV1Prefix[0] ? kV1Prefix : kV2Signature;
  if (!AgreesWith(bytes, begin)) return {.status = Status::kAbsent, .size = 0, .detail = {}};
  if (bytes.size() < begin.size()) return {};
  return bytes[0] == kV1Prefix[0] ? ParseV1(bytes, header) : ParseV2(bytes, header);
}

size_t WriteProxyHeaderV1(const Address& source, const Address& destination, char* out) {
  char* const begin = out;
  if (!source.is_ip() || !destination.is_ip()) {
    return static_cast<size_t>(Append(out, "PROXY UNKNOWN\r\n") - begin);
  }
  const bool v4 =
      source.family() == Address::Family::kIpv4 && destination.family() == Address::Family::kIpv4;
  out = Append(out, v4 ? "PROXY TCP4 " : "PROXY TCP6 ");
  out = AppendIp(out, v4 ? source : Mapped(source));
  *out++ = ' ';
  out = AppendIp(out, v4 ? destination : Mapped(destination));
  *out++ = ' ';
  out = Append(out, Decimal(source.port()));
  *out++ = ' ';
  out = Append(out, Decimal(destination.port()));
  return static_cast<size_t>(Append(out, "\r\n") - begin);
}

size_t WriteProxyHeaderV2(const Address& source, const Address& destination, char* out) {
  char* const begin = out;
  const bool ip = source.is_ip() && destination.is_ip();
  const bool unix_names = source.is_unix() && destination.is_unix();
  const bool v4 =
      source.family() == Address::Family::kIpv4 && destination.family() == Address::Family::kIpv4;
  constexpr size_t kCrc = 7;
  out = Append(out, kV2Signature);
  if (!ip && !unix_names) {
    out = Append(out, std::string_view("\x20\0\0\0", 4));
    return static_cast<size_t>(out - begin);
  }
  *out++ = static_cast<char>(kProxy);
  *out++ = static_cast<char>(v4 ? kTcp4 : ip ? kTcp6 : kUnixStream);
  out = Append16(out, kCrc + (v4 ? size_t{12} : ip ? 36 : 2 * kUnixPath));
  if (ip) {
    const Address from = v4 ? source : Mapped(source);
    const Address to = v4 ? destination : Mapped(destination);
    out = Append(out, from.ip_bytes());
    out = Append(out, to.ip_bytes());
    out = Append16(out, source.port());
    out = Append16(out, destination.port());
  } else {
    out = AppendUnixPath(out, source);
    out = AppendUnixPath(out, destination);
  }
  *out++ = static_cast<char>(kTypeCrc32c);
  out = Append16(out, 4);
  const size_t place = static_cast<size_t>(out - begin);
  const uint32_t crc = HeaderCrc({begin, place + 4}, place);
  out = Append16(out, crc >> 16);
  out = Append16(out, crc & 0xffff);
  return static_cast<size_t>(out - begin);
}

}  // namespace sluice
