#include "core/http/http1/head_writer.h"

#include <charconv>

#include "core/http/http1/grammar.h"

namespace sluice::http1 {
namespace {

bool IsManaged(HeaderId id, HeadWriter::Keep keep) {
  switch (id) {
    case HeaderId::kConnection:
    case HeaderId::kKeepAlive:
    case HeaderId::kProxyConnection:
    case HeaderId::kTransferEncoding:
      return true;
    case HeaderId::kContentLength:
      return !keep.content_length;
    case HeaderId::kUpgrade:
      return !keep.upgrade;
    default:
      return false;
  }
}

size_t FieldsSize(const Headers* headers) {
  if (headers == nullptr) return 0;
  size_t size = 0;
  const Headers::Entry* entries = headers->raw_entries();
  for (uint32_t i = 0; i < headers->raw_count(); ++i) {
    size += entries[i].name.size() + entries[i].value.size() + 4;
  }
  return size;
}

// A run of whole lines of the head that was read, without the last line's CRLF.
struct Run {
  const char* begin = nullptr;
  const char* end = nullptr;
};

bool Within(std::string_view part, std::string_view whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

}  // namespace

HeadWriter::HeadWriter(Buffer& out, const Headers* headers, size_t fixed) : out_(out) {
  const Buffer::Room room = out.Reserve(fixed + FieldsSize(headers) + 2);
  begin_ = at_ = room.data;
}

void HeadWriter::PutDecimal(uint64_t value) { at_ = std::to_chars(at_, at_ + 20, value).ptr; }

void HeadWriter::PutFields(const Headers& headers, std::string_view parsed, Keep keep) {
  Run run;
  const auto flush = [&] {
    if (run.begin == nullptr) return;
    Put(std::string_view(run.begin, static_cast<size_t>(run.end - run.begin)));
    Put("\r\n");
    run.begin = nullptr;
  };
  const Headers::Entry* entries = headers.raw_entries();
  for (uint32_t i = 0; i < headers.raw_count(); ++i) {
    const Headers::Entry& entry = entries[i];
    if (entry.name.empty() || IsManaged(entry.id, keep)) continue;
    const char* name_end = entry.name.data() + entry.name.size();
    if (Within(entry.name, parsed) && Within(entry.value, parsed)) {
      if (entry.value.data() == name_end + 2 && name_end[0] == ':' && name_end[1] == ' ') {
        if (run.begin != nullptr && entry.name.data() == run.end + 2 && run.end[0] == '\r' &&
            run.end[1] == '\n') {
          run.end = entry.value.data() + entry.value.size();
          continue;
        }
        flush();
        run.begin = entry.name.data();
        run.end = entry.value.data() + entry.value.size();
        continue;
      }
    } else if ((entry.id == HeaderId::kOther && !IsToken(entry.name)) ||
               !IsFieldValue(entry.value)) {
      continue;
    }
    flush();
    Put(entry.name);
    Put(": ");
    Put(entry.value);
    Put("\r\n");
  }
  flush();
}

}  // namespace sluice::http1
