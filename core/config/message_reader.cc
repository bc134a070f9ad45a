#include "core/config/message_reader.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <unordered_map>
#include <utility>

#include "core/base/check.h"
#include "core/base/strings.h"
#include "core/config/field_value.h"
#include "core/config/filter_use.pb.h"
#include "core/config/secrets.h"
#include "core/config/text.h"
#include "core/config/units.pb.h"

namespace sluice {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::OneofDescriptor;
using google::protobuf::Reflection;

std::vector<std::string> FieldNames(const Descriptor& type) {
  std::vector<std::string> names;
  for (int i = 0; i < type.field_count(); ++i) names.push_back(type.field(i)->name());
  return names;
}

// "name, listen, protocols, ...", to recognise what kind of map is due.
std::string SomeFields(const Descriptor& type) {
  constexpr int kShown = 4;
  std::string names;
  for (int i = 0; i < type.field_count() && i < kShown; ++i) {
    names += StrCat({i > 0 ? ", " : "", type.field(i)->name()});
  }
  return type.field_count() > kShown ? names + ", ..." : names;
}

std::string OneofNames(const OneofDescriptor& oneof) {
  std::vector<std::string> names;
  for (int i = 0; i < oneof.field_count(); ++i) names.push_back(oneof.field(i)->name());
  return JoinAlternatives(names);
}

bool IsFilterUse(const FieldDescriptor& field) {
  return field.message_type() == config::FilterUse::descriptor();
}

size_t Index(const FieldDescriptor& field) { return static_cast<size_t>(field.index()); }

// A default as a node: "{}", "[a, b]" or a scalar.
Node DefaultNode(std::string_view text, Mark mark) {
  Node node;
  node.mark = mark;
  if (text == "{}") {
    node.kind = Node::Kind::kMap;
  } else if (text.size() >= 2 && text.front() == '[' && text.back() == ']') {
    node.kind = Node::Kind::kList;
    ForEachListElement(text.substr(1, text.size() - 2), [&](std::string_view element) {
      node.items.push_back(DefaultNode(element, mark));
      return true;
    });
  } else {
    node.kind = Node::Kind::kScalar;
    node.text = text;
  }
  return node;
}

}  // namespace

MapForm MapFormOf(const Descriptor& type) {
  if (type.options().map_entry()) return {type.map_key(), type.map_value()};
  const auto& options = type.options();
  return {type.FindFieldByName(options.GetExtension(config::map_key)),
          type.FindFieldByName(options.GetExtension(config::map_value))};
}

std::string FieldPath::Text() const {
  std::string text = parent == nullptr ? "" : parent->Text();
  if (index != kNoIndex) return StrCat({text, "[", Decimal(index), "]"});
  if (!text.empty() && !name.empty()) text += '.';
  return text.append(name);
}

void RefuseDuplicateKeys(const Node& map, const FieldPath& path, ConfigProblems& problems) {
  std::unordered_map<std::string_view, int> lines;
  for (const Node::Key& key : map.keys) {
    const auto [first, added] = lines.emplace(key.name, key.mark.line);
    if (added) continue;
    problems.Add(key.mark, path.Text(),
                 StrCat({Quoted(key.name), " is written twice, first in line ",
                         std::to_string(first->second)}));
  }
}

void MessageReader::Add(Mark mark, const FieldPath& path, std::string message) {
  problems_.Add(mark, path.Text(), std::move(message));
}

void MessageReader::Read(const Node& node, const FieldPath& path, Message& message) {
  ReadMessage(node, path, message, Mode::kFill);
}

void MessageReader::Overlay(const Node& node, const FieldPath& path, Message& message) {
  ReadMessage(node, path, message, Mode::kOverlay);
}

void MessageReader::ReadMessage(const Node& node, const FieldPath& path, Message& message,
                                Mode mode, const Field* given) {
  const Descriptor& type = *message.GetDescriptor();
  std::vector<bool> written(static_cast<size_t>(type.field_count()));
  if (given != nullptr) written[Index(*given)] = true;
  if (node.kind == Node::Kind::kMap) {
    ReadEntries(node, path, message, mode, written);
  } else if (node.kind != Node::Kind::kNull) {
    const std::string& short_form = type.options().GetExtension(config::short_form);
    const Field* field = type.FindFieldByName(short_form);
    if (field == nullptr || (node.kind == Node::Kind::kList && !field->is_repeated() &&
                             field->cpp_type() != Field::CPPTYPE_MESSAGE)) {
      Add(node.mark, path,
          StrCat({"expected a map of ", SomeFields(type), ", got ", Describe(node)}));
      return;
    }
    written[Index(*field)] = true;
    ReadField(*field, node, path, message, mode);
  }
  if (mode == Mode::kFill) Complete(node, path, message, written);
}

