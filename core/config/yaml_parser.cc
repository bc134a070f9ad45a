#include "core/config/yaml_parser.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <sstream>
#include <unordered_map>
#include <utility>

#include "core/base/strings.h"

namespace sluice {
namespace {

// yaml-cpp counts from 0.
Mark MarkOf(const YAML::Mark& mark) { return Mark{mark.line + 1, mark.column + 1}; }

// Leaves yaml-cpp's parser from inside an event; caught in Parse.
struct Stop {
  ParseProblem problem;
};

size_t Depth(const Node& node) {
  size_t deepest = 0;
  for (const Node& item : node.items) deepest = std::max(deepest, Depth(item));
  return deepest + 1;
}

size_t Count(const Node& node) {
  size_t count = 1;
  for (const Node& item : node.items) count += Count(item);
  return count;
}

// Builds the tree from yaml-cpp's events: its own tree would share aliased nodes, which is how a
// small file becomes a large one, and keeps no order we could rely on.
class Builder : public YAML::EventHandler {
 public:
  std::optional<Node> root;

  // Where the innermost map or list begins that has not ended; null if there is none.
  const Mark* open() const { return stack_.empty() ? nullptr : &stack_.back().node.mark; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (root) Fail(mark, "a second document: one file holds one configuration");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Attach(Start(Node::Kind::kNull, mark), mark, anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    RefuseTag(mark, tag);
    Node node = Start(Node::Kind::kScalar, mark);
    node.text = value;
    Attach(std::move(node), mark, anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) Fail(mark, "an alias inside what it stands for");
    if (stack_.size() + Depth(found->second) > kMaxConfigDepth) FailDepth(mark);
    count_ += Count(found->second);
    if (count_ > kMaxConfigNodes) FailCount(mark);
    Attach(found->second, mark, 0);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    RefuseTag(mark, tag);
    Open(Node::Kind::kList, mark, anchor);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    RefuseTag(mark, tag);
    Open(Node::Kind::kMap, mark, anchor);
  }
  void OnMapEnd() override { Close(); }

 private:
  struct Frame {
    Node node;
    YAML::Mark mark;
    YAML::anchor_t anchor;
  };

  [[noreturn]] static void Fail(const YAML::Mark& mark, std::string message) {
    throw Stop{ParseProblem{MarkOf(mark), std::move(message)}};
  }
  [[noreturn]] static void FailDepth(const YAML::Mark& mark) {
    Fail(mark, StrCat({"nested deeper than ", Decimal(kMaxConfigDepth), " levels"}));
  }
  [[noreturn]] static void FailCount(const YAML::Mark& mark) {
    Fail(mark, StrCat({"more than ", Decimal(kMaxConfigNodes), " values, aliases expanded"}));
  }
  // "?" is a plain scalar or collection, "!" a quoted one.
  static void RefuseTag(const YAML::Mark& mark, const std::string& tag) {
    if (!tag.empty() && tag != "?" && tag != "!")
      Fail(mark, StrCat({"tags such as ", tag, " mean nothing here"}));
  }

  Node Start(Node::Kind kind, const YAML::Mark& mark) {
    if (++count_ > kMaxConfigNodes) FailCount(mark);
    Node node;
    node.kind = kind;
    node.mark = MarkOf(mark);
    return node;
  }

  void Open(Node::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (stack_.size() == kMaxConfigDepth) FailDepth(mark);
    stack_.push_back(Frame{Start(kind, mark), mark, anchor});
  }

  void Close() {
    Frame frame = std::move(stack_.back());
    stack_.pop_back();
    Attach(std::move(frame.node), frame.mark, frame.anchor);
  }

  void Attach(Node node, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0) {
      // The copy counts too: a file may hold many anchors, nested.
      count_ += Count(node);
      if (count_ > kMaxConfigNodes) FailCount(mark);
      anchors_.insert_or_assign(anchor, node);
    }
    if (stack_.empty()) {
      root = std::move(node);
      return;
    }
    Node& parent = stack_.back().node;
    if (parent.kind == Node::Kind::kMap && parent.keys.size() == parent.items.size()) {
      if (node.kind == Node::Kind::kNull) Fail(mark, "a key is missing");
      if (node.kind != Node::Kind::kScalar) Fail(mark, "a key must be a name");
      parent.keys.push_back(Node::Key{std::move(node.text), node.mark});
      return;
    }
    // What is left out stands nowhere: yaml-cpp marks the token that follows.
    if (node.kind == Node::Kind::kNull && parent.kind == Node::Kind::kMap) {
      node.mark = parent.keys.back().mark;
    }
    parent.items.push_back(std::move(node));
  }

