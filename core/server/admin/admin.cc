#include "core/server/admin/admin.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/event/loop.h"
#include "core/server/admin/text_codec.h"

namespace sluice {
namespace {

class Admin final : public LastFilter, private AdminWaiter {
 public:
  Admin(const AdminTable& table, const AdminGuard& guard, Responder& responder)
      : table_(table),
        guard_(guard),
        responder_(responder),
        slice_task_(Callback::To<&Admin::SendSlice>(this)) {}

  void OnRequestHeaders(RequestHead& head, bool end) override;
  void OnRequestBody(Buffer& data, bool end, Headers* trailers) override;
  void OnResponseWanted() override {
    if (page_ != nullptr) responder_.stream_loop().DeferToNextTurn(slice_task_);
  }
  void OnAbandoned() override {
    slice_task_.Cancel();
    page_.reset();
    pending_.reset();
  }

 private:
  void OnAdminReply(AdminReply reply) override { Send(std::move(reply)); }

  const AdminRow* FindCommand(std::string_view path) const;
  void Refuse(const RequestHead& head);
  void Answer();
  void SendPage(std::unique_ptr<AdminPage> page);
  void SendSlice();
  void Send(AdminReply reply);
  void LogAction(const AdminReply& reply) const;

  const AdminTable& table_;
  const AdminGuard& guard_;
  Responder& responder_;
  const AdminRow* row_ = nullptr;
  std::optional<AdminRequest> request_;
  Task slice_task_;
  std::unique_ptr<AdminPage> page_;
  std::unique_ptr<AdminPending> pending_;
};

void Admin::OnRequestHeaders(RequestHead& head, bool end) {
  request_.emplace(head.query());
  request_->accept = head.headers.Get(HeaderId::kAccept).value_or("");
  request_->if_match = head.headers.Get("if-match").value_or("");
  request_->content_type = head.headers.Get(HeaderId::kContentType).value_or("");
  const ConnectionInfo& connection = responder_.stream_info().connection();
  request_->who = AdminClientName(connection);
  const Method method = head.method();
  if (method == Method::kGet || method == Method::kHead) {
    row_ = table_.Find(head.path_only(), AdminKind::kPage);
  } else if (method == Method::kPost) {
    row_ = table_.Find(head.path_only(), AdminKind::kAction);
  } else if (head.method_name() == kAdminCommand) {
    row_ = FindCommand(head.path_only());
  }
  if (std::optional<AdminReply> refusal = guard_.Refuse(head, connection, row_)) {
    return Send(std::move(*refusal));
  }
  if (row_ == nullptr) return Refuse(head);
  if (row_->kind == AdminKind::kAction && !end) return responder_.PullRequestBody();
  Answer();
}

void Admin::OnRequestBody(Buffer& data, bool end, Headers*) {
  if (request_->body.size() + data.size() > row_->body_limit) {
    data.Clear();
    return Send(AdminError(413, StrCat({row_->path, " takes a body of at most ",
                                        Decimal(row_->body_limit), " bytes"})));
  }
  while (!data.empty()) request_->body += data.PopFront().view();
  if (!end) return responder_.PullRequestBody();
  Answer();
}

// A parameter of this row: its text has "?name".
bool HasParameter(const AdminRow& row, std::string_view name) {
  constexpr std::string_view kEnds = "=,";
  for (std::string_view rest = row.parameters;;) {
    const size_t at = rest.find('?');
    if (at == std::string_view::npos) return false;
    rest.remove_prefix(at + 1);
    if (rest.substr(0, rest.find_first_of(kEnds)) == name) return true;
  }
}

// What is both a page and an action is the action if it is told what the page does not know.
const AdminRow* Admin::FindCommand(std::string_view path) const {
  const AdminRow* const page = table_.Find(path, AdminKind::kPage);
  const AdminRow* const action = table_.Find(path, AdminKind::kAction);
  if (page == nullptr || action == nullptr) return page == nullptr ? action : page;
  const auto& pairs = request_->query.pairs();
  const bool acts = std::any_of(pairs.begin(), pairs.end(), [page](const auto& pair) {
    return pair.first != "format" && !HasParameter(*page, pair.first);
  });
  return acts ? action : page;
}

void Admin::Refuse(const RequestHead& head) {
  const std::string_view path = head.path_only();
  const bool page = table_.Find(path, AdminKind::kPage) != nullptr;
  const bool action = table_.Find(path, AdminKind::kAction) != nullptr;
  if (!page && !action) {
    const bool command = head.method_name() == kAdminCommand;
    return Send(AdminError(404, StrCat({"there is nothing at ", path, "; ",
                                        command ? "help" : "GET /", " lists what there is"})));
  }
  const std::string_view allowed = page && action ? "GET, HEAD, POST" : page ? "GET, HEAD" : "POST";
  AdminReply reply = AdminError(405, StrCat({path, " takes ", allowed}));
  reply.headers.emplace_back("allow", allowed);
  Send(std::move(reply));
}

void Admin::Answer() {
  AdminAnswer answer = row_->handler(*request_);
  if (auto* reply = std::get_if<AdminReply>(&answer)) return Send(std::move(*reply));
  if (auto* page = std::get_if<std::unique_ptr<AdminPage>>(&answer)) {
    return SendPage(std::move(*page));
  }
  pending_ = std::move(std::get<std::unique_ptr<AdminPending>>(answer));
  pending_->Start(*this);
}

void Admin::SendPage(std::unique_ptr<AdminPage> page) {
  ResponseHead& head = responder_.response_head();
  head.status = 200;
  head.headers.Set(HeaderId::kContentType, page->content_type());
  head.headers.AddView(HeaderId::kCacheControl, "no-store");
  if (responder_.request_head().method() == Method::kHead) return responder_.StartResponse(true);
  page_ = std::move(page);
  responder_.StartResponse(false);
  if (responder_.response_wanted()) OnResponseWanted();
}

void Admin::SendSlice() {
  if (page_ == nullptr || !responder_.response_wanted()) return;
  std::string slice;
  const bool more = page_->RenderSome(slice);
  if (!more) page_.reset();
  if (more && slice.empty()) return OnResponseWanted();
  responder_.SendBody(Buffer(slice), !more, nullptr);
  if (more && responder_.response_wanted()) OnResponseWanted();
}

void Admin::Send(AdminReply reply) {
  if (row_ != nullptr && row_->kind == AdminKind::kAction) LogAction(reply);
  LocalReply local;
  local.status = reply.status;
  local.body = std::move(reply.body);
  local.content_type = reply.content_type;
  if (!reply.error.empty() && local.body.empty()) {
    const bool text = request_->accept == "text/plain";
    local.body = text ? StrCat({"error: ", reply.error, "\n"})
                      : nlohmann::json{{"error", reply.error}}.dump(
                            -1, ' ', false, nlohmann::json::error_handler_t::replace) +
                            "\n";
    local.content_type = text ? kAdminText : kAdminJson;
  }
  local.details = "admin";
  local.headers = std::move(reply.headers);
  local.headers.emplace_back("cache-control", "no-store");
  local.unmapped = true;
  responder_.Reply(std::move(local));
}

void Admin::LogAction(const AdminReply& reply) const {
  const bool failed = !reply.error.empty();
  const std::string& what = failed ? reply.error : reply.outcome;
  Log(failed ? LogLevel::kWarning : LogLevel::kInfo, "admin",
      StrCat({"POST ", row_->path, " by ", request_->who, what.empty() ? "" : ": ", what}));
}

}  // namespace

ArenaPtr<LastFilter> AdminFactory::Create(Responder& responder) {
  return ArenaPtr<LastFilter>(
      responder.stream_arena().Make<Admin>(table_, guard_, responder).release());
}

}  // namespace sluice
