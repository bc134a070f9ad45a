#include "core/config/config_dump.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include "core/base/strings.h"
#include "core/config/config.pb.h"
#include "core/config/field_text.h"
#include "core/config/message_reader.h"
#include "core/config/secrets.h"
#include "core/config/units.pb.h"

namespace sluice {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

const Node* Written(const Node* node) {
  return node == nullptr || node->kind == Node::Kind::kNull ? nullptr : node;
}

// What the file says about one message: a node of its own, and the key that stood before it.
struct Source {
  const Node* node = nullptr;  // null: nothing
  const FieldDescriptor* key_field = nullptr;
  const Node* key = nullptr;
  const FieldDescriptor* value_field = nullptr;  // `node` is this field, not the message
};

// What it says about a field of it.
const Node* FieldSource(const Source& source, const FieldDescriptor& field) {
  if (&field == source.key_field) return source.key;
  if (source.value_field != nullptr) return &field == source.value_field ? source.node : nullptr;
  if (source.node == nullptr) return nullptr;
  if (source.node->kind == Node::Kind::kMap) return Written(source.node->Find(field.name()));
  const std::string& short_form =
      field.containing_type()->options().GetExtension(config::short_form);
  return field.name() == short_form ? source.node : nullptr;
}

class Dumper {
 public:
  Dumper(const LoadedConfig& loaded, const FilterSchemas& schemas, DumpOrigin origin)
      : loaded_(loaded), schemas_(schemas), origin_(origin) {
    for (const Reference& each : loaded.references) {
      references_.emplace(std::pair(each.mark.line, each.mark.column), &each);
    }
  }

  std::string Run() {
    Fields(*loaded_.config, {Written(&loaded_.source), nullptr, nullptr, nullptr}, 0);
    return std::move(out_);
  }

 private:
  using Field = FieldDescriptor;

  void Line(int depth, std::string_view text) {
    out_.append(static_cast<size_t>(depth) * 2, ' ').append(text).append("\n");
  }

  // The lines of `message`. An empty one has none.
  void Fields(const Message& message, const Source& source, int depth) {
    const Descriptor& type = *message.GetDescriptor();
    for (int i = 0; i < type.field_count(); ++i) {
      const Field& field = *type.field(i);
      const Node* const node = FieldSource(source, field);
      if (node == nullptr && only_written_) continue;
      if (field.is_repeated()) {
        List(message, field, node, depth);
      } else if (field.cpp_type() == Field::CPPTYPE_MESSAGE) {
        if (message.GetReflection()->HasField(message, &field)) {
          Nested(message.GetReflection()->GetMessage(message, &field), {node}, field.name(), depth);
        }
      } else if (IsShown(message, field, node)) {
        Line(depth, StrCat({field.name(), ": ", Value(message, field, -1, node)}));
      }
    }
  }

  static bool IsShown(const Message& message, const Field& field, const Node* node) {
    return node != nullptr || field.options().HasExtension(config::default_value) ||
           message.GetReflection()->HasField(message, &field);
  }

  void Nested(const Message& message, const Source& source, std::string_view name, int depth) {
    const size_t before = out_.size();
    Line(depth, StrCat({name, ":"}));
    const size_t inside = out_.size();
    Fields(message, source, depth + 1);
    if (out_.size() > inside) return;
    out_.resize(before);
    Line(depth, StrCat({name, ": {}"}));
  }

  void List(const Message& message, const Field& field, const Node* node, int depth) {
    const int size = message.GetReflection()->FieldSize(message, &field);
    if (size == 0) {
      // An empty one that was written, or whose default is not empty.
      if (node != nullptr || field.options().HasExtension(config::default_value)) {
        Line(depth, StrCat({field.name(), ": []"}));
      }
      return;
    }
    const bool uses = field.cpp_type() == Field::CPPTYPE_MESSAGE &&
                      field.message_type() == config::FilterUse::descriptor();
    if (uses && message.GetDescriptor() == config::Route::descriptor()) {
      return Overrides(message, field, node, depth);
    }
    Line(depth, StrCat({field.name(), ":"}));
    // One alone may stand without its list.
    const bool alone = node != nullptr && node->kind != Node::Kind::kList &&
                       field.options().GetExtension(config::one_or_list);
    for (int i = 0; i < size; ++i) {
      if (field.cpp_type() != Field::CPPTYPE_MESSAGE) {
        Line(depth + 1, StrCat({"- ", Value(message, field, i, alone ? node : ItemOf(node, i))}));
        continue;
      }
      const Message& item = message.GetReflection()->GetRepeatedMessage(message, &field, i);
      Item(
          [&] {
            if (uses)
              return Use(static_cast<const config::FilterUse&>(item), ItemOf(node, i), depth + 2);
            Node key;
            Fields(item, alone ? Source{node} : ItemSource(field, node, i, key), depth + 2);
          },
          depth + 1);
    }
  }

