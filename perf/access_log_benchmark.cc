// What an access log line costs its worker, and what rendering it costs.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <string_view>

#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/event/loop.h"
#include "core/filter/factory.h"
#include "core/filter/variables.h"
#include "core/stats/directory.h"
#include "core/stats/segment.h"
#include "filters/access_log/access_log.pb.h"
#include "filters/access_log/line_format.h"

namespace sluice::access_log {
namespace {

// A stream that is over, with what an ordinary request leaves.
struct Stream {
  Stream() : info(arena, connection), request(arena), response(arena) {
    connection.remote = connection.direct_remote = *Address::Parse("192.0.2.17:40312");
    connection.local = *Address::Parse("192.0.2.80:8080");
    request.SetMethod("GET");
    request.authority = "api.example.com";
    request.path = "/v1/users/12345/orders?limit=20&offset=40";
    request.headers.Add("host", "api.example.com");
    request.headers.Add("user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36");
    response.status = 200;
    info.request = &request;
    info.response = &response;
    info.original_path = request.path;
    info.request_id = "5f3c1f3e-7c52-4b1c-9d1a-0123456789ab";
    info.client_ip = "192.0.2.17";
    info.status = 200;
    info.details = "via_upstream";
    info.route_name = "users";
    info.cluster = "api";
    info.upstream_host = "10.0.0.12:9001";
    info.request_body_bytes = 0;
    info.response_body_bytes = 14'312;
    info.start = kSecond;
    info.upstream_start = kSecond + 1 * kMillisecond;
    info.response_start = kSecond + 12 * kMillisecond;
    info.end = kSecond + 13 * kMillisecond;
    info.wall_start = 1'700'000'000 * kSecond + 123 * kMillisecond;
  }
  void Next() {
    ++info.response_body_bytes;
    info.wall_start += 20 * kMicrosecond;
  }

  Arena arena;
  ConnectionInfo connection;
  StreamInfo info;
  RequestHead request;
  ResponseHead response;
};

// 15 fields, as a typical JSON log has.
AccessLogConfig FifteenFields() {
  AccessLogConfig config;
  for (const char* name : {"start_time", "client_ip", "method", "host", "original_path", "protocol",
                           "status", "response_flags", "bytes_received", "bytes_sent", "duration",
                           "upstream_time", "upstream", "user_agent", "request_id"}) {
    JsonField* field = config.add_json();
    field->set_name(name);
    field->set_value("%" + std::string(name) + "%");
  }
  return config;
}

void BM_RenderLine(benchmark::State& state, const AccessLogConfig& config) {
  auto format = LineFormat::Compile(config);
  CHECK(format);
  Stream stream;
  VariableWriter line;
  for (auto _ : state) {
    stream.Next();
    line.Clear();
    format->Write(line, stream.info);
    benchmark::DoNotOptimize(line.view().data());
  }
  state.counters["bytes"] = static_cast<double>(line.size());
}

void BM_RenderJsonOf15(benchmark::State& state) { BM_RenderLine(state, FifteenFields()); }
BENCHMARK(BM_RenderJsonOf15);

void BM_RenderDefaultJson(benchmark::State& state) {
  AccessLogConfig config;
  config.set_format(AccessLogConfig::JSON);
  BM_RenderLine(state, config);
}
BENCHMARK(BM_RenderDefaultJson);

void BM_RenderDefaultText(benchmark::State& state) { BM_RenderLine(state, AccessLogConfig()); }
BENCHMARK(BM_RenderDefaultText);

// The whole filter: made, completed, destroyed, its line in the ring, and now and then a wake-up.
void BM_LogJsonOf15(benchmark::State& state) {
  char path[] = "/tmp/access_log_benchmark.XXXXXX";
  const int fd = mkstemp(path);
  CHECK(fd >= 0);
  SystemClock clock;
  auto loop = Loop::Create(clock);
  auto segment = StatsSegment::Create({.workers = 1});
  CHECK(loop && segment);
  StatsDirectory directory(**segment);
  const ServerStatus server;
  LoadContext load{directory, clock, server, "web"};
  Random random(1);
  StatsRow row = (*segment)->worker_row(0);
  const WorkerContext worker{**loop, random, row, server, 0};
  AccessLogConfig config = FifteenFields();
  config.set_path(path);
  config.set_buffer(1 << 20);
  config.set_flush_interval(kSecond);
  const FilterKind* kind = FindFilterKind("access_log");
  CHECK(kind != nullptr);
  auto settings = kind->Load(config, load);
  CHECK(settings);
  {
    // The factory goes before the settings, which write the rest out.
    const auto factory = kind->NewFactory(**settings, worker);
    Stream stream;
    alignas(16) char memory[256];
    for (auto _ : state) {
      stream.Next();
      Arena arena(memory, sizeof(memory));
      factory->Create(arena)->OnComplete(stream.info);
    }
  }
  settings->reset();
  close(fd);
  unlink(path);
}
BENCHMARK(BM_LogJsonOf15);

}  // namespace
}  // namespace sluice::access_log
