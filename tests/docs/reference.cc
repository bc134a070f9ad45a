#include "tests/docs/reference.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/config/config.pb.h"
#include "core/config/field_value.h"
#include "core/config/units.pb.h"

namespace sluice::test {
namespace {

namespace pb = google::protobuf;

// The protos below `root`, with their comments. By protoc: the descriptors that are linked in have
// none.
pb::FileDescriptorSet ReadProtos(const std::string& root, const std::vector<std::string>& protos) {
  std::string command = SLUICE_PROTOC
      " --include_source_info --include_imports --descriptor_set_out=/dev/stdout -I '";
  command += root + "'";
  for (const std::string& proto : protos) command += " " + proto;
  FILE* const pipe = popen(command.c_str(), "r");
  std::string bytes;
  char piece[4096];
  for (size_t size; (size = fread(piece, 1, sizeof(piece), pipe)) > 0;) bytes.append(piece, size);
  EXPECT_EQ(pclose(pipe), 0) << command;
  pb::FileDescriptorSet set;
  EXPECT_TRUE(set.ParseFromString(bytes)) << command;
  return set;
}

std::string Lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

std::string Code(const std::string& text) { return "`" + text + "`"; }

// A comment as one line, fit for a table's cell.
template <typename Descriptor>
std::string Comment(const Descriptor& descriptor) {
  pb::SourceLocation location;
  if (!descriptor.GetSourceLocation(&location)) return "";
  std::string text =
      location.leading_comments.empty() ? location.trailing_comments : location.leading_comments;
  std::string line;
  bool code = false;
  for (const char c : text) {
    if (c == '`') code = !code;
    if (c == '|' || (!code && (c == '*' || c == '<'))) line += '\\';
    if (c != '\n' && c != ' ') {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

std::string NameOfUnit(config::Unit unit) {
  return unit == config::MODE ? "file mode" : Lower(config::Unit_Name(unit));
}

std::string NameOfForm(config::Form form) {
  switch (form) {
    case config::LISTEN:
    case config::ENDPOINT:
    case config::SERVER:
      return "address";
    case config::CIDR:
      return "CIDR";
    case config::HEADER_NAME:
      return "header name";
    case config::HEADER_VALUE:
      return "text";
    case config::FILE:
      return "file";
    default:
      return Lower(config::Form_Name(form));
  }
}

class Page {
 public:
  Page(const std::string& root, const std::vector<std::string>& filters) {
    std::vector<std::string> protos = {kConfig};
    for (const std::string& filter : filters) protos.push_back(ProtoOf(filter));
    const pb::FileDescriptorSet set = ReadProtos(root, protos);
    for (const pb::FileDescriptorProto& file : set.file()) {
      EXPECT_NE(pool_.BuildFile(file), nullptr) << file.name();
    }
  }

  void AddConfig() {
    const pb::FileDescriptor* const file = pool_.FindFileByName(kConfig);
    if (file == nullptr) return;
    text_ += "\n## The file\n\n";
    Queue(*file->FindMessageTypeByName("Config"), "", "", "");
    AddQueued();
  }

  void AddFilter(const std::string& name) {
    const pb::FileDescriptor* const file = pool_.FindFileByName(ProtoOf(name));
    if (file == nullptr) return;
    for (int i = 0; i < file->message_type_count(); ++i) {
      const pb::Descriptor& message = *file->message_type(i);
      if (!message.name().ends_with("Config")) continue;
      text_ += "\n## Filter " + name + "\n\nBehaviour, stats and errors: [filters/" + name +
               "/README.md](../filters/" + name + "/README.md).\n\n";
      Queue(message, name, name + ".", name + ": ");
      AddQueued();
      return;
    }
    ADD_FAILURE() << file->name() << " has no message whose name ends with Config";
  }

  const std::string& text() const { return text_; }

 private:
  static constexpr const char* kConfig = "core/config/config.proto";
  static std::string ProtoOf(const std::string& filter) {
    return "filters/" + filter + "/" + filter + ".proto";
  }

  struct Section {
    std::string title;
    std::string prefix;  // of the paths of its fields, as first met
    std::vector<std::string> places;
  };

  void Queue(const pb::Descriptor& message, const std::string& place, const std::string& prefix,
             const std::string& space) {
    const bool core = message.file()->name().starts_with("core/");
    auto [found, added] = sections_.try_emplace(&message);
    if (added) {
      found->second.title = (core ? "" : space) + message.name();
      found->second.prefix = prefix;
      queue_.push_back(&message);
    }
    if (!place.empty()) found->second.places.push_back(place);
  }

  // Depth first, so that what belongs together stands together: a message's own messages are
  // put before those that waited.
  void AddQueued() {
    std::vector<const pb::Descriptor*> order;
    while (!queue_.empty()) {
      const pb::Descriptor& message = *queue_.front();
      queue_.erase(queue_.begin());
      std::vector<const pb::Descriptor*> waiting = std::move(queue_);
      queue_.clear();
      const Section section = sections_[&message];
      const size_t colon = section.title.find(' ');
      const std::string space =
          colon == std::string::npos ? "" : section.title.substr(0, colon + 1);
      for (int i = 0; !IsFree(message) && i < message.field_count(); ++i) {
        const pb::FieldDescriptor& field = *message.field(i);
        if (field.message_type() == nullptr) continue;
        const std::string path = section.prefix + field.name() + (field.is_repeated() ? "[]" : "");
        Queue(*field.message_type(), path, path + ".", space);
      }
      queue_.insert(queue_.end(), waiting.begin(), waiting.end());
      order.push_back(&message);
    }
    for (const pb::Descriptor* message : order) AddSection(*message);
  }

  // Its config is of any type: the comment says how it is written.
  static bool IsFree(const pb::Descriptor& message) {
    for (int i = 0; i < message.field_count(); ++i) {
      const pb::Descriptor* const type = message.field(i)->message_type();
      if (type != nullptr && type->full_name() == "google.protobuf.Any") return true;
    }
    return false;
  }

  void AddSection(const pb::Descriptor& message) {
    const Section& section = sections_[&message];
    text_ += "### " + section.title + "\n\n";
    std::string about;
    for (const std::string& place : section.places) {
      about += (about.empty() ? "At " : ", ") + Code(place);
    }
    if (!about.empty()) about += ".";
    const auto add = [&about](const std::string& sentence) {
      if (!sentence.empty()) about += (about.empty() ? "" : " ") + sentence;
    };
    add(Comment(message));
    const auto& options = message.options();
    const std::string& short_form = options.GetExtension(config::short_form);
    if (!short_form.empty()) {
      add("Short form: a value in its place is its " + Code(short_form) + ".");
    }
    const std::string& key = options.GetExtension(config::map_key);
    const std::string& value = options.GetExtension(config::map_value);
    if (!key.empty()) {
      add("A map may stand for the list: each key is a " + Code(key) + ", each value " +
          (value.empty() ? "the rest." : "its " + Code(value) + "."));
    }
    text_ += about;
    if (!about.empty()) text_ += "\n\n";
    if (IsFree(message)) return;
    text_ += "| field | type | default | must be | |\n|---|---|---|---|---|\n";
    for (int i = 0; i < message.field_count(); ++i) {
      const pb::FieldDescriptor& field = *message.field(i);
      text_ += "| " + Code(field.name()) + " | " + Type(field) + " | " + Default(field) + " | " +
               Bounds(field) + " | " + Comment(field) + " |\n";
    }
    text_ += "\n";
  }

  std::string Link(const pb::Descriptor& message) const {
    const std::string& title = sections_.at(&message).title;
    std::string anchor;
    for (const char c : Lower(title)) {
      if (c != ':') anchor += c == ' ' ? '-' : c;
    }
    return "[" + message.name() + "](#" + anchor + ")";
  }

  std::string Type(const pb::FieldDescriptor& field) const {
    const auto& options = field.options();
    std::string type;
    if (field.message_type() != nullptr) {
      type = Link(*field.message_type());
    } else if (field.enum_type() != nullptr) {
      for (int i = 0; i < field.enum_type()->value_count(); ++i) {
        const pb::EnumValueDescriptor& value = *field.enum_type()->value(i);
        const std::string about = Comment(value);
        type += (i == 0 ? "" : ", ") + Code(EnumText(value)) +
                (about.empty() ? "" : " (" + about + ")");
      }
    } else if (field.type() == pb::FieldDescriptor::TYPE_BOOL) {
      type = "`on`, `off`";
    } else if (field.type() == pb::FieldDescriptor::TYPE_STRING) {
      type = NameOfForm(options.GetExtension(config::form));
    } else {
      type = NameOfUnit(options.GetExtension(config::unit));
    }
    if (!field.is_repeated()) return type;
    return (field.options().GetExtension(config::one_or_list) ? "one or a list of " : "list of ") +
           type;
  }

  static std::string Default(const pb::FieldDescriptor& field) {
    const auto& options = field.options();
    const std::string& value = options.GetExtension(config::default_value);
    if (value == "{}") return "its own";
    if (!value.empty()) return Code(value);
    if (options.GetExtension(config::required) || field.is_repeated() || field.has_presence()) {
      return "";
    }
    if (field.enum_type() != nullptr) return Code(EnumText(*field.enum_type()->value(0)));
    if (field.type() == pb::FieldDescriptor::TYPE_BOOL) return "`off`";
    return field.type() == pb::FieldDescriptor::TYPE_STRING ? "" : "`0`";
  }

  static std::string Bounds(const pb::FieldDescriptor& field) {
    const auto& options = field.options();
    std::vector<std::string> parts;
    if (options.GetExtension(config::required)) parts.push_back("written");
    if (const pb::OneofDescriptor* const oneof = field.real_containing_oneof()) {
      const bool required = oneof->options().GetExtension(config::one_required);
      std::string names;
      for (int i = 0; i < oneof->field_count(); ++i) {
        names += (i == 0 ? "" : ", ") + Code(oneof->field(i)->name());
      }
      parts.push_back((required ? "exactly one of " : "at most one of ") + names);
    }
    const std::string& min = options.GetExtension(config::min);
    const std::string& max = options.GetExtension(config::max);
    const std::string& also = options.GetExtension(config::also);
    std::string range;
    if (!min.empty()) range = "at least " + Code(min);
    if (!max.empty()) {
      const bool text = field.type() == pb::FieldDescriptor::TYPE_STRING && !field.is_repeated();
      range += (range.empty() ? "at most " : ", at most ") + Code(max) + (text ? " bytes" : "");
    }
    if (!also.empty()) range += ", or " + Code(also);
    if (!range.empty()) parts.push_back(range);
    std::string text;
    for (const std::string& part : parts) text += (text.empty() ? "" : "; ") + part;
    return text;
  }

  pb::DescriptorPool pool_;
  std::map<const pb::Descriptor*, Section> sections_;
  std::vector<const pb::Descriptor*> queue_;
  std::string text_;
};

constexpr const char* kHead = R"(# Configuration reference

Every option, from the comments in `core/config/*.proto` and `filters/*/*.proto`. A test keeps this page as they are; `./dev reference` writes it anew.

A file is YAML, JSON or TOML; what follows is the same in all three. Fields that are not listed are refused, with the line, the column and the name that was probably meant. `${NAME}` and `${NAME:-default}` in a value are taken from the environment. An empty default means that the field is not there unless it is written.

| type | written as |
|---|---|
| duration | `250ms`, `5s`, `1m30s`, `1h`; `0` |
| size | `512`, `64KiB`, `10MB`, `1GiB` |
| percent | `50%`, `0.1%` |
| file mode | `"0660"`, octal as in chmod |
| status | an HTTP status, 100 to 599 |
| name | letters, digits, `_`, `-`, `.`: it becomes a label in stats |
| address | `127.0.0.1:8080`, `[::1]:80`, `unix:/path`; of endpoints also `api.internal:80`; of name servers also without a port |
| CIDR | `10.0.0.0/8`, `fd00::/8`, `192.0.2.1` |
| regex | [RE2](https://github.com/google/re2/wiki/Syntax) |
| domain | `a.example.com`, `*.example.com`, `www.*`, `*` |
| token, header name | a token of RFC 9110, 5.6.2 |
| path | begins with `/` |
)";

}  // namespace

std::string RenderReference(const std::string& root) {
  std::vector<std::string> filters;
  for (const auto& entry : std::filesystem::directory_iterator(root + "/filters")) {
    const std::string name = entry.path().filename();
    if (std::filesystem::exists(entry.path() / (name + ".proto"))) filters.push_back(name);
  }
  std::sort(filters.begin(), filters.end());
  Page page(root, filters);
  page.AddConfig();
  for (const std::string& filter : filters) page.AddFilter(filter);
  std::string text = kHead + page.text();
  while (text.ends_with("\n\n")) text.pop_back();
  return text;
}

}  // namespace sluice::test
