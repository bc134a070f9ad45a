#include "core/config/summary.h"

#include "core/base/strings.h"
#include "core/config/config.pb.h"
#include "core/config/field_value.h"

namespace sluice {
namespace {

constexpr int kMaxEndpoints = 8;  // shown of one cluster

std::string Counted(int count, std::string_view one, std::string_view many) {
  return StrCat({Decimal(static_cast<uint64_t>(count)), " ", count == 1 ? one : many});
}

std::string Routes(int count) { return Counted(count, "route", "routes"); }

void AppendHosts(const config::Listener& listener, std::string& text) {
  if (listener.hosts().empty()) {
    text += StrCat({"    ", Routes(listener.routes_size()), "\n"});
  }
  for (const config::Host& host : listener.hosts()) {
    text += "    ";
    for (int i = 0; i < host.domains_size(); ++i) {
      text += StrCat({i > 0 ? ", " : "", host.domains(i)});
    }
    text += StrCat({": ", Routes(host.routes_size()), "\n"});
  }
}

void AppendListener(const config::Listener& listener, std::string& text) {
  text += StrCat({"  ", listener.name(), "  ", listener.listen().address(), "\n    filters: "});
  for (const config::FilterUse& filter : listener.filters()) {
    text += StrCat({filter.name(), " > "});
  }
  text += "router\n";
  AppendHosts(listener, text);
}

void AppendCluster(const config::Cluster& cluster, std::string& text) {
  const auto* policy =
      config::Balance::Policy_descriptor()->FindValueByNumber(cluster.balance().policy());
  text += StrCat({"  ", cluster.name(), "  ", EnumText(*policy), " over "});
  const int count = cluster.endpoints_size();
  for (int i = 0; i < count && i < kMaxEndpoints; ++i) {
    const config::Endpoint& endpoint = cluster.endpoints(i);
    text += StrCat({i > 0 ? ", " : "", endpoint.address()});
    if (endpoint.weight() != 1) text += StrCat({" (weight ", Decimal(endpoint.weight()), ")"});
  }
  if (count > kMaxEndpoints) {
    text += StrCat({" and ", Decimal(static_cast<uint64_t>(count - kMaxEndpoints)), " more"});
  }
  text += '\n';
}

}  // namespace

std::string SummaryText(const config::Config& config, const std::vector<ConfigError>& warnings) {
  std::string text = StrCat({config.id(), ": ",
                             config.workers() == 0
                                 ? "one worker per core"
                                 : Counted(static_cast<int>(config.workers()), "worker", "workers"),
                             "\n"});
  for (const config::AdminListen& listen : config.admin().listen()) {
    text += StrCat({"admin  ", listen.address(), "\n"});
  }
  text += "listeners\n";
  for (const config::Listener& listener : config.listeners()) AppendListener(listener, text);
  if (!config.clusters().empty()) text += "clusters\n";
  for (const config::Cluster& cluster : config.clusters()) AppendCluster(cluster, text);
  if (!warnings.empty()) text += "warnings\n";
  for (const ConfigError& warning : warnings) text += StrCat({"  ", warning.Text(), "\n"});
  return text;
}

}  // namespace sluice
