// Callback: a function pointer and the object it is for. Never allocates, never owns.
#ifndef SLUICE_CORE_EVENT_CALLBACK_H_
#define SLUICE_CORE_EVENT_CALLBACK_H_

namespace sluice {

class Callback {
 public:
  using Function = void (*)(void* object);

  Callback() = default;
  Callback(Function function, void* object) : function_(function), object_(object) {}

  // Callback::To<&Stream::OnIdle>(this)
  template <auto kMethod, typename T>
  static Callback To(T* object) {
    return Callback([](void* self) { (static_cast<T*>(self)->*kMethod)(); }, object);
  }

  void operator()() const { function_(object_); }
  explicit operator bool() const { return function_ != nullptr; }

 private:
  Function function_ = nullptr;
  void* object_ = nullptr;
};

}  // namespace sluice

#endif  // SLUICE_CORE_EVENT_CALLBACK_H_
