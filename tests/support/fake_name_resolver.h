// FakeNameResolver: the NameResolver of tests: it keeps the questions, and the test answers them.
#ifndef SLUICE_TESTS_SUPPORT_FAKE_NAME_RESOLVER_H_
#define SLUICE_TESTS_SUPPORT_FAKE_NAME_RESOLVER_H_

#include <gtest/gtest.h>

#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/upstream/name_resolver.h"

namespace sluice {

class FakeNameResolver final : public NameResolver {
 public:
  // What outlives the resolver, which its cluster owns.
  struct Questions {
    struct Question {
      std::string name;
      DnsFamily family;
      OnAnswer answered;
      size_t id;
    };

    // How many wait for an answer, and how many were ever asked for this name.
    size_t waiting() const { return open.size(); }
    size_t AskedFor(const std::string& name) const {
      size_t count = 0;
      for (const std::string& one : asked) count += one == name;
      return count;
    }
    bool IsWaiting(const std::string& name) const {
      for (const Question& question : open) {
        if (question.name == name) return true;
      }
      return false;
    }

    void Answer(const std::string& name, const std::vector<std::string>& ips,
                Nanos ttl = 60 * kSecond) {
      ResolvedName resolved;
      for (const std::string& ip : ips) {
        resolved.addresses.push_back(Address::ParseIp(ip).value());
      }
      resolved.ttl = ttl;
      Give(name, std::move(resolved));
    }
    void Refuse(const std::string& name, const std::string& why = "no such name") {
      Give(name, Fail(Code::kNotFound, "resolve " + name + ": " + why, Side::kUpstream));
    }

    std::list<Question> open;
    std::vector<std::string> asked;

   private:
    void Give(const std::string& name, Result<ResolvedName> answer) {
      for (auto it = open.begin(); it != open.end(); ++it) {
        if (it->name != name) continue;
        const OnAnswer answered = std::move(it->answered);
        open.erase(it);
        answered(std::move(answer));
        return;
      }
      ADD_FAILURE() << "nobody waits for " << name;
    }
  };

  explicit FakeNameResolver(Questions& questions) : questions_(questions) {}

  std::unique_ptr<Query> Resolve(const std::string& name, DnsFamily family,
                                 OnAnswer answered) override {
    const size_t id = questions_.asked.size();
    questions_.asked.push_back(name);
    questions_.open.push_back({name, family, std::move(answered), id});
    return std::make_unique<FakeQuery>(questions_, id);
  }

 private:
  class FakeQuery final : public Query {
   public:
    FakeQuery(Questions& questions, size_t id) : questions_(questions), id_(id) {}
    ~FakeQuery() override {
      questions_.open.remove_if([this](const auto& question) { return question.id == id_; });
    }

   private:
    Questions& questions_;
    size_t id_;
  };

  Questions& questions_;
};

}  // namespace sluice

#endif  // SLUICE_TESTS_SUPPORT_FAKE_NAME_RESOLVER_H_
