// A doubly linked list whose links live in its elements: insertion and removal are O(1) and never
// allocate. An element leaves its list when it is destroyed. The list owns nothing.
#ifndef SLUICE_CORE_BASE_INTRUSIVE_LIST_H_
#define SLUICE_CORE_BASE_INTRUSIVE_LIST_H_

namespace sluice {

// The base of what can be in a list. With several lists, give each its own Tag.
template <typename Tag = void>
class ListNode {
 public:
  ListNode() = default;
  ListNode(const ListNode&) = delete;
  ListNode& operator=(const ListNode&) = delete;
  ~ListNode() { Unlink(); }

  bool linked() const { return next_ != nullptr; }
  // Leaves the list; does nothing outside one.
  void Unlink() {
    if (next_ == nullptr) return;
    next_->previous_ = previous_;
    previous_->next_ = next_;
    next_ = previous_ = nullptr;
  }

 private:
  template <typename T, typename U>
  friend class List;
  ListNode* next_ = nullptr;
  ListNode* previous_ = nullptr;
};

// REQUIRES: T derives from ListNode<Tag>.
template <typename T, typename Tag = void>
class List {
  using Node = ListNode<Tag>;

 public:
  List() { head_.next_ = head_.previous_ = &head_; }
  List(const List&) = delete;
  List& operator=(const List&) = delete;
  ~List() {
    while (!empty()) front().Node::Unlink();
  }

  bool empty() const { return head_.next_ == &head_; }
  T& front() { return *static_cast<T*>(head_.next_); }
  T& back() { return *static_cast<T*>(head_.previous_); }

  void PushFront(T& element) { InsertAfter(head_, element); }
  void PushBack(T& element) { InsertAfter(*head_.previous_, element); }

  // Moves everything from `other` to this list's end.
  void Splice(List& other) {
    while (!other.empty()) {
      T& element = other.front();
      element.Node::Unlink();
      PushBack(element);
    }
  }

  // The first element for which matches(element) is true; null if there is none. `matches` may
  // unlink or destroy an element that it refuses.
  template <typename Matches>
  T* FindFirst(Matches matches) {
    for (Node* node = head_.next_; node != &head_;) {
      Node* next = node->next_;
      T* element = static_cast<T*>(node);
      if (matches(*element)) return element;
      node = next;
    }
    return nullptr;
  }

  // Calls visit(element) for each; visit may unlink or destroy that element, and no other.
  template <typename Visit>
  void ForEach(Visit visit) {
    for (Node* node = head_.next_; node != &head_;) {
      Node* next = node->next_;
      visit(*static_cast<T*>(node));
      node = next;
    }
  }

 private:
  void InsertAfter(Node& place, Node& element) {
    element.previous_ = &place;
    element.next_ = place.next_;
    place.next_->previous_ = &element;
    place.next_ = &element;
  }

  Node head_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_BASE_INTRUSIVE_LIST_H_
