#include "core/config/filter_reader.h"

#include <google/protobuf/message.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/strings.h"
#include "core/config/config.pb.h"
#include "core/config/message_reader.h"
#include "core/config/text.h"
#include "core/config/units.h"

namespace sluice {
namespace {

using google::protobuf::Message;
using google::protobuf::RepeatedPtrField;

const Node kEmpty;

const Node& Field(const Node& node, std::string_view name) {
  const Node* field = node.Find(name);
  return field == nullptr ? kEmpty : *field;
}

const Node& Item(const Node& node, int index) {
  const auto at = static_cast<size_t>(index);
  return node.kind == Node::Kind::kList && at < node.items.size() ? node.items[at] : kEmpty;
}

// The filters of one listener, and what its routes make of them.
class Chain {
 public:
  Chain(const FilterSchemas& schemas, ConfigProblems& problems)
      : schemas_(schemas), problems_(problems), reader_(problems) {}

  void ReadListener(const Node& node, const FieldPath& path, config::Listener& listener) {
    ReadFilters(Field(node, "filters"), FieldPath{&path, "filters"}, *listener.mutable_filters());
    ReadRoutes(node, path, *listener.mutable_routes());
    const Node& hosts = Field(node, "hosts");
    const FieldPath hosts_path{&path, "hosts"};
    for (int i = 0; i < listener.hosts_size(); ++i) {
      ReadRoutes(Item(hosts, i), FieldPath{&hosts_path, "", static_cast<size_t>(i)},
                 *listener.mutable_hosts(i)->mutable_routes());
    }
  }

 private:
  struct Entry {
    std::string name;
    std::unique_ptr<Message> config;  // null: there is no such filter
  };

  void ReadFilters(const Node& node, const FieldPath& path,
                   RepeatedPtrField<config::FilterUse>& uses) {
    if (node.kind == Node::Kind::kNull) return;
    if (node.kind != Node::Kind::kList) {
      Add(node.mark, path,
          StrCat(
              {"expected a list such as [cors, { access_log: { ... } }], got ", Describe(node)}));
      return;
    }
    for (size_t i = 0; i < node.items.size(); ++i) {
      // Also one that is wrong: positions in the message and in the file stay the same.
      ReadFilter(node.items[i], FieldPath{&path, "", i}, *uses.Add());
    }
  }

  void ReadFilter(const Node& node, const FieldPath& path, config::FilterUse& use) {
    if (node.kind == Node::Kind::kScalar) {
      ReadConfig(node.text, node.mark, kEmpty, path, use);
    } else if (node.kind == Node::Kind::kMap && node.keys.size() == 1) {
      const Node::Key& key = node.keys[0];
      ReadConfig(key.name, key.mark, node.items[0], path, use);
    } else if (node.kind == Node::Kind::kMap && node.keys.size() > 1) {
      const std::string& name = node.keys[0].name;
      Add(node.keys[1].mark, path,
          StrCat({"expected one filter with its config, got ", Quoted(node.keys[1].name),
                  " beside ", Quoted(name), ": indent the fields of ", name,
                  " deeper than its name"}));
    } else {
      Add(node.mark, path,
          StrCat({"expected a filter's name, alone or with its config, got ", Describe(node)}));
    }
  }

  void ReadConfig(const std::string& name, Mark mark, const Node& node, const FieldPath& path,
                  config::FilterUse& use) {
    use.set_name(name);
    const Message* prototype = schemas_.Prototype(name);
    entries_.push_back(Entry{name, nullptr});
    if (prototype == nullptr) {
      RefuseUnknown(name, mark, path);
      return;
    }
    std::unique_ptr<Message> message(prototype->New());
    const FieldPath config_path{&path, name};
    if (node.kind == Node::Kind::kScalar && ParseSwitch(node.text) == false) {
      Add(node.mark, config_path, "a filter can be off only in a route: leave it out here");
    } else if (node.kind == Node::Kind::kNull) {
      Node nothing;
      nothing.mark = mark;
      reader_.Read(nothing, config_path, *message);
    } else {
      reader_.Read(node, config_path, *message);
    }
    use.mutable_config()->PackFrom(*message);
    entries_.back().config = std::move(message);
  }

