#include "core/config/redaction.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "core/base/strings.h"
#include "core/config/config.pb.h"
#include "core/config/filter_reader.h"
#include "core/config/message_reader.h"
#include "core/config/secrets.h"

namespace sluice {
namespace {

using Place = std::pair<int, int>;  // line, column

Place PlaceOf(Mark mark) { return {mark.line, mark.column}; }

// A value that stands elsewhere alone: "${TOKEN}", "${file:/run/secrets/token}".
bool IsReference(std::string_view text) {
  return text.starts_with("${") && text.find('}') == text.size() - 1 &&
         text.find(":-") == std::string_view::npos;
}

class Redactor {
 public:
  explicit Redactor(std::string_view text) : text_(text) {
    lines_.push_back(0);
    for (size_t at = 0; (at = text.find('\n', at)) != std::string_view::npos;) {
      lines_.push_back(++at);
    }
  }

  // Notes where everything begins.
  void Visit(const Node& node) {
    places_.insert(PlaceOf(node.mark));
    if (node.kind == Node::Kind::kScalar && node.text.find("${") != std::string::npos) {
      written_elsewhere_.insert(PlaceOf(node.mark));
      if (IsReference(node.text)) references_.insert(PlaceOf(node.mark));
    }
    for (const Node::Key& key : node.keys) places_.insert(PlaceOf(key.mark));
    for (const Node& item : node.items) Visit(item);
  }

  // What it stands for may be what is due there.
  bool MayBeRight(const ConfigError& error) const {
    return written_elsewhere_.count({error.line, error.column}) != 0;
  }

  std::string Run(const std::vector<Mark>& secrets) {
    std::set<Place> hidden;
    for (const Mark mark : secrets) hidden.insert(PlaceOf(mark));
    std::string out;
    size_t done = 0;
    for (const Place& place : hidden) {
      if (references_.count(place) != 0) continue;
      const auto next = places_.upper_bound(place);
      const size_t begin = std::max(done, Begin(place));
      const size_t end =
          std::max(begin, next == places_.end() ? text_.size() : End(*next, place.first));
      out.append(text_.substr(done, begin - done)).append(kHidden);
      done = end;
      if (done > 0 && text_[done - 1] == '\n') out += '\n';
      if (next != places_.end()) out += Indent(*next, done);
    }
    return out.append(text_.substr(done));
  }

 private:
  size_t LineBegin(int line) const {
    const auto index = static_cast<size_t>(std::max(line, 1) - 1);
    return index < lines_.size() ? lines_[index] : text_.size();
  }
  size_t LineEnd(int line) const { return LineBegin(line + 1); }

  // Parsers do not agree on what a column counts beyond ASCII: there whole lines are hidden.
  bool Plain(int line) const {
    const std::string_view all = text_.substr(LineBegin(line), LineEnd(line) - LineBegin(line));
    return std::all_of(all.begin(), all.end(), [](char c) { return (c & 0x80) == 0; });
  }
  size_t At(const Place& place) const {
    return std::min(LineBegin(place.first) + static_cast<size_t>(std::max(place.second, 1) - 1),
                    LineEnd(place.first));
  }
  size_t Begin(const Place& place) const {
    return Plain(place.first) ? At(place) : LineBegin(place.first);
  }
  // Of what began in `line`: there begins the next value or key, or the indent before it.
  size_t End(const Place& next, int line) const {
    if (!Plain(next.first)) return LineEnd(next.first);
    const size_t begin = LineBegin(next.first);
    const std::string_view before = text_.substr(begin, At(next) - begin);
    return next.first > line && IsIndent(before) ? begin : At(next);
  }
  static bool IsIndent(std::string_view text) {
    return text.find_first_not_of(" \t-") == std::string_view::npos;
  }
  // Between what was hidden and what follows it in the same line.
  std::string_view Indent(const Place& next, size_t done) const {
    return done == At(next) && done != LineBegin(next.first) ? ", " : "";
  }

  const std::string_view text_;
  std::vector<size_t> lines_;
  std::set<Place> places_;
  std::set<Place> references_;
  std::set<Place> written_elsewhere_;
};

}  // namespace

Result<std::string> RedactedText(std::string_view text, ConfigFormat format,
                                 const FilterSchemas& schemas) {
  const ParseResult parsed = ParseConfig(text, format);
  if (!parsed) return Fail(Code::kInvalidArgument, parsed.error().message);
  Redactor redactor(text);
  redactor.Visit(*parsed);
  ConfigProblems problems("");
  config::Config config;
  MessageReader(problems).Read(*parsed, FieldPath{}, config);
  ReadFilters(*parsed, schemas, config, problems);
  const std::vector<Mark> marks = problems.secret_marks();
  std::vector<std::string> secrets = problems.secrets();
  std::erase_if(secrets, IsReference);
  for (const ConfigError& error : problems.TakeErrors()) {
    if (!redactor.MayBeRight(error)) return Fail(Code::kInvalidArgument, error.message);
  }
  // A comment may have it, too.
  return WithoutSecrets(redactor.Run(marks), secrets);
}

Result<std::string> RedactedDiff(const ConfigVersion& before, const ConfigVersion& after,
                                 const FilterSchemas& schemas) {
  ConfigVersion redacted[] = {before, after};
  for (ConfigVersion& version : redacted) {
    Result<std::string> text = RedactedText(version.text, version.format, schemas);
    if (!text) {
      return Fail(Code::kInvalidArgument,
                  StrCat({"version ", Decimal(version.version),
                          " is not shown: which of it is secret cannot be told, it is not good any "
                          "more: ",
                          text.error().detail}));
    }
    version.text = *std::move(text);
  }
  std::string diff = ConfigDiff(redacted[0], redacted[1]);
  if (diff.empty() && before.hash != after.hash) diff = "only what is secret differs\n";
  return diff;
}

}  // namespace sluice
