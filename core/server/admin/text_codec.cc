#include "core/server/admin/text_codec.h"

#include <utility>

#include "core/base/strings.h"

namespace sluice {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

// Unreserved characters (RFC 3986 2.3), and what addresses and paths are made of.
bool StandsAsItIs(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~/:[]@,").find(c) != std::string_view::npos;
}

void Escape(std::string_view text, std::string& out) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  for (const char c : text) {
    if (StandsAsItIs(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
}

// The next word, its quotes taken off; `line` goes on behind it.
std::string TakeWord(std::string_view& line) {
  std::string word;
  bool quoted = false;
  size_t i = 0;
  for (; i < line.size() && (quoted || !IsBlank(line[i])); ++i) {
    if (line[i] == '"') {
      quoted = !quoted;
    } else {
      word += line[i];
    }
  }
  line.remove_prefix(i);
  return word;
}

void SkipBlanks(std::string_view& line) {
  while (!line.empty() && IsBlank(line.front())) line.remove_prefix(1);
}

}  // namespace

std::string AdminTargetOf(std::string_view line) {
  std::string target;
  bool parameters = false;
  for (SkipBlanks(line); !line.empty(); SkipBlanks(line)) {
    const std::string word = TakeWord(line);
    const size_t equals = word.find('=');
    if (!parameters && equals == std::string::npos) {
      if (!word.starts_with('/')) target += '/';
      Escape(word, target);
      continue;
    }
    target += parameters ? "&" : target.empty() ? "/?" : "?";
    parameters = true;
    Escape(std::string_view(word).substr(0, equals), target);
    if (equals == std::string::npos) continue;
    target += '=';
    Escape(std::string_view(word).substr(equals + 1), target);
  }
  return target;
}

Result<void> AdminTextCodec::Feed(Buffer& in) {
  while (!finished_ && state_ != State::kWait && !in.empty()) {
    const std::string_view piece = in.front().view();
    if (state_ == State::kIdle) {
      size_t empty = 0;
      while (empty < piece.size() && (IsBlank(piece[empty]) || piece[empty] == '\n')) ++empty;
      if (empty > 0) {
        in.Consume(empty);
        continue;
      }
      state_ = State::kLine;
      line_.clear();
      head_ = &events_.OnRequestBegin(++id_);
      continue;
    }
    const size_t end = piece.find('\n');
    line_.append(piece.substr(0, end));
    if (line_.size() > kMostLine) {
      finished_ = true;
      return Fail(Code::kTargetTooLong, "admin.line_too_long", Side::kDownstream);
    }
    in.Consume(end == std::string_view::npos ? piece.size() : end + 1);
    if (end != std::string_view::npos) FinishLine();
  }
  if (peer_ended_ && state_ == State::kLine) FinishLine();
  return {};
}

Result<void> AdminTextCodec::FeedEnd() {
  peer_ended_ = true;
  if (state_ == State::kLine && !finished_) FinishLine();
  return {};
}

void AdminTextCodec::FinishLine() {
  state_ = State::kWait;
  status_ = 0;
  body_begun_ = false;
  line_begins_ = true;
  RequestHead& head = *head_;
  head.SetMethod(kAdminCommand);
  // "help" has a name of its own; what else there is has that of its row.
  head.path = head.headers.arena().Copy(AdminTargetOf(line_));
  head.authority = "localhost";
  head.headers.AddView(HeaderId::kHost, head.authority);
  head.headers.AddView(HeaderId::kAccept, "text/plain");
  head.content_length = 0;
  head.wire_size = line_.size() + 1;
  const StreamId id = id_;
  events_.OnRequestHead(id, true);
  events_.OnEnd(id);
}

void AdminTextCodec::EncodeHead(StreamId id, const ResponseHead& head, bool, Buffer&) {
  if (id == id_) status_ = head.status;
}

void AdminTextCodec::EncodeBody(StreamId id, Buffer& data, Buffer& out) {
  if (id != id_ || status_ == 0) return data.Clear();
  std::string text;
  while (!data.empty()) {
    const Slice slice = data.PopFront();
    if (!std::exchange(body_begun_, true) && status_ >= 400 &&
        !slice.view().starts_with("error: ")) {
      text += "error: ";
      line_begins_ = false;
    }
    for (const char c : slice.view()) {
      if (c != '\n' || !line_begins_) text += c;
      line_begins_ = c == '\n';
    }
  }
  out.Append(std::string_view(text));
}

void AdminTextCodec::EncodeEnd(StreamId id, const Headers*, Buffer& out) {
  if (id != id_ || status_ == 0) return;
  if (status_ >= 400 && !body_begun_) {
    out.Append(StrCat({"error: ", Decimal(status_), "\n"}));
  } else if (!line_begins_) {
    out.Append("\n");
  }
  out.Append("\n");
  status_ = 0;
  if (state_ == State::kWait && !draining_ && !finished_) {
    state_ = State::kIdle;
  } else {
    finished_ = true;
  }
}

void AdminTextCodec::EncodeReset(StreamId id, Code, Buffer&) {
  if (id == id_) finished_ = true;
}

// When the client has sent all that it will, its lines are answered: the owner ends after them.
void AdminTextCodec::Drain(Buffer&) {
  if (peer_ended_) return;
  draining_ = true;
  if (state_ == State::kIdle) finished_ = true;
}

namespace {

// Chooses when the first byte is here.
class AdminCodec final : public ServerCodec {
 public:
  AdminCodec(ServerEvents& events, const CodecLimits& limits) : events_(events), limits_(limits) {}

  Result<void> Feed(Buffer& in) override {
    if (codec_ == nullptr) {
      if (in.empty()) return {};
      const char first = in.front().view().front();
      if (first >= 'A' && first <= 'Z') {
        codec_ = NewHttp1ServerCodec(events_, limits_);
      } else {
        codec_ = std::make_unique<AdminTextCodec>(events_);
      }
    }
    return codec_->Feed(in);
  }
  Result<void> FeedEnd() override { return codec_ == nullptr ? Result<void>() : codec_->FeedEnd(); }
  bool WantsInput() const override { return codec_ == nullptr || codec_->WantsInput(); }
  bool Finished() const override { return codec_ == nullptr ? draining_ : codec_->Finished(); }
  bool CanReset() const override { return false; }
  void Drain(Buffer& out) override {
    draining_ = true;
    if (codec_ != nullptr) codec_->Drain(out);
  }

  // Nothing is encoded before a request came.
  void EncodeInformational(StreamId id, uint16_t status, const Headers* headers,
                           Buffer& out) override {
    codec_->EncodeInformational(id, status, headers, out);
  }
  void EncodeHead(StreamId id, const ResponseHead& head, bool end, Buffer& out) override {
    codec_->EncodeHead(id, head, end, out);
  }
  void EncodeBody(StreamId id, Buffer& data, Buffer& out) override {
    codec_->EncodeBody(id, data, out);
  }
  void EncodeEnd(StreamId id, const Headers* trailers, Buffer& out) override {
    codec_->EncodeEnd(id, trailers, out);
  }
  void EncodeReset(StreamId id, Code code, Buffer& out) override {
    codec_->EncodeReset(id, code, out);
  }
  void Consumed(StreamId id, size_t bytes, Buffer& out) override {
    codec_->Consumed(id, bytes, out);
  }
  void Tunnel(StreamId id) override { codec_->Tunnel(id); }

 private:
  ServerEvents& events_;
  const CodecLimits limits_;
  std::unique_ptr<ServerCodec> codec_;  // null: nothing has come
  bool draining_ = false;
};

}  // namespace

std::unique_ptr<ServerCodec> NewAdminCodec(ServerEvents& events, const CodecLimits& limits) {
  return std::make_unique<AdminCodec>(events, limits);
}

}  // namespace sluice