  void ReadRoutes(const Node& parent, const FieldPath& path,
                  RepeatedPtrField<config::Route>& routes) {
    const Node& nodes = Field(parent, "routes");
    const FieldPath list_path{&path, "routes"};
    for (int i = 0; i < routes.size(); ++i) {
      const Node& filters = Field(Item(nodes, i), "filters");
      if (filters.kind == Node::Kind::kNull) continue;
      const FieldPath route_path{&list_path, "", static_cast<size_t>(i)};
      ReadOverrides(filters, FieldPath{&route_path, "filters"}, *routes.Mutable(i));
    }
  }

  void ReadOverrides(const Node& node, const FieldPath& path, config::Route& route) {
    if (node.kind != Node::Kind::kMap) {
      Add(node.mark, path,
          StrCat({"expected a map such as { cors: off, headers: { ... } }, got ", Describe(node)}));
      return;
    }
    RefuseDuplicateKeys(node, path, problems_);
    for (size_t i = 0; i < node.keys.size(); ++i) {
      ReadOverride(node.keys[i], node.items[i], path, route);
    }
  }

  void ReadOverride(const Node::Key& key, const Node& node, const FieldPath& path,
                    config::Route& route) {
    const auto has_name = [&](const Entry& entry) { return entry.name == key.name; };
    const auto entry = std::find_if(entries_.begin(), entries_.end(), has_name);
    if (entry == entries_.end()) {
      RefuseOutsider(key, path);
      return;
    }
    if (entry->config == nullptr) return;  // told where the listener names it
    const auto flag = node.kind == Node::Kind::kScalar ? ParseSwitch(node.text) : std::nullopt;
    if (flag == true || node.kind == Node::Kind::kNull) return;  // as in the listener
    if (flag == false) {
      config::FilterUse& use = *route.add_filters();
      use.set_name(key.name);
      use.set_off(true);
      return;
    }
    const FieldPath config_path{&path, key.name};
    if (std::count_if(entries_.begin(), entries_.end(), has_name) > 1) {
      Add(key.mark, config_path,
          "the listener has several filters of this name: a route can only set them off");
      return;
    }
    std::unique_ptr<Message> message(entry->config->New());
    message->CopyFrom(*entry->config);
    reader_.Overlay(node, config_path, *message);
    config::FilterUse& use = *route.add_filters();
    use.set_name(key.name);
    use.mutable_config()->PackFrom(*message);
  }

  void RefuseUnknown(const std::string& name, Mark mark, const FieldPath& path) {
    std::vector<std::string> names = schemas_.Names();
    std::sort(names.begin(), names.end());
    Add(mark, path, StrCat({"there is no filter ", Quoted(name), DidYouMean(name, names)}));
  }

  void RefuseOutsider(const Node::Key& key, const FieldPath& path) {
    if (schemas_.Prototype(key.name) == nullptr) {
      RefuseUnknown(key.name, key.mark, path);
      return;
    }
    Add(key.mark, path,
        StrCat({"the filter ", Quoted(key.name), " is not among the listener's filters"}));
  }

  void Add(Mark mark, const FieldPath& path, std::string message) {
    problems_.Add(mark, path.Text(), std::move(message));
  }

  const FilterSchemas& schemas_;
  ConfigProblems& problems_;
  MessageReader reader_;
  std::vector<Entry> entries_;
};

}  // namespace

void ReadFilters(const Node& root, const FilterSchemas& schemas, config::Config& config,
                 ConfigProblems& problems) {
  const Node& nodes = Field(root, "listeners");
  const FieldPath top;
  const FieldPath list_path{&top, "listeners"};
  for (int i = 0; i < config.listeners_size(); ++i) {
    Chain(schemas, problems)
        .ReadListener(Item(nodes, i), FieldPath{&list_path, "", static_cast<size_t>(i)},
                      *config.mutable_listeners(i));
  }
}

}  // namespace sluice
