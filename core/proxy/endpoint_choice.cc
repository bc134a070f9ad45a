#include "core/proxy/endpoint_choice.h"

#include <string>

#include "core/base/arena.h"
#include "core/base/random.h"
#include "core/base/strings.h"
#include "core/config/route_entry.h"
#include "core/config/route_strings.h"
#include "core/config/route_values.h"
#include "core/filter/stream_info.h"
#include "core/http/message.h"
#include "core/proxy/head_route_input.h"

namespace sluice {
namespace {

void AddCookie(ResponseHead& head, std::string_view name, std::string_view value, Nanos ttl,
               std::string_view path, bool secure) {
  std::string line = StrCat({name, "=", value, "; Path=", path, "; HttpOnly"});
  if (secure) line += "; Secure";
  if (ttl > 0) {
    line += StrCat({"; Max-Age=", Decimal(static_cast<uint64_t>((ttl + kSecond - 1) / kSecond))});
  }
  head.headers.Add(HeaderId::kSetCookie, line);
}

}  // namespace

WorkerEndpoint* EndpointChoice::Pick(WorkerCluster& cluster, const RequestHead& head,
                                     const StreamInfo& info, Random& random) {
  const BalanceSettings& settings = cluster.settings().balance;
  if (!read_ && (settings.hashes() || !settings.session.cookie.empty())) {
    ReadRequest(cluster, head, info, random);
  }
  EndpointWish wish;
  if (!tried_.empty()) wish.tried = &tried_;
  wish.hash = hash_;
  if (info.route != nullptr && !fallback_) {
    wish.subset = info.route->subset();
    const RouteRetries* const retries = info.route->retries();
    wish.other_priority = retries != nullptr && retries->other_priority;
  }
  wish.session = session_;
  wish.address = info.wanted_endpoint;
  return cluster.Pick(wish);
}

void EndpointChoice::ReadRequest(const WorkerCluster& cluster, const RequestHead& head,
                                 const StreamInfo& info, Random& random) {
  read_ = true;
  const BalanceSettings& settings = cluster.settings().balance;
  const HeadRouteInput input(head, info.client_ip);
  if (!settings.session.cookie.empty()) {
    session_ = FindCookie(input, settings.session.cookie).value_or(std::string_view());
  }
  if (!settings.hashes()) return;
  const bool own = info.route != nullptr && !info.route->hash().empty();
  const HashKeys::Found found = (own ? info.route->hash() : settings.hash).Find(input);
  if (found.give == nullptr) {
    hash_ = found.hash;
    return;
  }
  given_ = found.give;
  char value[36];
  WriteUuid4(random, value);
  given_value_ = info.arena().Copy({value, sizeof(value)});
  hash_ = RouteHash(given_value_);
}

void EndpointChoice::AddCookies(const WorkerCluster& cluster, const WorkerEndpoint& endpoint,
                                const StreamInfo& info, ResponseHead& head) const {
  const bool secure = info.connection().tls;
  if (given_ != nullptr) {
    AddCookie(head, given_->source.name(), given_value_, given_->ttl, given_->path, secure);
  }
  const SessionSettings& session = cluster.settings().balance.session;
  if (!session.cookie.empty() && session_ != endpoint.session) {
    AddCookie(head, session.cookie, endpoint.session, session.ttl, session.path, secure);
  }
}

}  // namespace sluice
