// Resolver: names to addresses, through c-ares on a loop: the hosts file, then the name servers.
// DnsQuery: one question, a member of whoever waits. On the main thread only; the request path
// meets addresses, never names.
#ifndef SLUICE_CORE_NET_DNS_H_
#define SLUICE_CORE_NET_DNS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/event/callback.h"
#include "core/event/loop.h"
#include "core/event/timer.h"
#include "core/net/address.h"

extern "C" {
struct ares_channeldata;
}

namespace sluice {

enum class DnsFamily : uint8_t {
  kAuto,  // IPv6 addresses if there are any, IPv4 else
  kV4,
  kV6,
  kAll,
};

struct DnsAddress {
  Address address;
  // How long it may be used; 0 if nobody says (the hosts file). For an IP address: kForever.
  Nanos ttl = 0;

  static constexpr Nanos kForever = INT64_MAX;
};
using DnsAnswer = std::vector<DnsAddress>;

struct DnsOptions {
  std::vector<Address> servers;  // empty: those of /etc/resolv.conf; port 0 stands for 53
  Nanos timeout = 5 * kSecond;   // of a query, repetitions included
};

class Resolver {
 public:
  // `loop` outlives the resolver, which outlives its queries.
  static Result<std::unique_ptr<Resolver>> Create(Loop& loop, const DnsOptions& options);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

 private:
  friend class DnsQuery;
  class Socket;

  Resolver(Loop& loop, Nanos timeout);
  Result<void> Init(const DnsOptions& options);
  // c-ares wants to know when `fd` can be read or written; neither: it is about to be closed.
  void OnSocketState(int fd, bool read, bool write);
  void Process(int readable_fd, int writable_fd);
  void ArmTimer();
  void OnTimer();

  Loop& loop_;
  const Nanos timeout_;
  Timer timer_;  // when c-ares has to repeat or give up something
  std::unordered_map<int, std::unique_ptr<Socket>> sockets_;
  ares_channeldata* channel_ = nullptr;
};

class DnsQuery {
 public:
  DnsQuery(Resolver& resolver, Callback callback)
      : resolver_(resolver),
        callback_(callback),
        answered_(Callback::To<&DnsQuery::OnAnswered>(this)),
        timeout_(resolver.loop_, Callback::To<&DnsQuery::OnTimeout>(this)) {}
  DnsQuery(const DnsQuery&) = delete;
  DnsQuery& operator=(const DnsQuery&) = delete;
  ~DnsQuery() { Cancel(); }

  // Asks for the addresses of `host`, a name or an IP address without brackets, and gives them
  // `port`. The callback follows once, never within this call. In place of what was asked before.
  void Start(std::string_view host, uint16_t port, DnsFamily family);
  void Cancel();
  bool pending() const { return lookup_ != nullptr || answered_.pending(); }

  // In the callback and after it, until the next Start: at least one address, each once, in the
  // server's order; or kNotFound (no such name, or no address of that family), kTimeout,
  // kInvalidArgument (not a name), kUnavailable (the servers failed).
  const Result<DnsAnswer>& result() const { return result_; }

 private:
  struct Lookup;

  void Answer(Result<DnsAnswer> result);
  void OnAnswered() { callback_(); }
  void OnTimeout();

  Resolver& resolver_;
  Callback callback_;
  Task answered_;
  Timer timeout_;
  std::string host_;
  uint16_t port_ = 0;
  DnsFamily family_ = DnsFamily::kAuto;
  Lookup* lookup_ = nullptr;  // c-ares's until it calls back
  Result<DnsAnswer> result_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_NET_DNS_H_
