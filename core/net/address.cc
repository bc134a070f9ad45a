#include "core/net/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <cstddef>

#include "core/base/check.h"
#include "core/base/strings.h"

namespace sluice {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";
constexpr unsigned char kMappedPrefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
// With the zero behind a path, and with the zero before an abstract name.
constexpr size_t kMaxUnixName = sizeof(sockaddr_un::sun_path) - 1;

char* Append(char* out, std::string_view text) { return out + text.copy(out, text.size()); }

char* AppendDecimal(char* out, uint32_t value) { return std::to_chars(out, out + 10, value).ptr; }

std::optional<uint16_t> ParsePort(std::string_view text) {
  const std::optional<uint64_t> port = ParseDecimal(text);
  if (!port || *port > 65535 || text.size() > 5) return {};
  return static_cast<uint16_t>(*port);
}

Error Invalid(std::string_view text, std::string_view why) {
  return Error{.code = Code::kInvalidArgument,
               .detail = StrCat({"\"", text, "\" is not an address: ", why})};
}

}  // namespace

Result<Address> Address::Parse(std::string_view text) {
  if (text.starts_with(kUnixPrefix)) {
    if (text.size() == kUnixPrefix.size()) return Fail(Invalid(text, "the path is missing"));
    return Unix(text.substr(kUnixPrefix.size()));
  }
  const Result<HostPort> parts = SplitHostPort(text);
  if (!parts) return Fail(parts.error());
  const bool brackets = text.front() == '[';
  std::optional<Address> address = ParseIp(parts->host, parts->port);
  if (!address) {
    return Fail(Invalid(text,
                        "expected an IP address such as 127.0.0.1:80 or [::1]:80, or "
                        "unix:/path"));
  }
  if (brackets != (address->family_ == Family::kIpv6)) {
    return Fail(
        Invalid(text, brackets ? "brackets are for IPv6 only" : "IPv6 takes brackets: [::1]:80"));
  }
  return std::move(*address);
}

std::optional<Address> Address::ParseIp(std::string_view ip, uint16_t port) {
  char text[kMaxIpText];
  if (ip.size() >= sizeof(text) || ip.find('\0') != std::string_view::npos) return {};
  *Append(text, ip) = '\0';
  unsigned char bytes[16];
  if (ip.find(':') == std::string_view::npos) {
    if (inet_pton(AF_INET, text, bytes) != 1) return {};
    return Ipv4(bytes, port);
  }
  uint32_t scope = 0;
  if (char* percent = std::strchr(text, '%')) {
    *percent = '\0';
    const std::string_view name = percent + 1;
    if (const std::optional<uint64_t> number = ParseDecimal(name)) {
      if (*number == 0 || *number > UINT32_MAX) return {};
      scope = static_cast<uint32_t>(*number);
    } else {
      scope = if_nametoindex(percent + 1);
      if (scope == 0) return {};
    }
  }
  if (inet_pton(AF_INET6, text, bytes) != 1) return {};
  return Ipv6(bytes, port, scope);
}

Result<Address> Address::Unix(std::string_view name) {
  if (name.size() > kMaxUnixName) return Fail(Invalid(name, "a unix path has at most 107 bytes"));
  if (name == "@") return Fail(Invalid(name, "the name behind @ is missing"));
  if (name.find('\0') != std::string_view::npos) return Fail(Invalid(name, "it has a zero byte"));
  Address address;
  address.family_ = Family::kUnix;
  address.SetUnixName(name);
  return address;
}

Address Address::Ipv4(const void* four_bytes, uint16_t port) {
  Address address;
  std::memcpy(address.bytes_, four_bytes, 4);
  address.port_ = port;
  address.family_ = Family::kIpv4;
  return address;
}

Address Address::Ipv6(const void* sixteen_bytes, uint16_t port, uint32_t scope) {
  Address address;
  std::memcpy(address.bytes_, sixteen_bytes, 16);
  address.scope_ = scope;
  address.port_ = port;
  address.family_ = Family::kIpv6;
  return address;
}

