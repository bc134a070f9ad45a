#include "tests/support/codec_recorder.h"

#include "core/base/strings.h"
#include "core/http/status.h"

namespace sluice::test {
namespace {

std::string HeadText(std::string_view first, const Headers& headers,
                     const std::optional<uint64_t>& length, bool end, const Slice& bytes,
                     size_t wire_size) {
  std::string text = StrCat(
      {first, end ? " end" : "", " length=", length ? std::to_string(*length) : std::string("?"),
       " wire=", std::to_string(wire_size), bytes.size() == wire_size ? "" : " BYTES?", " ",
       Fields(headers), "\n"});
  return text;
}

// Calls step() after each arrival, until it says false.
template <typename Step>
void Arrive(Buffer& in, std::string_view bytes, Cut cut, Step step) {
  switch (cut) {
    case Cut::kWhole:
      if (!bytes.empty()) AppendSlice(in, bytes);
      step();
      break;
    case Cut::kGrow:
      for (char c : bytes) {
        in.Append(std::string_view(&c, 1));
        if (!step()) return;
      }
      break;
    case Cut::kSlices:
      for (char c : bytes) {
        AppendSlice(in, std::string_view(&c, 1));
        if (!step()) return;
      }
      break;
  }
}

}  // namespace

const char* CutName(Cut cut) {
  switch (cut) {
    case Cut::kWhole:
      return "whole";
    case Cut::kGrow:
      return "one slice that grows";
    case Cut::kSlices:
      return "a slice a byte";
  }
  return "";
}

std::string Fields(const Headers& headers) {
  std::string text;
  headers.ForEach([&](const Headers::Entry& entry) {
    text += StrCat({"|", entry.name, "=", entry.value});
    if (headers.Get(entry.name) == std::nullopt) text += " NOT FOUND";
    if (entry.id != FindHeaderId(entry.name)) text += " WRONG ID";
  });
  return text;
}

void AppendSlice(Buffer& in, std::string_view bytes) {
  // No room behind it, and no neighbour in its block.
  Block* block = Block::New(static_cast<uint32_t>(bytes.size() + 1));
  std::memcpy(block->data(), bytes.data(), bytes.size());
  block->set_used(static_cast<uint32_t>(bytes.size() + 1));
  in.Append(Slice(block, 0, static_cast<uint32_t>(bytes.size())));
}

RequestHead& ServerRecorder::OnRequestBegin(StreamId id) {
  messages.push_back(std::make_unique<RecordedMessage>(id));
  log += StrCat({"begin ", std::to_string(id), "\n"});
  return messages.back()->request;
}

void ServerRecorder::OnRequestHead(StreamId id, bool end) {
  RequestHead& head = messages.back()->request;
  log += HeadText(StrCat({"head ", std::to_string(id), " ", head.method_name, " ", head.scheme,
                          head.scheme.empty() ? "" : "://", head.authority, " ", head.path, " ",
                          ProtocolName(head.protocol), head.upgrade.empty() ? "" : " upgrade=",
                          head.upgrade, head.expects_continue ? " expects" : ""}),
                  head.headers, head.content_length, end, head.bytes, head.wire_size);
  if (on_head) on_head(*this, id);
}

void ServerRecorder::OnBody(StreamId, Slice data) { body += data.view(); }

void ServerRecorder::EndBody() {
  if (!body.empty()) log += StrCat({"body ", body, "\n"});
  body.clear();
}

void ServerRecorder::OnTrailers(StreamId id, Headers& trailers) {
  EndBody();
  log += StrCat({"trailers ", std::to_string(id), " ", Fields(trailers), "\n"});
}

void ServerRecorder::OnEnd(StreamId id) {
  EndBody();
  log += StrCat({"end ", std::to_string(id), "\n"});
  ended_ = true;
}

void ServerRecorder::OnReset(StreamId, const Error&) { log += "reset\n"; }
void ServerRecorder::OnEncodeMore(StreamId) { log += "more\n"; }

bool ServerRecorder::Step() {
  while (!failed_ && !codec->Finished()) {
    const size_t before = in.size();
    const Result<void> result = codec->Feed(in);
    if (!result) {
      failed_ = true;
      last_error = result.error();
      error = StrCat({std::to_string(StatusOf(last_error)), " ", last_error.detail});
      break;
    }
    if (ended_ && answer) {
      ended_ = false;
      answer(*this, messages.back()->id);
      continue;
    }
    if (in.empty() || in.size() == before) break;
  }
  return !failed_ && !codec->Finished();
}

void ServerRecorder::Run(std::string_view bytes, Cut cut, bool end) {
  Arrive(in, bytes, cut, [&] { return Step(); });
  if (failed_ || !end) return EndBody();
  const Result<void> result = codec->FeedEnd();
  if (!result) {
    last_error = result.error();
    error = StrCat({CodeName(last_error.code), " ", last_error.detail});
  }
  EndBody();
}

ResponseHead& ClientRecorder::OnResponseBegin(StreamId id) {
  messages.push_back(std::make_unique<RecordedMessage>(id));
  log += StrCat({"begin ", std::to_string(id), "\n"});
  return messages.back()->response;
}

void ClientRecorder::OnInformational(StreamId id) {
  ResponseHead& head = messages.back()->response;
  log += HeadText(StrCat({"informational ", std::to_string(id), " ", std::to_string(head.status)}),
                  head.headers, head.content_length, false, head.bytes, head.wire_size);
}

void ClientRecorder::OnResponseHead(StreamId id, bool end) {
  ResponseHead& head = messages.back()->response;
  log += HeadText(StrCat({"head ", std::to_string(id), " ", std::to_string(head.status), " ",
                          head.reason, " ", ProtocolName(head.protocol)}),
                  head.headers, head.content_length, end, head.bytes, head.wire_size);
  if (on_head) on_head(*this, id);
}

void ClientRecorder::OnBody(StreamId, Slice data) { body += data.view(); }

void ClientRecorder::EndBody() {
  if (!body.empty()) log += StrCat({"body ", body, "\n"});
  body.clear();
}

void ClientRecorder::OnTrailers(StreamId id, Headers& trailers) {
  EndBody();
  log += StrCat({"trailers ", std::to_string(id), " ", Fields(trailers), "\n"});
}

void ClientRecorder::OnEnd(StreamId id) {
  EndBody();
  log += StrCat({"end ", std::to_string(id), "\n"});
}

void ClientRecorder::OnReset(StreamId, const Error&) { log += "reset\n"; }
void ClientRecorder::OnEncodeMore(StreamId) { log += "more\n"; }

void ClientRecorder::Fail(const Error& failure) {
  failed_ = true;
  last_error = failure;
  error = StrCat({CodeName(last_error.code), " ", last_error.detail});
}

StreamId ClientRecorder::Request(Method method, std::string_view upgrade) {
  Arena arena;
  RequestHead head(arena);
  head.method = method;
  head.method_name = method == Method::kHead      ? "HEAD"
                     : method == Method::kConnect ? "CONNECT"
                                                  : "GET";
  head.authority = method == Method::kConnect ? "a:443" : "a";
  head.path = method == Method::kConnect ? "" : "/";
  head.upgrade = method == Method::kConnect ? "connect" : upgrade;
  head.headers.Add(HeaderId::kHost, "a");
  if (!upgrade.empty()) head.headers.Add(HeaderId::kUpgrade, upgrade);
  const bool open = method == Method::kConnect || !upgrade.empty();
  const StreamId id = codec->EncodeHead(head, !open, out);
  if (!open) codec->EncodeEnd(id, nullptr, out);
  return id;
}

void ClientRecorder::Run(std::string_view bytes, Cut cut, bool end) {
  Arrive(in, bytes, cut, [&] {
    if (const Result<void> result = codec->Feed(in); !result) Fail(result.error());
    return !failed_ && !codec->Finished();
  });
  if (!failed_ && end) {
    if (const Result<void> result = codec->FeedEnd(); !result) Fail(result.error());
  }
  EndBody();
}

}  // namespace sluice::test