void MessageReader::ReadEntries(const Node& node, const FieldPath& path, Message& message,
                                Mode mode, std::vector<bool>& written) {
  RefuseDuplicateKeys(node, path, problems_);
  const Descriptor& type = *message.GetDescriptor();
  for (size_t i = 0; i < node.keys.size(); ++i) {
    const Node::Key& key = node.keys[i];
    const Field* field = type.FindFieldByName(key.name);
    if (field == nullptr) {
      Add(key.mark, path,
          StrCat({"unknown field ", Quoted(key.name),
                  problems_.full() ? "" : DidYouMean(key.name, FieldNames(type))}));
      continue;
    }
    // A name without a value, all of it commented out: as if it were not there.
    if (node.items[i].kind == Node::Kind::kNull) continue;
    if (written[Index(*field)] || ExcludedByOneof(*field, key, path, message, written)) continue;
    written[Index(*field)] = true;
    ReadField(*field, node.items[i], FieldPath{&path, key.name}, message, mode);
  }
}

bool MessageReader::ExcludedByOneof(const Field& field, const Node::Key& key, const FieldPath& path,
                                    const Message& message, const std::vector<bool>& written) {
  const OneofDescriptor* oneof = field.real_containing_oneof();
  if (oneof == nullptr) return false;
  const Field* other = message.GetReflection()->GetOneofFieldDescriptor(message, oneof);
  if (other == nullptr || !written[Index(*other)]) return false;
  Add(key.mark, path,
      StrCat({Quoted(key.name), " and ", Quoted(other->name()),
              " exclude each other: write only one of ", OneofNames(*oneof)}));
  return true;
}

void MessageReader::Complete(const Node& node, const FieldPath& path, Message& message,
                             const std::vector<bool>& written) {
  const Descriptor& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const Field& field = *type.field(i);
    if (written[Index(field)]) continue;
    if (field.options().GetExtension(config::required)) {
      Add(node.mark, path, StrCat({Quoted(field.name()), " is missing"}));
    } else if (field.options().HasExtension(config::default_value)) {
      ReadDefault(field, node.mark, FieldPath{&path, field.name()}, message);
    }
  }
  for (int i = 0; i < type.real_oneof_decl_count(); ++i) {
    RequireOneof(*type.oneof_decl(i), node, path, message);
  }
}

void MessageReader::RequireOneof(const OneofDescriptor& oneof, const Node& node,
                                 const FieldPath& path, const Message& message) {
  if (!oneof.options().GetExtension(config::one_required) ||
      message.GetReflection()->HasOneof(message, &oneof)) {
    return;
  }
  // One that is there but wrong has been told already.
  for (int i = 0; i < oneof.field_count(); ++i) {
    const Node* written = node.Find(oneof.field(i)->name());
    if (written != nullptr && written->kind != Node::Kind::kNull) return;
  }
  Add(node.mark, path, StrCat({"one of ", OneofNames(oneof), " is missing"}));
}

void MessageReader::ReadDefault(const Field& field, Mark mark, const FieldPath& path,
                                Message& message) {
  const std::string& text = field.options().GetExtension(config::default_value);
  ReadField(field, DefaultNode(text, mark), path, message, Mode::kFill);
}

void MessageReader::ReadField(const Field& field, const Node& node, const FieldPath& path,
                              Message& message, Mode mode) {
  if (field.cpp_type() == Field::CPPTYPE_MESSAGE && IsFilterUse(field)) return;
  if (field.is_repeated()) {
    ReadList(field, node, path, message);
  } else if (field.cpp_type() == Field::CPPTYPE_MESSAGE) {
    const Reflection& reflection = *message.GetReflection();
    const bool there = reflection.HasField(message, &field);
    ReadMessage(node, path, *reflection.MutableMessage(&message, &field),
                there ? mode : Mode::kFill);
  } else {
    ReadScalar(field, node, path, message);
  }
}