Address Address::FromSockaddr(const sockaddr* address, socklen_t size) {
  if (size < sizeof(sa_family_t)) return {};
  if (address->sa_family == AF_INET && size >= sizeof(sockaddr_in)) {
    sockaddr_in in;
    std::memcpy(&in, address, sizeof(in));
    return Ipv4(&in.sin_addr, ntohs(in.sin_port));
  }
  if (address->sa_family == AF_INET6 && size >= sizeof(sockaddr_in6)) {
    sockaddr_in6 in6;
    std::memcpy(&in6, address, sizeof(in6));
    return Ipv6(&in6.sin6_addr, ntohs(in6.sin6_port), in6.sin6_scope_id);
  }
  if (address->sa_family == AF_UNIX) {
    constexpr size_t kPath = offsetof(sockaddr_un, sun_path);
    Address result;
    result.family_ = Family::kUnix;
    if (size <= kPath) {
      result.SetUnixName({});
      return result;
    }
    // A path may fill the array without a zero (unix(7)); an abstract name is all that there is.
    const char* path = reinterpret_cast<const char*>(address) + kPath;
    const std::string_view all(path, size - kPath);
    if (all.front() == '\0') {
      result.SetUnixName(StrCat({"@", all.substr(1)}));
    } else {
      result.SetUnixName(all.substr(0, all.find('\0')));
    }
    return result;
  }
  return {};
}

std::string_view Address::unix_name() const {
  if (family_ != Family::kUnix) return {};
  const char* block = unix_block();
  if (block == nullptr) return {};
  return {block + 1, static_cast<unsigned char>(block[0])};
}

void Address::SetUnixName(std::string_view name) {
  char* block = nullptr;
  if (!name.empty()) {
    CHECK(name.size() <= 255);
    block = new char[name.size() + 1];
    block[0] = static_cast<char>(name.size());
    std::memcpy(block + 1, name.data(), name.size());
  }
  std::memcpy(bytes_, &block, sizeof(block));
}

void Address::CopyFrom(const Address& other) {
  std::memcpy(bytes_, other.bytes_, sizeof(bytes_));
  scope_ = other.scope_;
  port_ = other.port_;
  family_ = other.family_;
  if (family_ == Family::kUnix) [[unlikely]]
    SetUnixName(other.unix_name());
}

