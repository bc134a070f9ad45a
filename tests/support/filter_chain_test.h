// What the tests of the chain share: filters made of lambdas, and a stream through them.
#ifndef SLUICE_TESTS_SUPPORT_FILTER_CHAIN_TEST_H_
#define SLUICE_TESTS_SUPPORT_FILTER_CHAIN_TEST_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/filter/chain.h"
#include "tests/support/filter_harness.h"
#include "tests/support/scripted_filter.h"

namespace sluice {

inline constexpr Direction kIn = Direction::kRequest;
inline constexpr Direction kOut = Direction::kResponse;

inline LocalReply Reply(uint16_t status, std::string body = "no\n") {
  LocalReply reply;
  reply.status = status;
  reply.body = std::move(body);
  reply.details = "test_reply";
  return reply;
}

class FilterChainTest : public ::testing::Test {
 protected:
  ScriptedFactory& Add(std::string name, Script script = {}) {
    auto factory = std::make_unique<ScriptedFactory>(std::move(name), std::move(script), log);
    ScriptedFactory& borrowed = *factory;
    harness.Add(std::move(factory));
    return borrowed;
  }
  FilterStream& Start() {
    stream = harness.NewStream();
    return *stream;
  }
  // A request with an open body.
  FilterStream& StartPost() {
    Start();
    stream->SetRequest("POST", "/");
    stream->RequestHeaders(false);
    return *stream;
  }
  // A GET that reached the upstream, whose head comes back with an open body.
  FilterStream& StartResponse() {
    Start();
    stream->Get("/");
    stream->SetResponse(200);
    stream->ResponseHeaders(false);
    return *stream;
  }
  static void Resume(ScriptedFactory& filter, Verdict verdict) {
    ASSERT_NE(filter.last(), nullptr);
    filter.last()->Resume(std::move(verdict));
  }
  std::vector<std::string> TakeLog() { return std::exchange(log, {}); }

  std::vector<std::string> log;
  FilterHarness harness;
  std::unique_ptr<FilterStream> stream;
};

// ---- order --------------------------------------------------------------------------------------

}  // namespace sluice

#endif  // SLUICE_TESTS_SUPPORT_FILTER_CHAIN_TEST_H_
