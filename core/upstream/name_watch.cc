#include "core/upstream/name_watch.h"

#include <algorithm>
#include <utility>

#include "core/base/log.h"
#include "core/base/strings.h"

namespace sluice {
namespace {

bool Before(const Address& a, const Address& b) {
  if (a.family() != b.family()) return a.family() < b.family();
  return a.ip_bytes() < b.ip_bytes();
}

}  // namespace

NameWatch::NameWatch(Loop& loop, NameResolver& resolver, const DiscoverySettings& settings,
                     DiscoveryStats& stats, std::string name, Callback changed)
    : resolver_(resolver),
      settings_(settings),
      stats_(stats),
      name_(std::move(name)),
      changed_(changed),
      timer_(loop, Callback::To<&NameWatch::Ask>(this)) {}

void NameWatch::Ask() {
  query_ = resolver_.Resolve(name_, settings_.family,
                             [this](Result<ResolvedName> answer) { OnAnswer(std::move(answer)); });
}

void NameWatch::OnAnswer(Result<ResolvedName> answer) {
  bool changed = !std::exchange(answered_, true);
  if (answer) {
    changed |= Take(std::move(answer->addresses), answer->ttl);
  } else {
    Keep(answer.error());
  }
  if (changed) changed_();
}

bool NameWatch::Take(std::vector<Address> addresses, Nanos ttl) {
  stats_.dns_answers.Inc();
  if (std::exchange(retry_, 0) > 0) {
    Log(LogLevel::kInfo, "dns", StrCat({name_, " is resolved again"}));
  }
  timer_.Start(settings_.refresh > 0 ? settings_.refresh : std::clamp(ttl, kMinTtl, kMaxTtl));
  for (Address& address : addresses) address.set_port(0);
  std::sort(addresses.begin(), addresses.end(), Before);
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
  if (addresses == addresses_) return false;
  addresses_ = std::move(addresses);
  return true;
}

void NameWatch::Keep(const Error& error) {
  stats_.dns_failures.Inc();
  if (retry_ == 0) {
    Log(LogLevel::kWarning, "dns",
        StrCat({error.detail, addresses_.empty() ? "; it has no addresses yet, trying on"
                                                 : "; keeping its last addresses, trying on"}));
  }
  retry_ = retry_ == 0 ? kMinRetry : std::min(2 * retry_, kMaxRetry);
  timer_.Start(retry_);
}

}  // namespace sluice
