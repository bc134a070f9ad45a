#include "core/proxy/route_fallbacks.h"

#include <algorithm>
#include <utility>

#include "core/base/strings.h"
#include "core/config/header_changes.pb.h"
#include "core/config/route.pb.h"

namespace sluice {
namespace {

constexpr uint32_t BitOf(FailReason reason) { return uint32_t{1} << static_cast<uint32_t>(reason); }

// Those that are meant when nothing is written.
constexpr uint32_t kEveryFailure = BitOf(FailReason::kBreakerOpen) |
                                   BitOf(FailReason::kNoEndpoint) | BitOf(FailReason::kTimeout) |
                                   BitOf(FailReason::kFailure) | BitOf(FailReason::kLimit);

// Of a media type (RFC 6838 4.2.8).
bool IsJson(std::string_view content_type) {
  const std::string type = LowerAscii(TrimBlanks(content_type.substr(0, content_type.find(';'))));
  return type == "application/json" || type == "text/json" || type.ends_with("+json");
}

}  // namespace

RouteFallbacks::Entry RouteFallbacks::CompileEntry(const config::Fallback& config,
                                                   std::vector<Error>& errors) {
  Entry entry;
  for (const int reason : config.on()) entry.reasons |= uint32_t{1} << reason;
  for (const uint32_t status : config.statuses()) {
    entry.statuses.push_back(static_cast<uint16_t>(status));
  }
  if (!entry.statuses.empty()) entry.reasons |= BitOf(FailReason::kStatus);
  if ((entry.reasons & BitOf(FailReason::kStatus)) != 0 && entry.statuses.empty()) {
    errors.push_back(Error{.code = Code::kInvalidArgument,
                           .detail = "on: status stands here without `statuses`"});
  }
  if (entry.reasons == 0) entry.reasons = kEveryFailure;
  if (config.action_case() == config::Fallback::kCluster) return entry;
  const config::FallbackRespond& respond = config.respond();
  entry.status = static_cast<uint16_t>(respond.status());
  entry.content_type = respond.content_type();
  if (IsJson(entry.content_type)) entry.escape = VariableEscape::kJson;
  if (!respond.body().empty()) {
    Result<VariableText> body = VariableText::Compile(respond.body());
    if (body) {
      entry.body = std::move(*body);
    } else {
      errors.push_back(Error{.code = Code::kInvalidArgument,
                             .detail = StrCat({"respond.body: ", body.error().detail})});
    }
  }
  config::HeaderChanges changes;
  *changes.mutable_set() = respond.headers();
  Result<HeaderChanges> headers = HeaderChanges::Compile(changes);
  if (headers) {
    entry.headers = std::move(*headers);
  } else {
    errors.push_back(Error{.code = Code::kInvalidArgument,
                           .detail = StrCat({"respond.headers: ", headers.error().detail})});
  }
  return entry;
}

Result<RouteFallbacks> RouteFallbacks::Compile(const config::Route& route,
                                               const ClusterIndex& cluster_index) {
  RouteFallbacks fallbacks;
  for (const config::Fallback& config : route.fallbacks()) {
    std::vector<Error> errors;
    Entry entry = CompileEntry(config, errors);
    if (!errors.empty()) {
      return Fail(Code::kInvalidArgument,
                  StrCat({"fallbacks[", Decimal(fallbacks.size()), "].", errors.front().detail}));
    }
    if (config.action_case() == config::Fallback::kCluster) {
      entry.cluster = cluster_index(config.cluster());
      fallbacks.asks_clusters_ = true;
    }
    fallbacks.looks_at_statuses_ |= !entry.statuses.empty();
    fallbacks.entries_.push_back(std::move(entry));
  }
  return fallbacks;
}

std::vector<Error> RouteFallbacks::FindFaults(const config::Fallback& config) {
  std::vector<Error> errors;
  (void)CompileEntry(config, errors);
  return errors;
}

size_t RouteFallbacks::Find(size_t from, FailReason reason, uint16_t status) const {
  for (size_t i = from; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    if ((entry.reasons & BitOf(reason)) == 0) continue;
    if (reason != FailReason::kStatus ||
        std::find(entry.statuses.begin(), entry.statuses.end(), status) != entry.statuses.end()) {
      return i;
    }
  }
  return entries_.size();
}

LocalReply RouteFallbacks::Entry::Reply(const StreamInfo& info) const {
  LocalReply reply;
  reply.status = status;
  reply.content_type = content_type;
  headers.RenderTo(reply.headers, info);
  // An answer of the product's own, as `respond` is.
  reply.unmapped = true;
  if (body) {
    VariableWriter text;
    body->WriteTo(text, info, escape);
    reply.body = text.view();
  }
  return reply;
}

}  // namespace sluice
