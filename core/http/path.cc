#include "core/http/path.h"

#include <array>
#include <cstring>

namespace sluice {
namespace {

enum Class : uint8_t { kPlain, kSlash, kQuery, kEscape, kBackslash, kBad };

constexpr std::array<Class, 256> kClasses = [] {
  std::array<Class, 256> classes{};
  for (size_t c = 0; c <= 0x20; ++c) classes[c] = kBad;
  classes[0x7f] = kBad;
  classes['#'] = kBad;
  classes['/'] = kSlash;
  classes['?'] = kQuery;
  classes['%'] = kEscape;
  classes['\\'] = kBackslash;
  return classes;
}();

Class ClassOf(char c) { return kClasses[static_cast<uint8_t>(c)]; }

tl::unexpected<Error> Refused() {
  return Fail(Code::kProtocol, "path_normalization_failed", Side::kDownstream);
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Does `text` begin with a percent sign and two hexadecimal digits?
bool IsEscape(std::string_view text) {
  return text.size() >= 3 && HexDigit(text[1]) >= 0 && HexDigit(text[2]) >= 0;
}

bool IsUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

// Does a segment that is "." or ".." begin behind the slash at `i`?
bool DotSegmentFollows(std::string_view path, size_t i) {
  size_t end = i + 1;
  while (end < path.size() && path[end] == '.') ++end;
  const size_t dots = end - i - 1;
  if (dots != 1 && dots != 2) return false;
  return end == path.size() || path[end] == '/' || path[end] == '?' || path[end] == '\\';
}

// Writes the normal form of one path. What it writes is never longer than what it reads.
class Normalizer {
 public:
  Normalizer(const PathOptions& options, char* out)
      : options_(options), begin_(out), at_(out), segment_(out) {}

  // False if the path is refused. REQUIRES: path begins with a slash and has no query.
  bool Run(std::string_view path) {
    *at_++ = '/';
    segment_ = at_;
    for (size_t i = 1; i < path.size(); ++i) {
      switch (ClassOf(path[i])) {
        case kSlash:
          EndSegment(false);
          break;
        case kBackslash:
          if (!Separator(path.substr(i, 1))) return false;
          break;
        case kEscape:
          if (IsEscape(path.substr(i))) {
            if (!Escape(path.substr(i, 3))) return false;
            i += 2;
          } else if (options_.normalize) {
            return false;
          } else {
            *at_++ = path[i];
          }
          break;
        case kBad:
          return false;
        default:
          *at_++ = path[i];
      }
    }
    EndSegment(true);
    return true;
  }
  char* end() const { return at_; }
  bool redirect() const { return redirect_; }

 private:
  bool Escape(std::string_view text) {
    const char c = static_cast<char>(HexDigit(text[1]) * 16 + HexDigit(text[2]));
    if (c == '/' || c == '\\') return Separator(text);
    if (!options_.normalize) {
      Copy(text);
      return true;
    }
    if (c == '\0') return false;
    if (IsUnreserved(c)) {
      *at_++ = c;
    } else {
      CopyUpper(text);
    }
    return true;
  }

  // A backslash, or the escape of one or of a slash.
  bool Separator(std::string_view text) {
    switch (options_.escaped_slashes) {
      case EscapedSlashes::kKeep:
        options_.normalize ? CopyUpper(text) : Copy(text);
        return true;
      case EscapedSlashes::kReject:
        return false;
      case EscapedSlashes::kRedirect:
        redirect_ = true;
        EndSegment(false);
        return true;
    }
    return false;
  }

  void Copy(std::string_view text) {
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }

  void CopyUpper(std::string_view escape) {
    for (char c : escape) *at_++ = c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
  }

  void EndSegment(bool last) {
    const std::string_view segment(segment_, static_cast<size_t>(at_ - segment_));
    if (options_.normalize && segment == ".") {
      at_ = segment_;
    } else if (options_.normalize && segment == "..") {
      at_ = segment_;
      if (at_ - begin_ > 1) {
        --at_;
        while (at_[-1] != '/') --at_;
      }
    } else if (!last && !(options_.merge_slashes && segment.empty())) {
      *at_++ = '/';
    }
    segment_ = at_;
  }

  const PathOptions& options_;
  char* begin_;
  char* at_;
  char* segment_;  // where the segment that is being written began
  bool redirect_ = false;
};

}  // namespace

Result<NormalPath> NormalizePath(std::string_view path, const PathOptions& options, Arena& arena) {
  if (path.empty() || path == "*") return NormalPath{path};
  if (path[0] != '/') return Refused();
  size_t end = 0;
  bool rewrite = false;
  for (; end < path.size(); ++end) {
    const Class c = ClassOf(path[end]);
    if (c == kPlain) [[likely]]
      continue;
    if (c == kQuery) break;
    if (c == kBad) return Refused();
    if (c == kSlash) {
      rewrite |= options.normalize && DotSegmentFollows(path, end);
      rewrite |= options.merge_slashes && end + 1 < path.size() && path[end + 1] == '/';
    } else {
      rewrite |= c == kEscape || options.escaped_slashes != EscapedSlashes::kKeep;
    }
  }
  for (size_t i = end; i < path.size(); ++i) {
    if (ClassOf(path[i]) == kBad) return Refused();
  }
  if (!rewrite) return NormalPath{path};

  char* out = arena.AllocateArray<char>(path.size());
  Normalizer normalizer(options, out);
  if (!normalizer.Run(path.substr(0, end))) return Refused();
  const std::string_view query = path.substr(end);
  char* last = normalizer.end();
  if (!query.empty()) std::memcpy(last, query.data(), query.size());
  const std::string_view result(out, static_cast<size_t>(last - out) + query.size());
  if (result == path) return NormalPath{path};
  return NormalPath{result, normalizer.redirect()};
}

}  // namespace sluice
