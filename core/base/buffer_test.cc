#include "core/base/buffer.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "core/base/random.h"

namespace sluice {
namespace {

TEST(Slice, CopiesAndShares) {
  Slice slice = Slice::Copy("hello");
  EXPECT_EQ(slice.view(), "hello");
  Slice shared = slice.Share();
  Slice part = slice.Share(1, 3);
  EXPECT_TRUE(slice.block()->shared());
  EXPECT_EQ(shared.data(), slice.data());
  slice.Reset();
  EXPECT_EQ(shared.view(), "hello");
  EXPECT_EQ(part.view(), "ell");
  shared = std::move(part);
  EXPECT_EQ(shared.view(), "ell");
  EXPECT_FALSE(shared.block()->shared());
  shared.RemovePrefix(1);
  shared.RemoveSuffix(1);
  EXPECT_EQ(shared.view(), "l");
}

TEST(Slice, EmptyOnesHaveNothing) {
  const Slice none;
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none.view(), "");
  EXPECT_EQ(none.tail_room(), 0u);
  EXPECT_TRUE(none.Share().empty());
  EXPECT_TRUE(Slice::Copy({}).empty());
}

TEST(Slice, GrowsOnlyIntoRoomThatNobodySaw) {
  Slice slice = Slice::Copy("ab");
  Slice other = slice.Share();
  EXPECT_GT(slice.tail_room(), 0u);
  std::memcpy(slice.data() + slice.size(), "cd", 2);
  slice.Grow(2);
  EXPECT_EQ(slice.view(), "abcd");
  EXPECT_EQ(other.view(), "ab");
  EXPECT_EQ(other.tail_room(), 0u);
  slice.RemoveSuffix(1);
  EXPECT_EQ(slice.tail_room(), 0u);  // "d" was handed out
}

TEST(Buffer, AppendFillsTheLastBlock) {
  Buffer buffer("one");
  buffer.Append(" two");
  EXPECT_EQ(buffer.slice_count(), 1u);
  EXPECT_EQ(buffer.ToString(), "one two");
  EXPECT_EQ(buffer.size(), 7u);
  const std::string large(200'000, 'x');
  buffer.Append(large);
  EXPECT_EQ(buffer.ToString(), "one two" + large);
}

TEST(Buffer, SlicesMoveWithoutCopies) {
  const std::string body(2000, 'x');  // a short one would be copied
  Slice slice = Slice::Copy(body);
  const char* place = slice.data();
  Buffer first(std::move(slice));
  Buffer second("head ");
  second.Append(std::move(first));
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): this is what is tested
  EXPECT_EQ(second.ToString(), "head " + body);
  EXPECT_EQ(second.slice(1).data(), place);
  Buffer third;
  third.Append(std::move(second));
  EXPECT_EQ(third.slice(1).data(), place);
  third.Consume(5);
  EXPECT_EQ(third.front().data(), place);
  Slice out = third.PopFront();
  EXPECT_EQ(out.data(), place);
  EXPECT_TRUE(third.empty());
  EXPECT_EQ(third.slice_count(), 0u);
}

TEST(Buffer, PiecesOfOneBlockJoinAgain) {
  Slice slice = Slice::Copy("abcdef");
  Buffer buffer;
  buffer.Append(slice.Share(0, 2));
  buffer.Append(slice.Share(2, 2));
  EXPECT_EQ(buffer.slice_count(), 1u);
  buffer.Append(slice.Share(0, 1));
  EXPECT_EQ(buffer.slice_count(), 2u);
  buffer.Append(Slice());
  EXPECT_EQ(buffer.slice_count(), 2u);
  EXPECT_EQ(buffer.ToString(), "abcda");
}

TEST(Buffer, SmallSlicesDoNotKeepABlockEach) {
  Buffer whole;
  Buffer kept;
  std::string expected;
  for (int i = 0; i < 10000; ++i) {
    const std::string piece(1, static_cast<char>('a' + i % 26));
    Buffer read{Slice::Copy(piece)};  // as a read of one byte leaves it
    kept.Append(read.Share());
    whole.Append(std::move(read));
    expected += piece;
  }
  EXPECT_EQ(kept.ToString(), expected);
  EXPECT_EQ(whole.ToString(), expected);
  EXPECT_LE(kept.slice_count(), 2u);
  EXPECT_LE(whole.slice_count(), 2u);
}

TEST(Buffer, MoveFromSplitsASlice) {
  Buffer from("abcdef");
  Buffer to("> ");
  to.MoveFrom(from, 0);
  to.MoveFrom(from, 2);
  EXPECT_EQ(to.ToString(), "> ab");
  EXPECT_EQ(from.ToString(), "cdef");
  // The bytes are shared now: neither may write over the other's.
  to.Append("XY");
  EXPECT_EQ(from.ToString(), "cdef");
  to.MoveFrom(from, 4);
  EXPECT_EQ(to.ToString(), "> abXYcdef");
  EXPECT_TRUE(from.empty());
}

TEST(Buffer, ShareIsASecondOwner) {
  Buffer buffer("shared");
  Buffer copy = buffer.Share();
  copy.Append(" by two");
  buffer.Append(" by one");
  EXPECT_EQ(copy.ToString(), "shared by two");
  EXPECT_EQ(buffer.ToString(), "shared by one");
  buffer.Clear();
  EXPECT_EQ(copy.ToString(), "shared by two");
}

TEST(Buffer, PrependPutsBefore) {
  Buffer buffer("d");
  for (const char* text : {"c", "b", "a"}) buffer.Prepend(Slice::Copy(text));
  buffer.Prepend(Slice());
  EXPECT_EQ(buffer.ToString(), "abcd");
  EXPECT_EQ(buffer.slice_count(), 4u);
  buffer.Consume(2);
  buffer.Prepend(Slice::Copy("B"));  // into the place that the consumed ones left
  EXPECT_EQ(buffer.ToString(), "Bcd");
}

TEST(Buffer, ReserveAndCommit) {
  Buffer buffer;
  Buffer::Room room = buffer.Reserve(10);
  EXPECT_GE(room.size, size_t{Block::kSmall});
  std::memcpy(room.data, "abc", 3);
  buffer.Commit(3);
  EXPECT_EQ(buffer.ToString(), "abc");
  room = buffer.Reserve(1);
  EXPECT_EQ(room.data, buffer.front().data() + 3);  // behind it, in the same block
  buffer.Commit(0);
  EXPECT_EQ(buffer.ToString(), "abc");
  room = buffer.Reserve(100'000, 0);
  EXPECT_GE(room.size, 100'000u);
  EXPECT_EQ(buffer.slice_count(), 2u);
  buffer.DropReserve();
  EXPECT_EQ(buffer.slice_count(), 1u);
  buffer.DropReserve();
  EXPECT_EQ(buffer.ToString(), "abc");
  Buffer empty;
  empty.Reserve(1);
  empty.Commit(0);  // an idle connection holds no block
  EXPECT_EQ(empty.slice_count(), 0u);
}

TEST(Buffer, CommitOfNothingGivesNobodysBytesAway) {
  Buffer buffer("ab");
  Buffer rest;
  rest.MoveFrom(buffer, 1);  // "a", whose block goes on with "b"
  rest.Reserve(0, 0);
  rest.Commit(0);
  rest.Append("X");
  EXPECT_EQ(buffer.ToString(), "b");
  EXPECT_EQ(rest.ToString(), "aX");
}

TEST(Buffer, VectorsAndFlatten) {
  Buffer buffer;
  for (const char* text : {"four", "three ", "two ", "one "}) buffer.Prepend(Slice::Copy(text));
  iovec vectors[8];
  EXPECT_EQ(buffer.FillVectors(vectors, 2), 2);
  ASSERT_EQ(buffer.FillVectors(vectors, 8), 4);
  EXPECT_EQ(std::string_view(static_cast<char*>(vectors[2].iov_base), vectors[2].iov_len),
            "three ");
  EXPECT_EQ(buffer.Flatten(), "one two three four");
  EXPECT_EQ(buffer.slice_count(), 1u);
  EXPECT_EQ(buffer.Flatten().data(), buffer.front().data());
  EXPECT_EQ(Buffer().Flatten(), "");
  EXPECT_EQ(Buffer().FillVectors(vectors, 8), 0);
}

TEST(Buffer, MovesKeepManySlices) {
  std::string expected;
  Buffer buffer;
  for (int i = 0; i < 50; ++i) {
    const std::string text = std::to_string(i) + std::string(1100, ',');  // not to be copied
    buffer.Append(Slice::Copy(text));
    expected += text;
  }
  Buffer moved = std::move(buffer);
  EXPECT_TRUE(buffer.empty());  // NOLINT(bugprone-use-after-move): this is what is tested
  buffer.Append("again");
  EXPECT_EQ(buffer.ToString(), "again");
  EXPECT_EQ(moved.ToString(), expected);
  buffer = std::move(moved);
  EXPECT_EQ(buffer.ToString(), expected);
  Buffer& same = buffer;
  buffer = std::move(same);
  EXPECT_EQ(buffer.ToString(), expected);
}

// Random work on several buffers that share bytes, against strings.
TEST(Buffer, AgreesWithStrings) {
  constexpr size_t kBuffers = 4;
  Random random(7);
  Buffer buffers[kBuffers];
  std::string strings[kBuffers];
  int written = 0;
  const auto new_text = [&](size_t most) {
    std::string text(random.Below(most + 1), '\0');
    for (char& c : text) c = static_cast<char>('!' + written++ % 90);
    return text;
  };
  for (int step = 0; step < 20'000; ++step) {
    const size_t i = random.Below(kBuffers);
    const size_t k = (i + 1 + random.Below(kBuffers - 1)) % kBuffers;
    const size_t n = random.Below(buffers[i].size() + 1);
    switch (random.Below(9)) {
      case 0: {
        const std::string text = new_text(step % 50 == 0 ? 20'000 : 100);
        buffers[i].Append(text);
        strings[i] += text;
        break;
      }
      case 1: {
        const std::string text = new_text(step % 4 == 0 ? 2000 : 20);
        buffers[i].Append(Slice::Copy(text));
        strings[i] += text;
        break;
      }
      case 2: {
        const std::string text = new_text(20);
        buffers[i].Prepend(Slice::Copy(text));
        strings[i] = text + strings[i];
        break;
      }
      case 3:
        buffers[i].Consume(n);
        strings[i].erase(0, n);
        break;
      case 4:
        buffers[k].MoveFrom(buffers[i], n);
        strings[k] += strings[i].substr(0, n);
        strings[i].erase(0, n);
        break;
      case 5:
        if (buffers[i].size() + buffers[k].size() > 30'000) {
          buffers[i].Clear();
          strings[i].clear();
        }
        buffers[k].Append(buffers[i].Share());
        strings[k] += strings[i];
        break;
      case 6: {
        const std::string text = new_text(50);
        const Buffer::Room room = buffers[i].Reserve(50, 64);
        ASSERT_GE(room.size, 50u);
        text.copy(room.data, text.size());
        buffers[i].Commit(text.size());
        strings[i] += text;
        break;
      }
      case 7:
        if (random.Below(10) == 0) {
          ASSERT_EQ(buffers[i].Flatten(), strings[i]);
        } else if (buffers[i].slice_count() > 0) {
          const Slice front = buffers[i].PopFront();
          ASSERT_EQ(front.view(), strings[i].substr(0, front.size()));
          strings[i].erase(0, front.size());
        }
        break;
      default:
        buffers[k].Append(std::move(buffers[i]));
        strings[k] += strings[i];
        strings[i].clear();
        break;
    }
    ASSERT_EQ(buffers[i].size(), strings[i].size());
    if (step % 16 == 0) {
      for (size_t b = 0; b < kBuffers; ++b) ASSERT_EQ(buffers[b].ToString(), strings[b]) << step;
    }
  }
}

}  // namespace
}  // namespace sluice
