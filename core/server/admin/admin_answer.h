// What is asked of a page or an action of the admin API, and what it answers: at once
// (AdminReply), slice by slice (AdminPage), or later (AdminPending). Values and objects of one
// stream; of the main thread.
#ifndef SLUICE_CORE_SERVER_ADMIN_ADMIN_ANSWER_H_
#define SLUICE_CORE_SERVER_ADMIN_ADMIN_ANSWER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/result.h"
#include "core/server/admin/admin_page.h"
#include "core/server/admin/query.h"

namespace sluice {

inline constexpr std::string_view kAdminJson = "application/json";
inline constexpr std::string_view kAdminText = "text/plain; charset=utf-8";

// Views and the request itself live as long as the stream; an answer that comes later may keep
// them.
struct AdminRequest {
  explicit AdminRequest(std::string_view query_text) : query(query_text) {}

  // What a page that has both is to be: ?format= decides, else Accept.
  bool wants_json() const;

  Query query;
  std::string body;  // of an action, whole
  std::string_view accept;
  std::string_view if_match;
  std::string_view content_type;
  std::string who;  // for the log and the history: "127.0.0.1:4711"
};

struct AdminReply {
  uint16_t status = 200;
  std::string body = {};
  std::string_view content_type = kAdminText;
  // Why not, for the log; a body that is empty is made of it: {"error": ...}, or a line for those
  // who want text alone.
  std::string error = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
  // Of an action: what has come of it, for the log.
  std::string outcome = {};
};

// A refusal.
AdminReply AdminError(uint16_t status, std::string_view error);
AdminReply AdminError(const Error& error);
// An action is done: the sentence as a line, or {"result": ...}.
AdminReply AdminDone(const AdminRequest& request, std::string_view sentence);

// nlohmann's dump with what is no UTF-8 replaced; `Json` has dump().
template <typename Json>
AdminReply AdminJson(const Json& json) {
  AdminReply reply;
  reply.body = json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  reply.content_type = kAdminJson;
  return reply;
}

class AdminWaiter {
 public:
  // Once; never inside of AdminPending::Start.
  virtual void OnAdminReply(AdminReply reply) = 0;

 protected:
  ~AdminWaiter() = default;
};

// An answer that is on its way. The stream holds it; destroying it cancels.
class AdminPending {
 public:
  virtual ~AdminPending() = default;
  // Called once. `waiter` outlives it.
  virtual void Start(AdminWaiter& waiter) = 0;
};

using AdminAnswer =
    std::variant<AdminReply, std::unique_ptr<AdminPage>, std::unique_ptr<AdminPending>>;

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_ADMIN_ADMIN_ANSWER_H_
