#include "core/net/dns.h"

#include <ares.h>
#include <poll.h>

#include <algorithm>
#include <utility>

#include "core/base/strings.h"

namespace sluice {
namespace {

Error DnsError(std::string_view host, int status) {
  Code code = Code::kUnavailable;
  std::string_view what = ares_strerror(status);
  switch (status) {
    case ARES_ENOTFOUND:
      code = Code::kNotFound;
      what = "there is no such name";
      break;
    case ARES_ENODATA:
      code = Code::kNotFound;
      what = "the name has no such address";
      break;
    case ARES_ETIMEOUT:
      code = Code::kTimeout;
      what = "the name servers did not answer in time";
      break;
    case ARES_EBADNAME:
      code = Code::kInvalidArgument;
      what = "this is not a host's name";
      break;
    case ARES_ENOMEM:
      code = Code::kExhausted;
      break;
    default:
      break;
  }
  return Error{.code = code,
               .side = Side::kUpstream,
               .retry = Retry::kSafe,
               .detail = StrCat({"resolve ", host, ": ", what})};
}

// The addresses of c-ares's answer that `family` wants, each once.
DnsAnswer ReadAnswer(const ares_addrinfo& info, uint16_t port, DnsFamily family) {
  DnsAnswer answer;
  // An alias's TTL counts too: behind it there may be another name by then.
  int alias_ttl = INT32_MAX;
  for (const ares_addrinfo_cname* alias = info.cnames; alias != nullptr; alias = alias->next) {
    alias_ttl = std::min(alias_ttl, alias->ttl);
  }
  for (const ares_addrinfo_node* node = info.nodes; node != nullptr; node = node->ai_next) {
    DnsAddress found;
    found.address = Address::FromSockaddr(node->ai_addr, static_cast<socklen_t>(node->ai_addrlen));
    if (!found.address.is_ip()) continue;
    found.address.set_port(port);
    // RFC 2181 8: a TTL with the highest bit set is zero.
    found.ttl = Nanos{std::max(0, std::min(node->ai_ttl, alias_ttl))} * kSecond;
    const auto same = std::find_if(answer.begin(), answer.end(), [&found](const DnsAddress& other) {
      return other.address == found.address;
    });
    if (same == answer.end()) answer.push_back(std::move(found));
  }
  if (family == DnsFamily::kAuto) {
    const auto is_v6 = [](const DnsAddress& a) {
      return a.address.family() == Address::Family::kIpv6;
    };
    if (std::any_of(answer.begin(), answer.end(), is_v6)) {
      std::erase_if(answer, [&is_v6](const DnsAddress& a) { return !is_v6(a); });
    }
  }
  return answer;
}

bool Wants(DnsFamily family, const Address& address) {
  if (family == DnsFamily::kV4) return address.family() == Address::Family::kIpv4;
  if (family == DnsFamily::kV6) return address.family() == Address::Family::kIpv6;
  return true;
}

}  // namespace

// ---- Resolver ----------------------------------------------------------------------------------

// A socket of c-ares. The loop says edges, and c-ares reads a TCP answer in pieces without looking
// for the end: poll() says what is left to do. Retired when c-ares closes it, since that happens
// inside Pump.
class Resolver::Socket final : public Retirable, private FdWatch::Handler {
 public:
  Socket(Resolver& resolver, int fd)
      : resolver_(resolver),
        fd_(fd),
        watch_(resolver.loop_, *this),
        pump_(Callback::To<&Socket::Pump>(this)) {
    // When epoll is out of memory the query is lost, and c-ares asks again after its timeout.
    (void)watch_.Start(fd, true);
  }

  void Want(bool read, bool write) {
    // What became true before it was wanted has no edge any more.
    if ((read && !read_) || (write && !write_)) resolver_.loop_.Defer(pump_);
    read_ = read;
    write_ = write;
  }
  // c-ares closes the fd.
  void Stop() {
    watch_.Stop();
    pump_.Cancel();
    read_ = write_ = false;
  }

 private:
  static constexpr int kMostAtOnce = 64;

  void OnReady(uint32_t) override { Pump(); }

  void Pump() {
    for (int i = 0; i < kMostAtOnce; ++i) {
      if (!read_ && !write_) return;
      const int wanted = (read_ ? POLLIN : 0) | (write_ ? POLLOUT : 0);
      pollfd ready{.fd = fd_, .events = static_cast<short>(wanted), .revents = 0};
      if (poll(&ready, 1, 0) <= 0) return;
      const bool writable = (ready.revents & POLLOUT) != 0;
      const bool readable = (ready.revents & ~POLLOUT) != 0;
      resolver_.Process(readable ? fd_ : ARES_SOCKET_BAD, writable ? fd_ : ARES_SOCKET_BAD);
    }
    resolver_.loop_.DeferToNextTurn(pump_);
  }

