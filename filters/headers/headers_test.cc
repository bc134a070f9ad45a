#include <gtest/gtest.h>

#include <memory>

#include "core/config/loader.h"
#include "filters/headers/headers.pb.h"
#include "tests/support/filter_harness.h"

namespace sluice::headers {
namespace {

void Put(google::protobuf::RepeatedPtrField<config::HeaderValue>* list, const char* name,
         const char* value) {
  config::HeaderValue* field = list->Add();
  field->set_name(name);
  field->set_value(value);
}

TEST(Headers, ChangesTheRequestInTheOrderRemoveSetAdd) {
  HeadersConfig config;
  config.mutable_request()->add_remove("x-debug");
  Put(config.mutable_request()->mutable_set(), "x-env", "prod");
  Put(config.mutable_request()->mutable_add(), "x-tag", "b");
  Put(config.mutable_request()->mutable_add(), "x-debug", "new");
  FilterHarness harness;
  ASSERT_TRUE(harness.Add("headers", config));
  auto stream = harness.NewStream();
  stream->Get("/", {{"X-Debug", "1"}, {"x-env", "dev"}, {"X-Env", "test"}, {"x-tag", "a"}});
  EXPECT_TRUE(stream->request_out().ended);
  const Headers& request = stream->request().headers;
  EXPECT_EQ(request.GetJoined("x-debug"), "new");
  EXPECT_EQ(request.GetJoined("x-env"), "prod");
  EXPECT_EQ(request.GetJoined("x-tag"), "a, b");

  stream->Respond(200, {{"x-env", "upstream"}}, "ok");
  EXPECT_EQ(stream->response().headers.Get("x-env"), "upstream");
  EXPECT_EQ(stream->response_out().body, "ok");
  EXPECT_EQ(harness.Metric("sluice_headers_changed_total", R"(direction="request",listener="web")"),
            1);
  EXPECT_EQ(
      harness.Metric("sluice_headers_changed_total", R"(direction="response",listener="web")"), 0);
}

TEST(Headers, ChangesTheResponseWithVariables) {
  HeadersConfig config;
  config.mutable_response()->add_remove("x-powered-by");
  Put(config.mutable_response()->mutable_set(), "x-client", "%client_ip%");
  Put(config.mutable_response()->mutable_set(), "x-team", "%header(x-team)%");
  FilterHarness harness;
  ASSERT_TRUE(harness.Add("headers", config));
  auto stream = harness.NewStream();
  stream->Get("/");
  EXPECT_FALSE(stream->request().headers.Has("x-client"));
  stream->Respond(200, {{"X-Powered-By", "php"}}, "ok");
  const Headers& response = stream->response().headers;
  EXPECT_FALSE(response.Has("x-powered-by"));
  EXPECT_EQ(response.Get("x-client"), "192.0.2.1");
  EXPECT_FALSE(response.Has("x-team")) << "a value that comes out empty is not sent";
}

// Answers of the filters behind it are changed too.
TEST(Headers, SeesLocalAnswers) {
  class Refuses final : public Filter {
   public:
    Verdict OnRequestHeaders(RequestHead&, bool) override {
      LocalReply reply;
      reply.status = 403;
      return Verdict::Respond(std::move(reply));
    }
  };
  class RefusingFactory final : public FilterFactory {
   public:
    ArenaPtr<Filter> Create(Arena& arena) override {
      return ArenaPtr<Filter>(arena.Make<Refuses>().release());
    }
    uint8_t hooks() const override { return HooksOf<Refuses>(); }
  };
  HeadersConfig config;
  Put(config.mutable_response()->mutable_set(), "x-a", "1");
  FilterHarness harness;
  ASSERT_TRUE(harness.Add("headers", config));
  harness.Add(std::make_unique<RefusingFactory>());
  auto stream = harness.NewStream();
  stream->Get("/");
  EXPECT_EQ(stream->response().status, 403);
  EXPECT_EQ(stream->response().headers.Get("x-a"), "1");
}

TEST(Headers, ADirectionWithoutChangesCostsNothing) {
  FilterHarness harness;
  HeadersConfig config;
  config.mutable_request()->add_remove("x-a");
  const FilterKind* kind = FindFilterKind("headers");
  ASSERT_NE(kind, nullptr);
  auto settings = kind->Load(config, harness.load_context());
  ASSERT_TRUE(settings);
  EXPECT_EQ(kind->NewFactory(**settings, harness.worker_context())->hooks(), kRequestHeadersHook);
}

TEST(Headers, RefusesConfigsThatChangeNothingOrTheWrongThing) {
  FilterHarness harness;
  const auto neither = harness.Add("headers", HeadersConfig());
  ASSERT_FALSE(neither);
  EXPECT_EQ(neither.error().detail, "expected changes under request or response, got neither");

  HeadersConfig framing;
  framing.mutable_response()->add_remove("content-length");
  const auto refused = harness.Add("headers", framing);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().detail.starts_with("response: content-length "))
      << refused.error().detail;

  HeadersConfig variable;
  Put(variable.mutable_request()->mutable_set(), "x-a", "%no_such_variable%");
  const auto unknown = harness.Add("headers", variable);
  ASSERT_FALSE(unknown);
  EXPECT_TRUE(unknown.error().detail.starts_with("request: x-a: ")) << unknown.error().detail;
}

TEST(HeadersSchema, TakesMapsOfNameAndValue) {
  HeadersConfig config;
  ASSERT_TRUE(LoadMessage("{ request: { remove: [x-a], set: { x-b: 1, x-c: two } } }",
                          ConfigFormat::kYaml, config)
                  .empty());
  EXPECT_EQ(config.request().remove(0), "x-a");
  ASSERT_EQ(config.request().set_size(), 2);
  EXPECT_EQ(config.request().set(1).name(), "x-c");
  EXPECT_EQ(config.request().set(1).value(), "two");
  EXPECT_FALSE(config.has_response());
}

}  // namespace
}  // namespace sluice::headers
