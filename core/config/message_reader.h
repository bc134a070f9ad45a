// Fills any protobuf message from a Node tree, as the options of units.proto say: units, forms,
// short forms, defaults, bounds. Every fault is told with its place; reading goes on after it. One
// loader for the core's schema and for each filter's. Main thread.
#ifndef SLUICE_CORE_CONFIG_MESSAGE_READER_H_
#define SLUICE_CORE_CONFIG_MESSAGE_READER_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/error.h"
#include "core/config/node.h"

namespace google::protobuf {
class Descriptor;
class FieldDescriptor;
class Message;
class OneofDescriptor;
}  // namespace google::protobuf

namespace sluice {

// Where the reader is, as a chain on the stack: text is made only for messages.
struct FieldPath {
  static constexpr size_t kNoIndex = static_cast<size_t>(-1);

  const FieldPath* parent = nullptr;  // outlives this
  std::string_view name;              // either a name
  size_t index = kNoIndex;            // or a place in a list

  std::string Text() const;  // listeners[0].timeouts.head
};

class MessageReader {
 public:
  explicit MessageReader(ConfigProblems& problems) : problems_(problems) {}

  // Fills the empty `message`; fields that are not written get their defaults. Fields of type
  // FilterUse are left alone: filter_reader.h reads them.
  void Read(const Node& node, const FieldPath& path, google::protobuf::Message& message);

  // Lays what is written over what `message` holds: lists are replaced, messages merged, and what
  // is not written stays.
  void Overlay(const Node& node, const FieldPath& path, google::protobuf::Message& message);

 private:
  enum class Mode { kFill, kOverlay };
  using Message = google::protobuf::Message;
  using Field = google::protobuf::FieldDescriptor;

  // `given`: a field that is set already, by the key of a map form.
  void ReadMessage(const Node& node, const FieldPath& path, Message& message, Mode mode,
                   const Field* given = nullptr);
  void ReadEntries(const Node& node, const FieldPath& path, Message& message, Mode mode,
                   std::vector<bool>& written);
  bool ExcludedByOneof(const Field& field, const Node::Key& key, const FieldPath& path,
                       const Message& message, const std::vector<bool>& written);
  // Defaults, and what is required but not there.
  void Complete(const Node& node, const FieldPath& path, Message& message,
                const std::vector<bool>& written);
  void RequireOneof(const google::protobuf::OneofDescriptor& oneof, const Node& node,
                    const FieldPath& path, const Message& message);

  void ReadField(const Field& field, const Node& node, const FieldPath& path, Message& message,
                 Mode mode);
  void ReadList(const Field& field, const Node& node, const FieldPath& path, Message& message);
  void ReadMapForm(const Field& field, const Node& node, const FieldPath& path, Message& message);
  void ReadScalar(const Field& field, const Node& node, const FieldPath& path, Message& message);
  void ReadDefault(const Field& field, Mark mark, const FieldPath& path, Message& message);

  void Add(Mark mark, const FieldPath& path, std::string message);

  ConfigProblems& problems_;
};

// The fields that a map's keys and values fill where a list of `type` is due; null if none.
struct MapForm {
  const google::protobuf::FieldDescriptor* key = nullptr;
  const google::protobuf::FieldDescriptor* value = nullptr;  // null: the rest of the message
};
MapForm MapFormOf(const google::protobuf::Descriptor& type);

// Refuses keys that stand twice in a map.
void RefuseDuplicateKeys(const Node& map, const FieldPath& path, ConfigProblems& problems);

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_MESSAGE_READER_H_