  std::vector<Frame> stack_;
  std::unordered_map<YAML::anchor_t, Node> anchors_;
  size_t count_ = 0;
};

constexpr std::string_view kOpenList = "end of sequence flow not found";
constexpr std::string_view kOpenMap = "end of map flow not found";

// yaml-cpp's own words, where they do not tell what to do.
std::string Explain(const std::string& message) {
  if (message == "unknown token") {
    return "a value cannot begin with this character: put it in quotes";
  }
  if (message == "illegal map value") {
    return "a \":\" does not belong here: check the indentation, and quote values that hold one";
  }
  if (message == kOpenList) return "this \"[\" has no \"]\"";
  if (message == kOpenMap) return "this \"{\" has no \"}\"";
  return message;
}

// A character outside the basic plane is two escapes in JSON, a surrogate pair, but one in YAML.
std::string JoinSurrogates(std::string_view text) {
  const auto unit = [&](size_t at) -> uint32_t {  // of \uXXXX; 0 if there is none
    if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return 0;
    uint32_t value = 0;
    const char* end = text.data() + at + 6;
    const auto [stopped, error] = std::from_chars(text.data() + at + 2, end, value, 16);
    return error == std::errc() && stopped == end ? value : 0;
  };
  std::string joined;
  joined.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const uint32_t high = unit(i);
    const uint32_t low = high >= 0xd800 && high < 0xdc00 ? unit(i + 6) : 0;
    if (low >= 0xdc00 && low < 0xe000) {
      const uint32_t character = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
      char digits[9] = "00000000";
      const auto [end, error] = std::to_chars(digits, digits + 8, character, 16);
      const auto length = static_cast<size_t>(end - digits);
      joined += "\\U";
      joined.append(8 - length, '0');
      joined.append(digits, length);
      i += 12;
    } else {
      const size_t length = text[i] == '\\' ? 2 : 1;  // an escaped backslash escapes nothing more
      joined += text.substr(i, length);
      i += length;
    }
  }
  return joined;
}

ParseResult Parse(std::string text) {
  const auto problem = [](Mark mark, std::string message) {
    return tl::unexpected<ParseProblem>(ParseProblem{mark, std::move(message)});
  };
  Builder builder;
  try {
    std::istringstream stream(std::move(text));
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Stop& stop) {
    return problem(stop.problem.mark, stop.problem.message);
  } catch (const YAML::Exception& error) {
    // Where it begins tells more than where the end was missed, which is often the file's end.
    const bool unended = error.msg == kOpenList || error.msg == kOpenMap;
    if (unended && builder.open() != nullptr) return problem(*builder.open(), Explain(error.msg));
    return problem(error.mark.is_null() ? Mark() : MarkOf(error.mark), Explain(error.msg));
  } catch (const std::exception& error) {
    return problem(Mark(), error.what());
  }
  if (!builder.root || builder.root->kind == Node::Kind::kNull) {
    Node empty;
    empty.kind = Node::Kind::kMap;
    return empty;
  }
  return std::move(*builder.root);
}

}  // namespace

ParseResult ParseYaml(std::string_view text) { return Parse(std::string(text)); }
ParseResult ParseJson(std::string_view text) { return Parse(JoinSurrogates(text)); }

}  // namespace sluice
