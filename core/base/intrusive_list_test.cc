#include "core/base/intrusive_list.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace sluice {
namespace {

struct OtherTag {};

struct Element : ListNode<>, ListNode<OtherTag> {
  explicit Element(int n) : number(n) {}
  bool in_first() const { return ListNode<>::linked(); }
  int number;
};

using First = List<Element>;
using Second = List<Element, OtherTag>;

template <typename AnyList>
std::vector<int> Numbers(AnyList& list) {
  std::vector<int> numbers;
  list.ForEach([&numbers](Element& element) { numbers.push_back(element.number); });
  return numbers;
}
using Ints = std::vector<int>;

TEST(IntrusiveList, KeepsOrder) {
  First list;
  Element one(1), two(2), three(3);
  EXPECT_TRUE(list.empty());
  list.PushBack(two);
  list.PushBack(three);
  list.PushFront(one);
  EXPECT_EQ(Numbers(list), (Ints{1, 2, 3}));
  EXPECT_EQ(list.front().number, 1);
  EXPECT_EQ(list.back().number, 3);
  two.ListNode<>::Unlink();
  two.ListNode<>::Unlink();
  EXPECT_FALSE(two.in_first());
  EXPECT_EQ(Numbers(list), (Ints{1, 3}));
}

TEST(IntrusiveList, ElementsLeaveWhenTheyDie) {
  First list;
  Element one(1);
  list.PushBack(one);
  {
    Element two(2);
    list.PushBack(two);
    EXPECT_EQ(Numbers(list), (Ints{1, 2}));
  }
  EXPECT_EQ(Numbers(list), Ints{1});
}

TEST(IntrusiveList, ElementsOutliveTheList) {
  Element one(1);
  {
    First list;
    list.PushBack(one);
    EXPECT_TRUE(one.in_first());
  }
  EXPECT_FALSE(one.in_first());
}

TEST(IntrusiveList, AnElementMayBeInSeveral) {
  First first;
  Second second;
  Element one(1), two(2);
  first.PushBack(one);
  first.PushBack(two);
  second.PushBack(two);
  second.PushBack(one);
  EXPECT_EQ(Numbers(first), (Ints{1, 2}));
  EXPECT_EQ(Numbers(second), (Ints{2, 1}));
  one.ListNode<>::Unlink();
  EXPECT_EQ(Numbers(first), Ints{2});
  EXPECT_EQ(Numbers(second), (Ints{2, 1}));
}

TEST(IntrusiveList, SpliceMovesAll) {
  First list;
  First other;
  Element one(1), two(2), three(3);
  list.PushBack(one);
  other.PushBack(two);
  other.PushBack(three);
  list.Splice(other);
  EXPECT_TRUE(other.empty());
  EXPECT_EQ(Numbers(list), (Ints{1, 2, 3}));
  list.Splice(other);
  EXPECT_EQ(Numbers(list), (Ints{1, 2, 3}));
}

TEST(IntrusiveList, ForEachAllowsTheElementToGo) {
  First list;
  std::vector<std::unique_ptr<Element>> elements;
  for (int i = 0; i < 5; ++i) {
    elements.push_back(std::make_unique<Element>(i));
    list.PushBack(*elements.back());
  }
  list.ForEach([&](Element& element) {
    if (element.number % 2 == 0) elements[static_cast<size_t>(element.number)].reset();
  });
  EXPECT_EQ(Numbers(list), (Ints{1, 3}));
}

TEST(IntrusiveList, FindFirst) {
  First list;
  Element one(1), two(2), three(3);
  EXPECT_EQ(list.FindFirst([](Element&) { return true; }), nullptr);
  for (Element* element : {&one, &two, &three}) list.PushBack(*element);
  EXPECT_EQ(list.FindFirst([](Element& element) { return element.number > 1; }), &two);
  EXPECT_EQ(list.FindFirst([](Element& element) { return element.number > 3; }), nullptr);
}

}  // namespace
}  // namespace sluice
