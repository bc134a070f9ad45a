#include <CLI/CLI.hpp>
#include <string>
#include <utility>
#include <vector>

#include "core/base/strings.h"
#include "core/server/commands/command.h"
#include "core/server/echo.h"
#include "core/server/generation.h"
#include "core/server/server.h"

namespace sluice {
namespace {

// Requests are to be shown as they came.
std::unique_ptr<const ListenerSettings> EchoSettings(std::string name, StatsDirectory& stats) {
  auto settings = std::make_unique<ListenerSettings>();
  settings->name = std::move(name);
  settings->normalize_path = false;
  settings->x_forwarded = false;
  settings->request_id = false;
  settings->keep_private_headers = true;
  settings->stats = StatsScope(stats, {{"listener", settings->name}}).Group<ListenerStats>();
  return settings;
}

class EchoCommand final : public Command {
 public:
  void AddOptions(CLI::App& app) override {
    app.add_option("-l,--listen", listen_, "Where: 127.0.0.1:9001, unix:/tmp/echo.sock")
        ->expected(1, -1)
        ->capture_default_str();
    app.add_option("-n,--name", name_, "How it calls itself in its answers")->capture_default_str();
    app.add_option("-w,--workers", workers_, "Threads; 0: one per core")
        ->check(CLI::Range(0, 256))
        ->capture_default_str();
  }

  int Run() override {
    ServerOptions options;
    options.id = name_;
    options.workers = workers_;
    options.drain_timeout = 5 * kSecond;
    Result<std::unique_ptr<Server>> server = Server::Create(std::move(options));
    if (!server) return FailCommand(server.error().detail);
    auto generation = std::make_unique<Generation>();
    for (const std::string& text : listen_) {
      Result<Address> address = Address::Parse(text);
      if (!address) return FailCommand(StrCat({"--listen: ", address.error().detail}));
      const size_t count = generation->listeners().size();
      std::string name = count == 0 ? "echo" : StrCat({"echo-", Decimal(count + 1)});
      generation->Add(ListenPlace{std::move(*address), {}},
                      EchoSettings(std::move(name), (*server)->load_context().stats),
                      [name = name_](const ListenerSettings& settings, ProxyWorker& worker,
                                     ProxyGeneration& scope) {
                        return std::make_unique<ListenerRuntime>(
                            settings, worker, scope, std::make_unique<EchoFactory>(name));
                      });
    }
    if (const Result<void> started = (*server)->Start(std::move(generation), nullptr); !started) {
      return FailCommand(started.error().detail);
    }
    return (*server)->Run();
  }

 private:
  std::vector<std::string> listen_ = {"127.0.0.1:9001"};
  std::string name_ = "echo";
  uint32_t workers_ = 1;
};

}  // namespace

std::unique_ptr<Command> NewEchoCommand() { return std::make_unique<EchoCommand>(); }

}  // namespace sluice
