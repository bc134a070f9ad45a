#include "core/filter/variable_operators.h"

#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "core/base/strings.h"
#include "core/config/text.h"
#include "core/filter/variable_brackets.h"

namespace sluice {
namespace {

using Op = VariableOperator;
using Info = StreamInfo;
using View = std::string_view;

// ---- values -------------------------------------------------------------------------------------

template <View Info::*kMember>
bool ViewOf(const Op&, const Info& info, View& out) {
  out = info.*kMember;
  return !out.empty();
}

template <auto kMember>
bool NumberOf(const Op&, const Info& info, uint64_t& out) {
  out = info.*kMember;
  return true;
}

template <auto kMember>
bool NonZero(const Op&, const Info& info, uint64_t& out) {
  out = info.*kMember;
  return out != 0;
}

// From the request's head, where there is one: kGet(head) is a view.
template <auto kGet>
bool OfRequest(const Op&, const Info& info, View& out) {
  if (info.request == nullptr) return false;
  out = kGet(*info.request);
  return !out.empty();
}

template <HeaderId kId>
bool RequestField(const Op&, const Info& info, View& out) {
  if (info.request == nullptr) return false;
  const auto value = info.request->headers.Get(kId);
  if (value) out = *value;
  return value.has_value();
}

bool FieldOf(const Op& op, const Headers& headers, View& out) {
  auto value = op.header != HeaderId::kOther ? headers.Get(op.header) : headers.Get(op.text);
  if (!value && !op.other.empty()) {
    value = op.fallback != HeaderId::kOther ? headers.Get(op.fallback) : headers.Get(op.other);
  }
  if (value) out = *value;
  return value.has_value();
}
bool Header(const Op& op, const Info& info, View& out) {
  return info.request != nullptr && FieldOf(op, info.request->headers, out);
}
bool ResponseHeader(const Op& op, const Info& info, View& out) {
  return info.response != nullptr && FieldOf(op, info.response->headers, out);
}
bool Trailer(const Op& op, const Info& info, View& out) {
  return info.response_trailers != nullptr && FieldOf(op, *info.response_trailers, out);
}

View MethodOf(const RequestHead& head) { return head.method_name(); }
View PathOf(const RequestHead& head) { return head.path; }
View PathOnlyOf(const RequestHead& head) { return head.path_only(); }
View QueryOf(const RequestHead& head) { return head.query(); }
View SchemeOf(const RequestHead& head) { return head.scheme; }
View ProtocolOf(const RequestHead& head) { return ProtocolName(head.protocol); }
View HostOf(const RequestHead& head) {
  if (!head.authority.empty()) return head.authority;
  return head.headers.Get(HeaderId::kHost).value_or(View());
}

bool OriginalPathOnly(const Op&, const Info& info, View& out) {
  out = info.original_path.substr(0, info.original_path.find('?'));
  return !out.empty();
}

bool QueryParameter(const Op& op, const Info& info, View& out) {
  if (info.request == nullptr) return false;
  View query = info.request->query();
  while (!query.empty()) {
    const View pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const size_t equals = pair.find('=');
    if (pair.substr(0, equals) != op.text) continue;
    out = equals == View::npos ? View() : pair.substr(equals + 1);
    return true;
  }
  return false;
}

bool PriorityName(const Op&, const Info& info, View& out) {
  out = RequestPriorityName(info.priority);
  return true;
}

bool UpstreamProtocol(const Op&, const Info& info, View& out) {
  if (!info.upstream_protocol) return false;
  out = ProtocolName(*info.upstream_protocol);
  return true;
}

bool Flags(const Op&, const Info& info, View& out) {
  if (info.flags.none()) return false;
  out = info.arena().Copy(info.flags.ToString());
  return true;
}
bool LongFlags(const Op&, const Info& info, View& out) {
  if (info.flags.none()) return false;
  out = info.arena().Copy(info.flags.ToLongString());
  return true;
}

// "127.0.0.1:9001" and "[::1]:9001": without brackets, and what follows the last colon.
template <View Info::*kMember>
bool IpOf(const Op&, const Info& info, View& out) {
  out = info.*kMember;
  if (out.starts_with("unix:")) return true;
  out = out.substr(0, out.rfind(':'));
  if (out.starts_with('[')) out = out.substr(1, out.size() - (out.ends_with(']') ? 2 : 1));
  return !out.empty();
}
template <View Info::*kMember>
bool PortOf(const Op&, const Info& info, uint64_t& out) {
  const View text = info.*kMember;
  const size_t colon = text.rfind(':');
  if (text.starts_with("unix:") || colon == View::npos) return false;
  const auto port = ParseDecimal(text.substr(colon + 1));
  out = port.value_or(0);
  return port.has_value();
}

template <Address ConnectionInfo::*kMember>
char* AddressText(const Op&, const Info& info, char* out) {
  const Address& address = info.connection().*kMember;
  return address.empty() ? nullptr : address.WriteText(out);
}
template <Address ConnectionInfo::*kMember>
char* AddressIp(const Op&, const Info& info, char* out) {
  const Address& address = info.connection().*kMember;
  return address.empty() ? nullptr : address.WriteIp(out);
}
template <Address ConnectionInfo::*kMember>
bool AddressPort(const Op&, const Info& info, uint64_t& out) {
  const Address& address = info.connection().*kMember;
  out = address.port();
  return address.is_ip();
}

bool ListenerName(const Op&, const Info& info, View& out) {
  out = info.connection().listener;
  return !out.empty();
}
bool ConnectionId(const Op&, const Info& info, uint64_t& out) {
  out = info.connection().id;
  return true;
}

// From op.from to op.to, in op.unit.
bool Span(const Op& op, const Info& info, uint64_t& out) {
  const Nanos from = info.*op.from;
  const Nanos to = info.*op.to;
  if (from == 0 || to == 0) return false;
  out = static_cast<uint64_t>(std::max<Nanos>(to - from, 0) / op.unit);
  return true;
}

char* StartTime(const Op& op, const Info& info, char* out) {
  return op.time->Write(out, info.wall_start);
}
char* EndTime(const Op& op, const Info& info, char* out) {
  if (info.end == 0) return nullptr;
  return op.time->Write(out, info.wall_start + (info.end - info.start));
}

bool Metadata(const Op& op, const Info& info, View& out) {
  const auto value = info.Metadata(op.text, op.other);
  if (value) out = *value;
  return value.has_value();
}
bool Fixed(const Op& op, const Info&, View& out) {
  out = op.text;
  return !out.empty();
}

// ---- the table ----------------------------------------------------------------------------------

tl::unexpected<Error> Bad(std::string detail) {
  return Fail(Code::kInvalidArgument, std::move(detail));
}

template <Op::TimeMember kFrom, Op::TimeMember kTo>
Result<void> SetSpan(View, Op& op) {
  op.from = kFrom;
  op.to = kTo;
  return {};
}

Result<void> SetHostname(View, Op& op) {
  char name[256] = {};
  if (gethostname(name, sizeof(name) - 1) == 0) op.text = name;
  return {};
}

enum class Brackets : uint8_t { kNone, kRequired, kOptional };

struct Row {
  VariableDescription description;
  Op::Kind kind;
  Op::ViewFunction view;
  Op::NumberFunction number;
  Op::TextFunction write;
  ParseBrackets parse;
  Brackets brackets;
};

constexpr Row Text(View name, View description, Op::ViewFunction view,
                   ParseBrackets parse = nullptr, View argument = {}) {
  return {{name, argument, description},
          Op::Kind::kView,
          view,
          nullptr,
          nullptr,
          parse,
          argument.empty() ? Brackets::kNone : Brackets::kRequired};
}
constexpr Row Number(View name, View description, Op::NumberFunction number,
                     ParseBrackets parse = nullptr, View argument = {}) {
  return {{name, argument, description},
          Op::Kind::kNumber,
          nullptr,
          number,
          nullptr,
          parse,
          argument.empty() ? Brackets::kNone : Brackets::kRequired};
}
constexpr Row Written(View name, View description, Op::TextFunction write,
                      ParseBrackets parse = nullptr, View argument = {}) {
  return {{name, argument, description},
          Op::Kind::kText,
          nullptr,
          nullptr,
          write,
          parse,
          argument.empty() ? Brackets::kNone : Brackets::kOptional};
}

constexpr Row kRows[] = {
    Written("start_time", "When the request began, in UTC; 2024-05-01T12:30:59.123Z by default.",
            StartTime, ParseUtc, "format"),
    Written("start_time_local", "The same in the machine's time zone.", StartTime, ParseLocal,
            "format"),
    Written("end_time", "When the stream was over, in UTC.", EndTime, ParseUtc, "format"),
    Text("method", "The request's method.", OfRequest<MethodOf>),
    Text("path", "Path and query as they went upstream.", OfRequest<PathOf>),
    Text("path_only", "The path as it went upstream, without the query.", OfRequest<PathOnlyOf>),
    Text("original_path", "Path and query as the client sent them.", ViewOf<&Info::original_path>),
    Text("original_path_only", "The path as the client sent it, without the query.",
         OriginalPathOnly),
    Text("query", "The query, without the question mark.", OfRequest<QueryOf>),
    Text("query_param", "A parameter of the query, as it stands there.", QueryParameter, ParseName,
         "name"),
    Text("scheme", "http or https.", OfRequest<SchemeOf>),
    Text("host", "The host asked for, with its port if there was one.", OfRequest<HostOf>),
    Text("authority", "The same as host.", OfRequest<HostOf>),
    Text("protocol", "The client's protocol: HTTP/1.1.", OfRequest<ProtocolOf>),
    Text("upstream_protocol", "The upstream's protocol.", UpstreamProtocol),
    Text("header", "A field of the request; with x?y, y where x is missing.", Header, ParseField,
         "x?y"),
    Text("response_header", "A field of the response.", ResponseHeader, ParseField, "x?y"),
    Text("trailer", "A field of the response's trailers.", Trailer, ParseField, "x?y"),
    Text("user_agent", "The request's user-agent.", RequestField<HeaderId::kUserAgent>),
    Text("referer", "The request's referer.", RequestField<HeaderId::kReferer>),
    Text("forwarded_for", "The request's x-forwarded-for, as it went upstream.",
         RequestField<HeaderId::kXForwardedFor>),
    Number("status", "The status that the client got; 0: none.", NumberOf<&Info::status>),
    Text("response_flags", "Why it was not simply the upstream's answer: UF,URX.", Flags),
    Text("response_flags_long", "The same in words: UpstreamConnectionFailure.", LongFlags),
    Text("response_code_details", "What gave the response: via_upstream, route_not_found.",
         ViewOf<&Info::details>),
    Text("connection_termination_details", "Why the connection ended, where that ended the stream.",
         ViewOf<&Info::termination>),
    Text("local_reply_body", "The body of our own answer.", ViewOf<&Info::local_reply_body>),
    Number("bytes_received", "Bytes of the request's body.", NumberOf<&Info::request_body_bytes>),
    Number("bytes_sent", "Bytes of the response's body.", NumberOf<&Info::response_body_bytes>),
    Number("request_headers_bytes", "Bytes of the request's head on the wire.",
           NumberOf<&Info::request_head_bytes>),
    Number("response_headers_bytes", "Bytes of the upstream's response head on the wire.",
           NumberOf<&Info::response_head_bytes>),
    Number("duration", "Milliseconds from the request's first byte to the end.", Span,
           SetSpan<&Info::start, &Info::end>),
    Number("request_duration", "Milliseconds from the request's first byte to its last.", Span,
           SetSpan<&Info::start, &Info::request_end>),
    Number("request_tx_duration",
           "Milliseconds from the request's first byte until its last went upstream.", Span,
           SetSpan<&Info::start, &Info::upstream_end>),
    Number("response_duration",
           "Milliseconds from the request's first byte until the upstream's head was there.", Span,
           SetSpan<&Info::start, &Info::response_start>),
    Number("response_tx_duration",
           "Milliseconds from the upstream's head until the client had everything.", Span,
           SetSpan<&Info::response_start, &Info::end>),
    Number("pool_ready_duration",
           "Milliseconds from the request's first byte until a connection upstream was there.",
           Span, SetSpan<&Info::start, &Info::pool_ready>),
    Number("upstream_time", "Milliseconds the upstream took until its head was there.", Span,
           SetSpan<&Info::upstream_start, &Info::response_start>),
    Number("upstream_response_time", "Milliseconds the upstream took until its last byte.", Span,
           SetSpan<&Info::upstream_start, &Info::response_end>),
    Number("common_duration",
           "From one time to another in ns, us, ms or s. The times: start, request_end, "
           "pool_ready, upstream_start, upstream_end, response_start, response_end, end.",
           Span, ParseSpan, "from:to:unit"),
    Text("priority", "How important the request is: critical, high, normal or low.", PriorityName),
    Text("client_ip", "The client's IP; believed x-forwarded-for looked at.",
         ViewOf<&Info::client_ip>),
    Written("remote_address", "Who connected, or whom the PROXY header named: IP and port.",
            AddressText<&ConnectionInfo::remote>),
    Written("remote_ip", "The same without the port.", AddressIp<&ConnectionInfo::remote>),
    Number("remote_port", "Its port.", AddressPort<&ConnectionInfo::remote>),
    Written("direct_remote_address", "Who connected: IP and port.",
            AddressText<&ConnectionInfo::direct_remote>),
    Written("direct_remote_ip", "The same without the port.",
            AddressIp<&ConnectionInfo::direct_remote>),
    Number("direct_remote_port", "Its port.", AddressPort<&ConnectionInfo::direct_remote>),
    Written("local_address", "Our side of the client's connection: IP and port.",
            AddressText<&ConnectionInfo::local>),
    Written("local_ip", "The same without the port.", AddressIp<&ConnectionInfo::local>),
    Number("local_port", "Its port.", AddressPort<&ConnectionInfo::local>),
    Text("listener", "The listener's name.", ListenerName),
    Number("connection_id", "Counts the clients' connections.", ConnectionId),
    Number("stream_id", "Counts the requests, within a worker.", NumberOf<&Info::stream_id>),
    Text("request_id", "The x-request-id.", ViewOf<&Info::request_id>),
    Text("route", "The route's name.", ViewOf<&Info::route_name>),
    Text("virtual_host", "The virtual host's name.", ViewOf<&Info::virtual_host>),
    Text("cluster", "The cluster that the request went to.", ViewOf<&Info::cluster>),
    Text("upstream", "The endpoint of the last try: 127.0.0.1:9001.", ViewOf<&Info::upstream_host>),
    Text("upstream_ip", "The same without the port.", IpOf<&Info::upstream_host>),
    Number("upstream_port", "Its port.", PortOf<&Info::upstream_host>),
    Text("upstream_local", "Our side of the upstream's connection.", ViewOf<&Info::upstream_local>),
    Text("upstream_local_ip", "The same without the port.", IpOf<&Info::upstream_local>),
    Number("upstream_local_port", "Its port.", PortOf<&Info::upstream_local>),
    Number("upstream_connection_id", "Counts the connections to upstreams.",
           NonZero<&Info::upstream_connection_id>),
    Text("upstream_failure", "Why the upstream's transport failed.",
         ViewOf<&Info::upstream_failure>),
    Number("attempts", "Tries upstream; 0: it came to none.", NumberOf<&Info::attempts>),
    Text("metadata", "What a filter left under that name.", Metadata, ParseMetadata, "space:key"),
    Text("hostname", "This machine's name.", Fixed, SetHostname),
    Text("environment", "An environment variable, as it was when the configuration was loaded.",
         Fixed, ParseEnvironment, "NAME"),
};

// Envoy's names whose letters do not lead to ours.
constexpr std::pair<View, View> kForeignNames[] = {
    {"REQ", "header"},
    {"RESP", "response_header"},
    {"RESPONSE_CODE", "status"},
    {"ROUTE_NAME", "route"},
    {"UPSTREAM_HOST", "upstream"},
    {"UPSTREAM_CLUSTER", "cluster"},
    {"UPSTREAM_LOCAL_ADDRESS", "upstream_local"},
    {"UPSTREAM_TRANSPORT_FAILURE_REASON", "upstream_failure"},
    {"UPSTREAM_REQUEST_ATTEMPT_COUNT", "attempts"},
    {"UPSTREAM_CONNECTION_POOL_READY_DURATION", "pool_ready_duration"},
    {"DOWNSTREAM_REMOTE_ADDRESS", "remote_address"},
    {"DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", "client_ip"},
    {"DOWNSTREAM_REMOTE_PORT", "remote_port"},
    {"DOWNSTREAM_DIRECT_REMOTE_ADDRESS", "direct_remote_address"},
    {"DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT", "direct_remote_ip"},
    {"DOWNSTREAM_LOCAL_ADDRESS", "local_address"},
    {"DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", "local_ip"},
    {"DOWNSTREAM_LOCAL_PORT", "local_port"},
    {"DYNAMIC_METADATA", "metadata"},
    {"EMIT_TIME", "end_time"},
    {"QUERY_PARAMS", "query"},
};

std::string Suggestion(View name) {
  for (const auto& [foreign, ours] : kForeignNames) {
    if (foreign == name) return StrCat({" (did you mean \"", ours, "\"?)"});
  }
  std::vector<std::string> names;
  for (const Row& row : kRows) names.emplace_back(row.description.name);
  return DidYouMean(LowerAscii(name), names);
}

Result<VariableOperator> MakeFrom(const Row& row, const View* brackets) {
  if (brackets == nullptr && row.brackets == Brackets::kRequired) {
    return Bad(StrCat(
        {"it needs brackets: %", row.description.name, "(", row.description.argument, ")%"}));
  }
  if (brackets != nullptr && row.brackets == Brackets::kNone) {
    return Bad("it takes nothing in brackets");
  }
  Op op;
  op.kind = row.kind;
  switch (row.kind) {
    case Op::Kind::kNumber:
      op.number = row.number;
      break;
    case Op::Kind::kText:
      op.write = row.write;
      break;
    default:
      op.view = row.view;
  }
  if (row.parse != nullptr) SLUICE_TRY(row.parse(brackets == nullptr ? View() : *brackets, op));
  return op;
}

}  // namespace

Result<VariableOperator> MakeVariable(View name, const View* brackets) {
  for (const Row& row : kRows) {
    if (row.description.name != name) continue;
    auto op = MakeFrom(row, brackets);
    if (!op) return Bad(StrCat({"%", name, "%: ", op.error().detail}));
    return op;
  }
  return Bad(StrCat({"no variable ", Quoted(name), Suggestion(name)}));
}

const std::vector<VariableDescription>& AllVariables() {
  static const auto* const kAll = [] {
    auto* all = new std::vector<VariableDescription>;
    for (const Row& row : kRows) all->push_back(row.description);
    return all;
  }();
  return *kAll;
}

}  // namespace sluice
