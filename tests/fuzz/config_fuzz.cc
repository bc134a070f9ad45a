// Any bytes as a configuration: the first one selects the language, the rest is the file. What
// loads must also survive what is done with it next.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/check.h"
#include "core/config/config.pb.h"
#include "core/config/config_dump.h"
#include "core/config/loader.h"
#include "core/config/route_table.h"
#include "core/config/summary.h"
#include "core/config/test_filters.h"

namespace {

std::optional<std::string> Env(const std::string& name) {
  if (name == "PORT") return "8080";
  if (name == "EMPTY") return "";
  return std::nullopt;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const sluice::TestFilters filters;
  if (size == 0) return 0;
  const auto format = static_cast<sluice::ConfigFormat>(data[0] % 3);
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const sluice::LoadResult result = sluice::LoadConfigText(text, format, "f", Env, filters);
  if (!result) {
    CHECK(!result.error().empty());
    for (const sluice::ConfigError& error : result.error()) {
      // One line each, and a place in the file unless it is the count of the rest.
      CHECK(error.Text().find('\n') == std::string::npos);
      CHECK(error.line > 0 || error.path.empty());
    }
    return 0;
  }
  const sluice::config::Config& config = *result->config;
  CHECK(config.listeners_size() > 0);
  CHECK(!sluice::SummaryText(config, result->warnings).empty());
  // Written out in full, it says the same.
  const std::string dump = sluice::DumpConfig(*result, filters);
  if (result->secrets.empty()) {
    const sluice::LoadResult again =
        sluice::LoadConfigText(dump, sluice::ConfigFormat::kYaml, "f", Env, filters);
    CHECK(again);
    CHECK(sluice::DumpConfig(*again, filters) == dump);
  }
  // It can be kept and read back: strings are UTF-8, filters are complete.
  sluice::config::Config copy;
  CHECK(copy.ParseFromString(config.SerializeAsString()));
  for (const sluice::config::Listener& listener : config.listeners()) {
    const auto routes = sluice::RouteTable::Compile(listener, config);
    CHECK(routes || !routes.error().detail.empty());
  }
  return 0;
}