  // A list's element: its first line gets the dash.
  template <typename Write>
  void Item(const Write& write, int depth) {
    const size_t begin = out_.size();
    write();
    if (out_.size() == begin) return Line(depth, "- {}");
    out_[begin + static_cast<size_t>(depth) * 2] = '-';
  }

  static const Node* ItemOf(const Node* list, int index) {
    const auto at = static_cast<size_t>(index);
    if (list == nullptr || list->kind != Node::Kind::kList) return nullptr;
    return at < list->items.size() ? &list->items[at] : nullptr;
  }

  // `key`: room for a node that the map form's key becomes.
  static Source ItemSource(const Field& field, const Node* node, int index, Node& key) {
    const auto at = static_cast<size_t>(index);
    if (node == nullptr || node->kind != Node::Kind::kMap || at >= node->keys.size()) {
      return {ItemOf(node, index)};
    }
    const MapForm form = MapFormOf(*field.message_type());
    key.kind = Node::Kind::kScalar;
    key.mark = node->keys[at].mark;
    key.text = node->keys[at].name;
    return {Written(&node->items[at]), form.key, &key, form.value};
  }

  // A listener's filter: "name:" with its configuration below.
  void Use(const config::FilterUse& use, const Node* node, int depth) {
    const bool with_config = node != nullptr && node->kind == Node::Kind::kMap;
    Config(use, with_config ? Written(&node->items[0]) : nullptr, depth);
  }

  void Config(const config::FilterUse& use, const Node* node, int depth) {
    const Message* const prototype = schemas_.Prototype(use.name());
    if (prototype == nullptr) return Line(depth, StrCat({use.name(), ": {}"}));
    const std::unique_ptr<Message> message(prototype->New());
    message->ParseFromString(use.config().value());
    Nested(*message, {node}, use.name(), depth);
  }

  // A route's filters: only what is written there, since it is laid over the listener's.
  void Overrides(const Message& message, const Field& field, const Node* node, int depth) {
    Line(depth, StrCat({field.name(), ":"}));
    const auto& route = static_cast<const config::Route&>(message);
    only_written_ = true;
    for (const config::FilterUse& use : route.filters()) {
      const Node* const own = node == nullptr ? nullptr : node->Find(use.name());
      if (use.off()) {
        Line(depth + 1, StrCat({use.name(), ": off", Comment(own)}));
      } else {
        Config(use, own, depth + 1);
      }
    }
    only_written_ = false;
  }

  const Reference* ReferenceOf(const Node* node) const {
    if (node == nullptr) return nullptr;
    const auto found = references_.find({node->mark.line, node->mark.column});
    return found == references_.end() ? nullptr : found->second;
  }

  // `index`: of a list's element; -1: the field is no list.
  std::string Value(const Message& message, const Field& field, int index, const Node* node) const {
    const bool scalar = node != nullptr && node->kind == Node::Kind::kScalar;
    const Reference* const reference = scalar ? ReferenceOf(node) : nullptr;
    std::string text;
    if (reference != nullptr && !reference->files.empty()) {
      text = YamlScalar(reference->written);
    } else if (field.options().GetExtension(config::secret)) {
      text = YamlScalar(kHidden);
    } else {
      text = FieldText(message, field, index);
      // "${" would be taken for a reference.
      for (size_t at = 0; (at = text.find("${", at)) != std::string::npos; at += 3) {
        text.insert(at, "$");
      }
      text = YamlScalar(text);
    }
    return text + Comment(node);
  }

  std::string Comment(const Node* node) const {
    if (origin_ == DumpOrigin::kNo) return "";
    if (node == nullptr) return "  # default";
    std::string text = StrCat({"  # ", loaded_.file, ":", std::to_string(node->mark.line), ":",
                               std::to_string(node->mark.column)});
    const Reference* const reference = ReferenceOf(node);
    if (reference == nullptr) return text;
    for (const std::string& name : reference->variables) {
      text += StrCat({", environment variable ", name});
    }
    for (const std::string& file : reference->files) text += StrCat({", secret file ", file});
    return text;
  }

  const LoadedConfig& loaded_;
  const FilterSchemas& schemas_;
  const DumpOrigin origin_;
  std::map<std::pair<int, int>, const Reference*> references_;
  bool only_written_ = false;
  std::string out_;
};

}  // namespace

std::string DumpConfig(const LoadedConfig& loaded, const FilterSchemas& schemas,
                       DumpOrigin origin) {
  return Dumper(loaded, schemas, origin).Run();
}

}  // namespace sluice
