// Filter schemas for tests and the fuzzer: made at run time, so that the product
// carries none of them.
#ifndef SLUICE_CORE_CONFIG_TEST_FILTERS_H_
#define SLUICE_CORE_CONFIG_TEST_FILTERS_H_

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/text_format.h>

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/config/filter_schemas.h"
#include "core/config/units.pb.h"

namespace sluice {

// One field of a test schema: its number is its place.
struct TestField {
  const char* name;
  const char* type;          // a scalar of protobuf, or a message or enum of the same file
  const char* options = "";  // in protobuf's text format, without "sluice.config."
};

struct TestMessage {
  const char* name;
  std::vector<TestField> fields;
  const char* options = "";
};

inline const std::vector<TestMessage>& TestMessages() {
  static const std::vector<TestMessage> messages = {
      {"RateLimit",
       {{"key", "Key", "[required]: true"},
        {"rate", "double", "[unit]: RATE [required]: true"},
        {"burst", "uint32", "[default_value]: '1' [max]: '1000'"},
        {"redis", "Redis"},
        {"skip", "repeated string", "[form]: CIDR"}}},
      {"Redis",
       {{"address", "string", "[required]: true [form]: ENDPOINT"},
        {"timeout", "int64", "[unit]: DURATION [default_value]: '10ms'"}}},
      {"AccessLog", {{"path", "string", "[required]: true [form]: FILE"}, {"format", "LogFormat"}}},
      {"Cors", {{"origins", "repeated string"}}, "[short_form]: 'origins'"},
      {"JwtAuth",
       {{"issuer", "string"},
        {"audiences", "repeated string"},
        {"algorithms", "repeated string"},
        {"jwks", "Jwks", "[required]: true"}}},
      {"Jwks", {{"uri", "string", "[required]: true"}, {"cluster", "string"}}},
      {"Lua", {{"script", "string", "[required]: true"}}},
      {"Every",
       {{"int32_value", "int32", "[min]: '-5' [max]: '5'"},
        {"int64_value", "int64"},
        {"uint32_value", "uint32"},
        {"size", "uint64", "[unit]: SIZE [max]: '1MiB' [also]: '2GiB'"},
        {"float_value", "float"},
        {"percent", "double", "[unit]: PERCENT"},
        {"flag", "bool", "[default_value]: 'on'"},
        {"numbers", "repeated int32", "[default_value]: '[1, 2]'"},
        {"mode", "uint32", "[unit]: MODE"},
        {"text", "string", "[max]: '4'"},
        {"few", "repeated Redis", "[max]: '1'"},
        {"keys", "repeated Key"},
        {"token", "string", "[secret]: true [max]: '16'"},
        {"tokens", "repeated string", "[secret]: true"}}}};
  return messages;
}

inline void AddTestMessage(const TestMessage& source, google::protobuf::DescriptorProto& message) {
  using google::protobuf::FieldDescriptorProto;
  static const std::map<std::string_view, FieldDescriptorProto::Type> scalars = {
      {"int32", FieldDescriptorProto::TYPE_INT32},   {"int64", FieldDescriptorProto::TYPE_INT64},
      {"uint32", FieldDescriptorProto::TYPE_UINT32}, {"uint64", FieldDescriptorProto::TYPE_UINT64},
      {"float", FieldDescriptorProto::TYPE_FLOAT},   {"double", FieldDescriptorProto::TYPE_DOUBLE},
      {"bool", FieldDescriptorProto::TYPE_BOOL},     {"string", FieldDescriptorProto::TYPE_STRING}};
  const auto options = [](std::string text, google::protobuf::Message& parsed) {
    for (size_t at = 0; (at = text.find('[', at)) != std::string::npos; ++at) {
      if (text[at + 1] >= 'a' && text[at + 1] <= 'z') text.insert(at + 1, "sluice.config.");
    }
    CHECK(google::protobuf::TextFormat::ParseFromString(text, &parsed));
  };
  message.set_name(source.name);
  options(source.options, *message.mutable_options());
  for (const TestField& field : source.fields) {
    std::string_view type = field.type;
    const bool repeated = type.substr(0, 9) == "repeated ";
    if (repeated) type.remove_prefix(9);
    auto& added = *message.add_field();
    added.set_name(field.name);
    added.set_number(message.field_size());
    added.set_label(repeated ? FieldDescriptorProto::LABEL_REPEATED
                             : FieldDescriptorProto::LABEL_OPTIONAL);
    const auto scalar = scalars.find(type);
    if (scalar != scalars.end()) {
      added.set_type(scalar->second);
    } else {
      added.set_type_name(std::string(type));  // the pool finds out what it is
    }
    options(field.options, *added.mutable_options());
  }
}

class TestFilters : public FilterSchemas {
 public:
  TestFilters() : pool_(google::protobuf::DescriptorPool::generated_pool()) {
    config::Unit_descriptor();  // links units.proto into the generated pool
    google::protobuf::FileDescriptorProto file;
    file.set_name("test_filters.proto");
    file.set_package("sluice.test");
    file.set_syntax("proto3");
    file.add_dependency("core/config/units.proto");
    for (const TestMessage& message : TestMessages()) {
      AddTestMessage(message, *file.add_message_type());
    }
    AddEnum(file, "Key", {"CLIENT_IP", "ROUTE"});
    AddEnum(file, "LogFormat", {"TEXT", "JSON"});
    const auto* built = pool_.BuildFile(file);
    CHECK(built != nullptr);
    const std::pair<const char*, const char*> filters[] = {{"rate_limit", "RateLimit"},
                                                           {"access_log", "AccessLog"},
                                                           {"cors", "Cors"},
                                                           {"jwt_auth", "JwtAuth"},
                                                           {"lua", "Lua"},
                                                           {"every", "Every"}};
    for (const auto& [name, type] : filters) {
      prototypes_[name] = factory_.GetPrototype(built->FindMessageTypeByName(type));
    }
  }

  const google::protobuf::Message* Prototype(std::string_view name) const override {
    const auto found = prototypes_.find(name);
    return found == prototypes_.end() ? nullptr : found->second;
  }
  std::vector<std::string> Names() const override {
    std::vector<std::string> names;
    for (const auto& [name, prototype] : prototypes_) names.push_back(name);
    return names;
  }

 private:
  static void AddEnum(google::protobuf::FileDescriptorProto& file, const char* name,
                      const std::vector<const char*>& values) {
    auto& type = *file.add_enum_type();
    type.set_name(name);
    for (const char* value : values) {
      auto& added = *type.add_value();
      added.set_name(value);
      added.set_number(type.value_size() - 1);
    }
  }

  google::protobuf::DescriptorPool pool_;
  google::protobuf::DynamicMessageFactory factory_;
  std::map<std::string, const google::protobuf::Message*, std::less<>> prototypes_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_TEST_FILTERS_H_
