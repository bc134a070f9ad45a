// FactoryKind: a kind of filter whose factories a test makes. Such a filter is not configured: the
// test puts it into a listener's settings itself.
#ifndef SLUICE_TESTS_SUPPORT_FACTORY_KIND_H_
#define SLUICE_TESTS_SUPPORT_FACTORY_KIND_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "core/config/filter_use.pb.h"
#include "core/filter/factory.h"

namespace sluice::test {

class FactoryKind final : public FilterKind {
 public:
  using Make = std::function<std::unique_ptr<FilterFactory>()>;

  FactoryKind(std::string name, Make make) : name_(std::move(name)), make_(std::move(make)) {}

  std::string_view name() const override { return name_; }
  const google::protobuf::Message& prototype() const override {
    return config::FilterUse::default_instance();
  }
  Result<std::unique_ptr<FilterSettings>> Load(const google::protobuf::Message&,
                                               LoadContext&) const override {
    return std::make_unique<FilterSettings>();
  }
  std::unique_ptr<FilterFactory> NewFactory(const FilterSettings&,
                                            const WorkerContext&) const override {
    return make_();
  }

 private:
  const std::string name_;
  const Make make_;
};

}  // namespace sluice::test

#endif  // SLUICE_TESTS_SUPPORT_FACTORY_KIND_H_
