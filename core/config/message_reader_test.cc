#include "core/config/message_reader.h"

#include <google/protobuf/message.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "core/config/loader.h"
#include "core/config/route.pb.h"
#include "core/config/test_filters.h"
#include "core/config/yaml_parser.h"

namespace sluice {
namespace {

using google::protobuf::Message;

std::string Short(const Message& message) {
  google::protobuf::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  std::string text;
  printer.PrintToString(message, &text);
  if (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

class MessageReaderTest : public testing::Test {
 protected:
  std::unique_ptr<Message> New(const char* filter) {
    return std::unique_ptr<Message>(filters_.Prototype(filter)->New());
  }
  // The message after reading, or the faults, each `line:column path: message;`.
  std::string Read(Message& message, std::string_view yaml) {
    return Outcome(LoadMessage(yaml, ConfigFormat::kYaml, message), message);
  }
  std::string Read(const char* filter, std::string_view yaml) { return Read(*New(filter), yaml); }
  // The same for `over` laid over what `yaml` says.
  std::string Overlay(const char* filter, std::string_view yaml, std::string_view over) {
    const auto message = New(filter);
    EXPECT_TRUE(LoadMessage(yaml, ConfigFormat::kYaml, *message).empty());
    ConfigProblems problems("f");
    MessageReader(problems).Overlay(*ParseYaml(over), FieldPath{}, *message);
    return Outcome(problems.TakeErrors(), *message);
  }

 private:
  static std::string Outcome(const std::vector<ConfigError>& errors, const Message& message) {
    std::string text;
    for (const ConfigError& error : errors) {
      text += std::to_string(error.line) + ":" + std::to_string(error.column) + " " + error.path +
              ": " + error.message + ";";
    }
    return text.empty() ? Short(message) : text;
  }

  TestFilters filters_;
};

TEST_F(MessageReaderTest, EveryTypeAndItsDefault) {
  EXPECT_EQ(Read("every", ""), "flag: true numbers: 1 numbers: 2");
  EXPECT_EQ(Read("every",
                 "int32_value: -5\nint64_value: -9223372036854775808\nuint32_value: 4294967295\n"
                 "size: 1KiB\nfloat_value: 2.5\npercent: 50%\nflag: off\nnumbers: [7]\n"
                 "mode: 0640\ntext: abcd\nkeys: [route, client_ip]\n"),
            "int32_value: -5 int64_value: -9223372036854775808 uint32_value: 4294967295 size: 1024 "
            "float_value: 2.5 percent: 50 numbers: 7 mode: 416 text: \"abcd\" keys: ROUTE "
            "keys: CLIENT_IP");
}

TEST_F(MessageReaderTest, WrongTypesAreExplained) {
  EXPECT_EQ(Read("every", "int32_value: x"),
            "1:14 int32_value: expected a whole number, got \"x\";");
  EXPECT_EQ(Read("every", "int32_value: 99999999999"),
            "1:14 int32_value: expected a whole number, got \"99999999999\";");
  EXPECT_EQ(Read("every", "uint32_value: -1"),
            "1:15 uint32_value: expected a whole number, 0 or more, got \"-1\";");
  EXPECT_EQ(Read("every", "float_value: nan"), "1:14 float_value: expected a number, got \"nan\";");
  EXPECT_EQ(Read("every", "size: [1]"), "1:7 size: expected a size such as 64KiB, got a list;");
  EXPECT_EQ(Read("every", "size: {a: 1}"), "1:7 size: expected a size such as 64KiB, got a map;");
  EXPECT_EQ(Read("every", "percent: 50"),
            "1:10 percent: expected a percentage such as 50%, got \"50\";");
  EXPECT_EQ(Read("every", "flag: 1"), "1:7 flag: expected on or off, got \"1\";");
  EXPECT_EQ(Read("every", "mode: rw"),
            "1:7 mode: expected a file mode such as \"0660\", got \"rw\";");
  EXPECT_EQ(Read("every", "keys: [rote]"),
            "1:8 keys[0]: expected client_ip or route, got \"rote\" (did you mean \"route\"?);");
  EXPECT_EQ(Read("every", "numbers: 5"), "1:10 numbers: expected a list, got \"5\";");
  EXPECT_EQ(Read("every", "numbers: [1, x, 3, ~]"),
            "1:14 numbers[1]: expected a whole number, got \"x\";"
            "1:20 numbers[3]: expected a whole number, got nothing;");
  EXPECT_EQ(Read("every", "few: [5]"),
            "1:7 few[0]: expected a map of address, timeout, got \"5\";");
  EXPECT_EQ(Read("every", "text: \"\\xff\""),
            "flag: true numbers: 1 numbers: 2 text: \"\\303\\277\"");
}

TEST_F(MessageReaderTest, BoundsHold) {
  EXPECT_EQ(Read("every", "int32_value: -6"), "1:14 int32_value: must be at least -5, got \"-6\";");
  EXPECT_EQ(Read("every", "int32_value: 6"), "1:14 int32_value: must be at most 5, got \"6\";");
  EXPECT_EQ(Read("every", "size: 2MiB"), "1:7 size: must be at most 1MiB (or 2GiB), got \"2MiB\";");
  EXPECT_EQ(Read("every", "size: 2GiB"), "size: 2147483648 flag: true numbers: 1 numbers: 2");
  EXPECT_EQ(Read("every", "text: abcde"), "1:7 text: must be at most 4 bytes long, is 5;");
  EXPECT_EQ(Read("every", "few: [{address: 'a:1'}, {address: 'a:1'}]"),
            "1:6 few: must have at most 1 elements;");
}

TEST_F(MessageReaderTest, NotWrittenIsAbsentNullIsNotWritten) {
  EXPECT_EQ(Read("rate_limit", "{key: route, rate: 1/s}"), "key: ROUTE rate: 1 burst: 1");
  EXPECT_EQ(Read("rate_limit", "{key: route, rate: 1/s, redis: ~, burst: ~}"),
            "key: ROUTE rate: 1 burst: 1");
  EXPECT_EQ(Read("rate_limit", "{key: route, rate: 1/s, redis: {address: 'r:1'}}"),
            "key: ROUTE rate: 1 burst: 1 redis { address: \"r:1\" timeout: 10000000 }");
}

TEST_F(MessageReaderTest, AllFaultsInTheOrderOfTheText) {
  EXPECT_EQ(Read("rate_limit", "rate: 5\nbrust: 2\nredis: {timeout: 1}\nrate: 6/s\nskip: [x]\n"),
            "1:1 : \"key\" is missing;"
            "1:7 rate: expected a rate such as 100/s, got \"5\";"
            "2:1 : unknown field \"brust\" (did you mean \"burst\"?);"
            "3:8 redis: \"address\" is missing;"
            "3:18 redis.timeout: expected a duration such as 250ms or 5s, got \"1\";"
            "4:1 : \"rate\" is written twice, first in line 1;"
            "5:8 skip[0]: expected an address range such as 10.0.0.0/8, got \"x\";");
}

TEST_F(MessageReaderTest, RequiredTextMustNotBeEmpty) {
  EXPECT_EQ(Read("lua", "script: ''"), "1:9 script: must not be empty;");
  EXPECT_EQ(Read("lua", "script:"), "1:1 : \"script\" is missing;");
}

TEST_F(MessageReaderTest, ShortForms) {
  EXPECT_EQ(Read("cors", "[a, b]"), "origins: \"a\" origins: \"b\"");
  EXPECT_EQ(Read("cors", "a"), "1:1 : expected a list, got \"a\";");
  config::Match match;
  EXPECT_EQ(Read(match, "/api"), "prefix: \"/api\"");
  config::Match list;
  EXPECT_EQ(Read(list, "[/api]"),
            "1:1 : expected a map of prefix, path, regex, path_prefix, ..., got a list;");
  config::WeightedClusters weighted;
  EXPECT_EQ(Read(weighted, "[{name: a, weight: 3}, b]"),
            "clusters { name: \"a\" weight: 3 } clusters { name: \"b\" weight: 1 }");
  config::Mirror mirror;
  EXPECT_EQ(Read(mirror, "{cluster: a, fraction: 5%}"), "cluster: \"a\" fraction { percent: 5 }");
}

TEST_F(MessageReaderTest, MapsInPlaceOfLists) {
  config::HeaderChanges changes;
  EXPECT_EQ(Read(changes, "set: {z: 1, a: 'two'}\nremove: [x]"),
            "remove: \"x\" set { name: \"z\" value: \"1\" } set { name: \"a\" value: \"two\" }");
  config::HeaderChanges wrong;
  EXPECT_EQ(Read(wrong, "set: {'a b': 1, c: [1], d: ~, c: 2}"),
            "1:7 set.a b: expected a header name, got \"a b\";"
            "1:20 set.c: expected a header value, without control characters, got a list;"
            "1:25 set.d: expected a header value, without control characters, got nothing;"
            "1:31 set: \"c\" is written twice, first in line 1;");
  config::Match match;
  EXPECT_EQ(Read(match, "headers: {x-a: {exact: b}, x-c: ~}"),
            "headers { name: \"x-a\" exact: \"b\" } headers { name: \"x-c\" }");
  config::Match named;
  EXPECT_EQ(Read(named, "headers: {x-a: {name: b}}"),
            "1:16 headers.x-a: \"name\" is what stands before it: leave it out;");
}

TEST_F(MessageReaderTest, OneofsTakeOne) {
  config::ValueMatch twice;
  EXPECT_EQ(Read(twice, "{name: a, exact: b, present: off}"),
            "1:21 : \"present\" and \"exact\" exclude each other: write only one of exact, prefix, "
            "suffix, regex, present or range;");
  config::HashKey none;
  EXPECT_EQ(Read(none, "{}"), "1:1 : one of header, cookie, query or client_ip is missing;");
  config::HashKey wrong;  // one fault, not two
  EXPECT_EQ(Read(wrong, "{client_ip: 7}"), "1:13 client_ip: expected on or off, got \"7\";");
}

TEST_F(MessageReaderTest, OverlayKeepsWhatIsNotWritten) {
  const char* base =
      "{key: route, rate: 1/s, burst: 9, skip: [10.0.0.1], redis: {address: 'r:1', timeout: 1s}}";
  EXPECT_EQ(Overlay("rate_limit", base, "rate: 2/s"),
            "key: ROUTE rate: 2 burst: 9 redis { address: \"r:1\" timeout: 1000000000 } "
            "skip: \"10.0.0.1\"");
  EXPECT_EQ(Overlay("rate_limit", base, "{skip: [10.0.0.2], redis: {timeout: 2s}}"),
            "key: ROUTE rate: 1 burst: 9 redis { address: \"r:1\" timeout: 2000000000 } "
            "skip: \"10.0.0.2\"");
  // What was not there before is read as if it stood alone.
  EXPECT_EQ(Overlay("rate_limit", "{key: route, rate: 1/s}", "{redis: {address: 'r:1'}}"),
            "key: ROUTE rate: 1 burst: 1 redis { address: \"r:1\" timeout: 10000000 }");
  EXPECT_EQ(Overlay("rate_limit", "{key: route, rate: 1/s}", "{redis: {timeout: 1s}}"),
            "1:9 redis: \"address\" is missing;");
  EXPECT_EQ(Overlay("rate_limit", base, "rte: 2/s"),
            "1:1 : unknown field \"rte\" (did you mean \"rate\"?);");
}

TEST(FieldPath, Text) {
  const FieldPath top;
  const FieldPath list{&top, "listeners"};
  const FieldPath item{&list, "", 3};
  const FieldPath field{&item, "limits"};
  EXPECT_EQ(top.Text(), "");
  EXPECT_EQ(field.Text(), "listeners[3].limits");
}

}  // namespace
}  // namespace sluice