void MessageReader::ReadList(const Field& field, const Node& node, const FieldPath& path,
                             Message& message) {
  const Reflection& reflection = *message.GetReflection();
  reflection.ClearField(&message, &field);
  const bool messages = field.cpp_type() == Field::CPPTYPE_MESSAGE;
  if (messages && node.kind == Node::Kind::kMap && MapFormOf(*field.message_type()).key) {
    ReadMapForm(field, node, path, message);
  } else if (node.kind == Node::Kind::kList) {
    for (size_t i = 0; i < node.items.size(); ++i) {
      const Node& item = node.items[i];
      const FieldPath item_path{&path, "", i};
      // Also one that is wrong: positions in the message and in the file stay the same.
      Message* added = messages ? reflection.AddMessage(&message, &field) : nullptr;
      if (item.kind == Node::Kind::kNull) {
        Add(item.mark, item_path, StrCat({"expected ", FieldTypeName(field), ", got nothing"}));
      } else if (messages) {
        ReadMessage(item, item_path, *added, Mode::kFill);
      } else {
        ReadScalar(field, item, item_path, message);
      }
    }
  } else if (field.options().GetExtension(config::one_or_list)) {
    if (messages) {
      ReadMessage(node, path, *reflection.AddMessage(&message, &field), Mode::kFill);
    } else {
      ReadScalar(field, node, path, message);
    }
    return;
  } else {
    Add(node.mark, path, StrCat({"expected a list, got ", Describe(node)}));
    return;
  }
  const std::string& max = field.options().GetExtension(config::max);
  if (messages && !max.empty() && node.items.size() > ParseDecimal(max).value_or(0)) {
    Add(node.mark, path, StrCat({"must have at most ", max, " elements"}));
  }
  if (node.items.empty() && field.options().GetExtension(config::required)) {
    Add(node.mark, path, "must not be empty");
  }
}

void MessageReader::ReadMapForm(const Field& field, const Node& node, const FieldPath& path,
                                Message& message) {
  RefuseDuplicateKeys(node, path, problems_);
  const MapForm form = MapFormOf(*field.message_type());
  for (size_t i = 0; i < node.keys.size(); ++i) {
    const Node::Key& key = node.keys[i];
    const FieldPath item_path{&path, key.name};
    Node name;
    name.kind = Node::Kind::kScalar;
    name.mark = key.mark;
    name.text = key.name;
    Message& added = *message.GetReflection()->AddMessage(&message, &field);
    ReadScalar(*form.key, name, item_path, added);
    if (form.value == nullptr) {
      if (node.items[i].Find(form.key->name()) != nullptr) {
        Add(node.items[i].mark, item_path,
            StrCat({Quoted(form.key->name()), " is what stands before it: leave it out"}));
      }
      ReadMessage(node.items[i], item_path, added, Mode::kFill, form.key);
    } else if (node.items[i].kind == Node::Kind::kNull) {
      Add(key.mark, item_path, StrCat({"expected ", FieldTypeName(*form.value), ", got nothing"}));
    } else {
      ReadField(*form.value, node.items[i], item_path, added, Mode::kFill);
    }
  }
}

void MessageReader::ReadScalar(const Field& field, const Node& node, const FieldPath& path,
                               Message& message) {
  if (node.broken) return;
  const bool secret = node.secret || field.options().GetExtension(config::secret);
  if (secret && node.kind == Node::Kind::kScalar) {
    problems_.HideSecret(node.text);
    problems_.NoteSecretAt(node.mark);
    if (node.text == kHidden) {
      return Add(node.mark, path,
                 StrCat({kHidden,
                         " stands where a secret was left out: write the secret, or "
                         "${file:PATH}"}));
    }
  }
  std::optional<FieldValue> value;
  if (node.kind == Node::Kind::kScalar) value = ParseFieldValue(field, node.text);
  if (!value) {
    std::string hint;
    if (field.cpp_type() == Field::CPPTYPE_ENUM && node.kind == Node::Kind::kScalar && !secret) {
      std::vector<std::string> names;
      for (int i = 0; i < field.enum_type()->value_count(); ++i) {
        names.push_back(EnumText(*field.enum_type()->value(i)));
      }
      hint = DidYouMean(node.text, names);
    }
    Add(node.mark, path,
        StrCat({"expected ", FieldTypeName(field), ", got ",
                secret && node.kind == Node::Kind::kScalar ? "a secret" : Describe(node), hint}));
    return;
  }
  const std::string fault = CheckFieldValue(field, *value, node.text);
  if (!fault.empty()) {
    Add(node.mark, path,
        secret ? StrCat({"the secret is not ", FieldTypeName(field), ", or out of bounds"})
               : fault);
  } else if (node.text.empty() && field.options().GetExtension(config::required)) {
    Add(node.mark, path, "must not be empty");
  }
  // Also one that is out of bounds: a name that breaks a rule is still what others refer to.
  StoreFieldValue(field, *std::move(value), message);
}

}  // namespace sluice
