#include "core/config/route_compiler.h"

#include <string>
#include <utility>

#include "core/base/strings.h"
#include "core/config/config.pb.h"
#include "core/config/labels.h"
#include "core/config/route_conditions.h"
#include "core/config/route_hosts.h"
#include "core/config/route_matcher.h"
#include "core/config/route_strings.h"

namespace sluice {
namespace {

// The error, with the place where it happened before what it says.
tl::unexpected<Error> FailAt(std::string_view place, Error error) {
  error.detail = StrCat({place, error.detail});
  return Fail(std::move(error));
}

std::string Element(std::string_view field, size_t index) {
  return StrCat({field, "[", Decimal(index), "]."});
}

// The levels of header changes that `message` and those before it make.
template <typename Message>
void AddHeaders(const Message& message, RouteHeaders& headers) {
  if (message.has_request_headers()) headers.request.push_back(&message.request_headers());
  if (message.has_response_headers()) headers.response.push_back(&message.response_headers());
}

// The path change of a rewrite or a redirect, which spell it the same way.
template <typename Message>
Result<RoutePathChange> CompilePathChange(const Message& message, const config::Match& match) {
  if (message.path_change_case() == Message::kPrefix) {
    return RoutePathChange::Prefix(match, message.prefix());
  }
  if (message.path_change_case() == Message::kRegex) return RoutePathChange::Regex(message.regex());
  return RoutePathChange();
}

}  // namespace

Result<std::unique_ptr<const RouteTable>> RouteCompiler::Run() {
  table_.reset(new RouteTable);
  table_->clusters_ = std::make_unique<RouteStrings>();
  for (int i = 0; i < config_.clusters_size(); ++i) {
    if (!table_->clusters_->Insert(config_.clusters(i).name(), static_cast<uint32_t>(i))) {
      return Fail(Code::kInvalidArgument,
                  StrCat({Element("clusters", static_cast<size_t>(i)), "name: \"",
                          config_.clusters(i).name(), "\" is there already"}));
    }
  }
  if (listener_.hosts().empty()) {
    SLUICE_TRY(AddHost(nullptr, "*", listener_.routes()));
  } else {
    if (!listener_.routes().empty()) {
      return Fail(Code::kInvalidArgument, "routes: stands beside hosts; one of them, not both");
    }
    table_->domains_ = std::make_unique<RouteHosts>();
    for (int i = 0; i < listener_.hosts_size(); ++i) {
      const config::Host& host = listener_.hosts(i);
      std::string_view name = host.name();
      if (name.empty() && !host.domains().empty()) name = host.domains(0);
      const auto index = static_cast<uint32_t>(i);
      auto result = AddDomains(host, index);
      if (result) result = AddHost(&host, name, host.routes());
      if (!result) return FailAt(Element("hosts", index), std::move(result).error());
    }
  }
  return std::unique_ptr<const RouteTable>(std::move(table_));
}

Result<void> RouteCompiler::AddDomains(const config::Host& message, uint32_t index) {
  for (int i = 0; i < message.domains_size(); ++i) {
    if (table_->domains_->Add(message.domains(i), index)) continue;
    return Fail(Code::kInvalidArgument,
                StrCat({"domains[", Decimal(static_cast<size_t>(i)), "]: \"", message.domains(i),
                        "\" is there already"}));
  }
  return {};
}

Result<void> RouteCompiler::AddHost(const config::Host* message, std::string_view name,
                                    const Routes& routes) {
  auto& host = *table_->hosts_.emplace_back(new VirtualHost);
  host.index_ = static_cast<uint32_t>(table_->hosts_.size() - 1);
  host.name_ = name;
  host.config_ = message;
  host.routes_.reserve(static_cast<size_t>(routes.size()));
  RouteMatcher::Builder matcher(config_);
  for (const config::Route& each : routes) {
    const std::string place = Element("routes", host.routes_.size());
    if (auto added = matcher.Add(each.match()); !added) {
      return FailAt(place + "match.", std::move(added).error());
    }
    auto route = CompileRoute(each, host);
    if (!route) return FailAt(place, std::move(route).error());
    host.routes_.push_back(std::move(*route));
  }
  host.matcher_ = std::move(matcher).Finish();
  return {};
}

Result<Route> RouteCompiler::CompileRoute(const config::Route& message, const VirtualHost& host) {
  Route route;
  route.name_ = message.name();
  route.index_ = static_cast<uint32_t>(table_->route_count_++);
  route.host_ = &host;
  route.config_ = &message;
  route.clusters_ = table_->clusters_.get();
  SLUICE_TRY(SetAction(message, route));
  SLUICE_TRY(SetRewrite(message, route));
  SLUICE_TRY(SetMirror(message, route));
  SetHeaders(message, route);
  SLUICE_TRY(SetRetries(message, route));
  SetTerms(message, route);
  return route;
}

Result<void> RouteCompiler::SetAction(const config::Route& message, Route& route) {
  switch (message.action_case()) {
    case config::Route::kCluster: {
      const auto index = FindCluster("cluster", message.cluster());
      if (!index) return Fail(index.error());
      route.action_ = Route::Action::kCluster;
      route.cluster_ = message.cluster();
      route.cluster_index_ = *index;
      return {};
    }
    case config::Route::kClusterHeader:
      route.action_ = Route::Action::kClusterHeader;
      route.cluster_header_ = message.cluster_header();
      return {};
    case config::Route::kWeightedClusters:
      route.action_ = Route::Action::kWeightedClusters;
      return SetWeights(message.weighted_clusters(), route);
    case config::Route::kRedirect:
      route.action_ = Route::Action::kRedirect;
      return SetRedirect(message, route);
    case config::Route::kRespond: {
      const config::Respond& respond = message.respond();
      route.action_ = Route::Action::kRespond;
      route.respond_ = std::make_unique<RouteRespond>();
      route.respond_->status = static_cast<uint16_t>(respond.status());
      route.respond_->body = respond.body();
      route.respond_->content_type = respond.content_type();
      return {};
    }
    case config::Route::ACTION_NOT_SET:
      break;
  }
  return Fail(Code::kInvalidArgument,
              "action: cluster, cluster_header, weighted_clusters, redirect or respond is missing");
}

Result<void> RouteCompiler::SetWeights(const config::WeightedClusters& message, Route& route) {
  uint64_t sum = 0;
  for (const config::WeightedCluster& each : message.clusters()) {
    const std::string place = Element("weighted_clusters.clusters", route.choices_.size());
    const auto index = FindCluster(place + "name", each.name());
    if (!index) return Fail(index.error());
    sum += each.weight();
    route.choices_.push_back({each.name(), *index, sum});
  }
  if (sum == 0) {
    return Fail(Code::kInvalidArgument, "weighted_clusters.clusters: no cluster has a weight");
  }
  if (message.has_sticky()) route.sticky_ = HashSource(message.sticky());
  return {};
}

Result<void> RouteCompiler::SetRedirect(const config::Route& message, Route& route) {
  const config::Redirect& redirect = message.redirect();
  auto compiled = std::make_unique<RouteRedirect>();
  compiled->status_ = static_cast<uint16_t>(redirect.status());
  compiled->port_ = static_cast<uint16_t>(redirect.port());
  compiled->strip_query_ = redirect.strip_query();
  compiled->scheme_ = LowerAscii(redirect.scheme());
  compiled->host_ = redirect.host();
  if (redirect.path_change_case() == config::Redirect::kPath) {
    compiled->path_ = redirect.path();
  } else {
    auto change = CompilePathChange(redirect, message.match());
    if (!change) return FailAt("redirect.", std::move(change).error());
    compiled->change_ = std::move(*change);
  }
  route.redirect_ = std::move(compiled);
  return {};
}

Result<void> RouteCompiler::SetRewrite(const config::Route& message, Route& route) {
  if (!message.has_rewrite()) return {};
  auto change = CompilePathChange(message.rewrite(), message.match());
  if (!change) return FailAt("rewrite.", std::move(change).error());
  route.rewrite_ = std::make_unique<RouteRewrite>();
  route.rewrite_->host_ = message.rewrite().host();
  route.rewrite_->change_ = std::move(*change);
  return {};
}

Result<void> RouteCompiler::SetMirror(const config::Route& message, Route& route) {
  if (!message.has_mirror()) return {};
  const config::Mirror& mirror = message.mirror();
  const auto index = FindCluster("mirror.cluster", mirror.cluster());
  if (!index) return Fail(index.error());
  route.mirror_ = std::make_unique<RouteMirror>();
  route.mirror_->cluster = mirror.cluster();
  route.mirror_->cluster_index = *index;
  if (mirror.has_fraction()) route.mirror_->fraction = CompileFraction(mirror.fraction(), config_);
  return {};
}

void RouteCompiler::SetHeaders(const config::Route& message, Route& route) {
  RouteHeaders outer;
  AddHeaders(message, outer);
  if (route.host_->config() != nullptr) AddHeaders(*route.host_->config(), outer);
  AddHeaders(listener_, outer);
  if (route.action_ != Route::Action::kWeightedClusters) {
    route.headers_.push_back(std::move(outer));
    return;
  }
  for (const config::WeightedCluster& each : message.weighted_clusters().clusters()) {
    RouteHeaders headers;
    AddHeaders(each, headers);
    headers.request.insert(headers.request.end(), outer.request.begin(), outer.request.end());
    headers.response.insert(headers.response.end(), outer.response.begin(), outer.response.end());
    route.headers_.push_back(std::move(headers));
  }
}

Result<void> RouteCompiler::SetRetries(const config::Route& message, Route& route) {
  if (!message.has_retries()) return {};
  auto retries = RouteRetries::Compile(message.retries());
  if (!retries) return FailAt("retries.", std::move(retries).error());
  route.retries_ = std::move(*retries);
  return {};
}

void RouteCompiler::SetTerms(const config::Route& message, Route& route) {
  route.timeout_ = message.timeout();
  route.idle_timeout_ =
      message.has_idle_timeout() ? message.idle_timeout() : listener_.timeouts().stream_idle();
  route.per_try_timeout_ = message.retries().per_try_timeout();
  route.priority_ = static_cast<uint8_t>(message.priority());
  route.hash_ = HashKeys(message.hash());
  route.subset_ = SubsetText(LabelPairsOf(message.subset()));
  route.upgrades_.assign(message.upgrades().begin(), message.upgrades().end());
}

Result<uint32_t> RouteCompiler::FindCluster(std::string_view field, std::string_view name) const {
  const uint32_t index = table_->clusters_->Find(name);
  if (index != RouteStrings::kNone) return index;
  return Fail(Code::kInvalidArgument, StrCat({field, ": there is no cluster \"", name, "\""}));
}

}  // namespace sluice