  Resolver& resolver_;
  const int fd_;
  bool read_ = false;
  bool write_ = false;
  FdWatch watch_;
  Task pump_;
};

Result<std::unique_ptr<Resolver>> Resolver::Create(Loop& loop, const DnsOptions& options) {
  std::unique_ptr<Resolver> resolver(new Resolver(loop, options.timeout));
  SLUICE_TRY(resolver->Init(options));
  return resolver;
}

Resolver::Resolver(Loop& loop, Nanos timeout)
    : loop_(loop), timeout_(timeout), timer_(loop, Callback::To<&Resolver::OnTimer>(this)) {}

Result<void> Resolver::Init(const DnsOptions& options) {
  static const int kLibrary = ares_library_init(ARES_LIB_INIT_ALL);
  const auto fail = [](std::string_view what, int status) {
    return Fail(Code::kInternal, StrCat({"dns: ", what, ": ", ares_strerror(status)}));
  };
  if (kLibrary != ARES_SUCCESS) return fail("start c-ares", kLibrary);
  // Each of the three tries waits twice as long as the one before: together the whole timeout, with
  // one server; with more of them DnsQuery's own timer ends it.
  constexpr int kTries = 3;
  char lookups[] = "fb";  // the hosts file first
  ares_options settings{};
  settings.timeout = static_cast<int>(std::clamp<Nanos>(timeout_ / 7 / kMillisecond, 1, 60'000));
  settings.tries = kTries;
  settings.lookups = lookups;
  settings.sock_state_cb = [](void* self, ares_socket_t fd, int read, int write) {
    static_cast<Resolver*>(self)->OnSocketState(fd, read != 0, write != 0);
  };
  settings.sock_state_cb_data = this;
  const int given = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB;
  if (const int status = ares_init_options(&channel_, &settings, given); status != ARES_SUCCESS) {
    channel_ = nullptr;
    return fail("start c-ares", status);
  }
  std::string servers;
  for (const Address& server : options.servers) {
    Address with_port = server;
    if (with_port.port() == 0) with_port.set_port(53);
    if (!servers.empty()) servers += ',';
    servers += with_port.ToString();
  }
  if (servers.empty()) return {};
  const int status = ares_set_servers_ports_csv(channel_, servers.c_str());
  if (status != ARES_SUCCESS) return fail(StrCat({"name servers ", servers}), status);
  return {};
}

Resolver::~Resolver() {
  if (channel_ != nullptr) ares_destroy(channel_);
}

void Resolver::OnSocketState(int fd, bool read, bool write) {
  std::unique_ptr<Socket>& socket = sockets_[fd];
  if (read || write) {
    if (socket == nullptr) socket = std::make_unique<Socket>(*this, fd);
    socket->Want(read, write);
    return;
  }
  if (socket != nullptr) {
    socket->Stop();
    loop_.Retire(std::move(socket));
  }
  sockets_.erase(fd);
}

void Resolver::Process(int readable_fd, int writable_fd) {
  ares_process_fd(channel_, readable_fd, writable_fd);
  ArmTimer();
}

void Resolver::ArmTimer() {
  timeval wait;
  if (ares_timeout(channel_, nullptr, &wait) == nullptr) {
    timer_.Cancel();
    return;
  }
  // c-ares has a clock of its own; a millisecond at least, lest both disagree in a circle.
  timer_.Start(
      std::max(Nanos{wait.tv_sec} * kSecond + Nanos{wait.tv_usec} * kMicrosecond, kMillisecond));
}

void Resolver::OnTimer() { Process(ARES_SOCKET_BAD, ARES_SOCKET_BAD); }

// ---- DnsQuery ----------------------------------------------------------------------------------

// What c-ares knows of a query. It cannot cancel a single one: a query that is gone leaves this
// behind, without itself.
struct DnsQuery::Lookup {
  DnsQuery* query;

  static void OnAnswer(void* argument, int status, int, ares_addrinfo* info) {
    const std::unique_ptr<Lookup> lookup(static_cast<Lookup*>(argument));
    const std::unique_ptr<ares_addrinfo, decltype(&ares_freeaddrinfo)> owned(info,
                                                                             &ares_freeaddrinfo);
    DnsQuery* query = lookup->query;
    if (query == nullptr) return;
    query->lookup_ = nullptr;
    if (status != ARES_SUCCESS || info == nullptr) {
      query->Answer(Fail(DnsError(query->host_, status)));
      return;
    }
    DnsAnswer answer = ReadAnswer(*info, query->port_, query->family_);
    if (answer.empty()) {
      query->Answer(Fail(DnsError(query->host_, ARES_ENODATA)));
    } else {
      query->Answer(std::move(answer));
    }
  }
};

void DnsQuery::Start(std::string_view host, uint16_t port, DnsFamily family) {
  Cancel();
  host_ = host;
  port_ = port;
  family_ = family;
  if (std::optional<Address> ip = Address::ParseIp(host, port)) {
    if (!Wants(family, *ip)) {
      Answer(Fail(DnsError(host_, ARES_ENODATA)));
    } else {
      Answer(DnsAnswer{{.address = std::move(*ip), .ttl = DnsAddress::kForever}});
    }
    return;
  }
  if (host_.empty() || host_.size() > 254 || host_.find('\0') != std::string::npos) {
    Answer(Fail(DnsError(host_, ARES_EBADNAME)));
    return;
  }
  timeout_.Start(resolver_.timeout_);
  lookup_ = new Lookup{this};
  ares_addrinfo_hints hints{};
  hints.ai_flags = ARES_AI_NOSORT;  // sorting would connect a socket to each address
  hints.ai_family = family == DnsFamily::kV4   ? AF_INET
                    : family == DnsFamily::kV6 ? AF_INET6
                                               : AF_UNSPEC;
  // May call back at once; Answer defers.
  ares_getaddrinfo(resolver_.channel_, host_.c_str(), nullptr, &hints, &Lookup::OnAnswer, lookup_);
  resolver_.ArmTimer();
}

void DnsQuery::Cancel() {
  if (lookup_ != nullptr) std::exchange(lookup_, nullptr)->query = nullptr;
  answered_.Cancel();
  timeout_.Cancel();
}

void DnsQuery::Answer(Result<DnsAnswer> result) {
  timeout_.Cancel();
  result_ = std::move(result);
  resolver_.loop_.Defer(answered_);
}

void DnsQuery::OnTimeout() {
  if (lookup_ != nullptr) std::exchange(lookup_, nullptr)->query = nullptr;
  result_ = Fail(DnsError(host_, ARES_ETIMEOUT));
  callback_();
}

}  // namespace sluice