bool Address::is_loopback() const {
  const Address plain = Unmapped();
  if (plain.family_ == Family::kIpv4) return plain.bytes_[0] == 127;
  static constexpr unsigned char kLoopback[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return plain.family_ == Family::kIpv6 && std::memcmp(plain.bytes_, kLoopback, 16) == 0;
}

bool Address::is_any() const {
  static constexpr unsigned char kZeros[16] = {};
  return is_ip() && std::memcmp(bytes_, kZeros, ip_bytes().size()) == 0;
}

Address Address::Unmapped() const {
  if (family_ == Family::kIpv6 && std::memcmp(bytes_, kMappedPrefix, 12) == 0) {
    return Ipv4(bytes_ + 12, port_);
  }
  return *this;
}

socklen_t Address::ToSockaddr(sockaddr_storage& out) const {
  std::memset(&out, 0, sizeof(out));
  switch (family_) {
    case Family::kIpv4: {
      sockaddr_in in{};
      in.sin_family = AF_INET;
      in.sin_port = htons(port_);
      std::memcpy(&in.sin_addr, bytes_, 4);
      std::memcpy(&out, &in, sizeof(in));
      return sizeof(in);
    }
    case Family::kIpv6: {
      sockaddr_in6 in6{};
      in6.sin6_family = AF_INET6;
      in6.sin6_port = htons(port_);
      in6.sin6_scope_id = scope_;
      std::memcpy(&in6.sin6_addr, bytes_, 16);
      std::memcpy(&out, &in6, sizeof(in6));
      return sizeof(in6);
    }
    case Family::kUnix: {
      const std::string_view name = unix_name();
      constexpr size_t kPath = offsetof(sockaddr_un, sun_path);
      const size_t size = std::min(name.size(), sizeof(sockaddr_un::sun_path));
      char* path = reinterpret_cast<char*>(&out) + kPath;
      out.ss_family = AF_UNIX;
      name.copy(path, size);
      if (name.starts_with('@')) {
        path[0] = '\0';
        return static_cast<socklen_t>(kPath + size);
      }
      // The zero behind it, where there is room.
      const bool zero = size > 0 && size < sizeof(sockaddr_un::sun_path);
      return static_cast<socklen_t>(kPath + size + (zero ? 1 : 0));
    }
    case Family::kNone:
      break;
  }
  return 0;
}

char* Address::WriteIp(char* out) const {
  switch (family_) {
    case Family::kIpv4:
      for (int i = 0; i < 4; ++i) {
        if (i > 0) *out++ = '.';
        out = AppendDecimal(out, bytes_[i]);
      }
      return out;
    case Family::kIpv6:
      inet_ntop(AF_INET6, bytes_, out, INET6_ADDRSTRLEN);
      out += std::strlen(out);
      if (scope_ != 0) {
        *out++ = '%';
        char name[IF_NAMESIZE];
        out = if_indextoname(scope_, name) != nullptr ? Append(out, name)
                                                      : AppendDecimal(out, scope_);
      }
      return out;
    case Family::kUnix:
      // A client names its socket as it likes; what is written may end up in a header or a log.
      out = Append(out, kUnixPrefix);
      for (const char c : unix_name()) {
        *out++ = static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
      }
      return out;
    case Family::kNone:
      break;
  }
  return out;
}

char* Address::WriteText(char* out) const {
  if (family_ == Family::kIpv6) *out++ = '[';
  out = WriteIp(out);
  if (family_ == Family::kIpv6) *out++ = ']';
  if (!is_ip()) return out;
  *out++ = ':';
  return AppendDecimal(out, port_);
}

std::string Address::ToString() const {
  char text[kMaxText];
  return std::string(text, WriteText(text));
}

std::string Address::IpString() const {
  char text[kMaxText];
  return std::string(text, WriteIp(text));
}

bool operator==(const Address& a, const Address& b) {
  if (a.family_ != b.family_ || a.port_ != b.port_) return false;
  if (a.family_ == Address::Family::kUnix) return a.unix_name() == b.unix_name();
  return a.family_ == Address::Family::kNone ||
         (a.scope_ == b.scope_ && a.ip_bytes() == b.ip_bytes());
}

size_t Address::Hash() const {
  const std::string_view bytes = is_ip() ? ip_bytes() : unix_name();
  return std::hash<std::string_view>()(bytes) * 31 + port_ * size_t{0x9e3779b97f4a7c15} +
         static_cast<size_t>(family_);
}

Result<HostPort> SplitHostPort(std::string_view text) {
  HostPort parts;
  std::string_view port;
  if (text.starts_with('[')) {
    const size_t close = text.find(']');
    if (close == std::string_view::npos) return Fail(Invalid(text, "the ] is missing"));
    parts.host = text.substr(1, close - 1);
    port = text.substr(close + 1);
  } else {
    const size_t colon = text.find(':');
    parts.host = text.substr(0, colon);
    port = colon == std::string_view::npos ? std::string_view() : text.substr(colon);
    if (port.find(':', 1) != std::string_view::npos) {
      return Fail(Invalid(text, "IPv6 takes brackets: [::1]:80"));
    }
  }
  if (parts.host.empty()) return Fail(Invalid(text, "the host is missing"));
  if (!port.starts_with(':')) return Fail(Invalid(text, "the port is missing"));
  const std::optional<uint16_t> number = ParsePort(port.substr(1));
  if (!number) return Fail(Invalid(text, "the port is not a number up to 65535"));
  parts.port = *number;
  return parts;
}

}  // namespace sluice
