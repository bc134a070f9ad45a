// For tests of routing: a request made by hand, and tables from configurations in protobuf's text
// format, so that they do not depend on the loader.
#ifndef SLUICE_CORE_CONFIG_ROUTE_TEST_INPUT_H_
#define SLUICE_CORE_CONFIG_ROUTE_TEST_INPUT_H_

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/strings.h"
#include "core/config/config.pb.h"
#include "core/config/route_input.h"
#include "core/config/route_table.h"

namespace sluice {

// A request. What the views show must outlive it; literals do.
class TestInput final : public RouteInput {
 public:
  explicit TestInput(std::string_view target, std::string_view host = "h") {
    method = "GET";
    authority = host;
    const size_t mark = target.find('?');
    path = target.substr(0, mark);
    if (mark != std::string_view::npos) query = target.substr(mark + 1);
  }
  TestInput& Method(std::string_view name) {
    method = name;
    return *this;
  }
  TestInput& With(std::string name, std::string value) {
    headers_.emplace_back(std::move(name), std::move(value));
    return *this;
  }
  TestInput& From(std::string_view address) {
    address_ = address;
    return *this;
  }

  std::optional<std::string_view> Header(std::string_view name) const override {
    for (const auto& [each, value] : headers_) {
      if (EqualsIgnoreCase(each, name)) return value;
    }
    return {};
  }
  std::optional<std::string_view> CookieLine(size_t index) const override {
    for (const auto& [each, value] : headers_) {
      if (EqualsIgnoreCase(each, "cookie") && index-- == 0) return value;
    }
    return {};
  }
  std::string_view ClientAddress() const override { return address_; }

 private:
  std::vector<std::pair<std::string, std::string>> headers_;
  std::string_view address_;
};

// The message that `text` writes.
template <typename Message>
Message ParseText(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

// A compiled table with the configuration that it needs. Clusters a to d are there.
class TestTable {
 public:
  // `listener`: the fields of a Listener; `more`: further fields of the Config.
  explicit TestTable(const std::string& listener, const std::string& more = "")
      : config_(ParseText<config::Config>(
            "clusters { name: 'a' } clusters { name: 'b' } clusters { name: 'c' } "
            "clusters { name: 'd' } " +
            more + " listeners { name: 'web' " + listener + " }")),
        table_(RouteTable::Compile(config_.listeners(0), config_)) {}

  bool ok() const { return table_.has_value(); }
  std::string error() const { return ok() ? "" : table_.error().detail; }
  const RouteTable& operator*() const { return **table_; }
  const RouteTable* operator->() const { return table_->get(); }
  const config::Config& config() const { return config_; }

  const Route* Match(const TestInput& input) {
    const VirtualHost* host = nullptr;
    return (*table_)->Match(input, random_, &host);
  }
  // The name of the route that takes it; "-" for none.
  std::string Name(const TestInput& input) {
    const Route* route = Match(input);
    return route == nullptr ? "-" : std::string(route->name());
  }
  Random& random() { return random_; }

 private:
  config::Config config_;
  Result<std::unique_ptr<const RouteTable>> table_;
  Random random_{42};
};

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_ROUTE_TEST_INPUT_H_
