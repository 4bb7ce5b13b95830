// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "moat/net/loop.h"
#include "moat/net/sockets.h"
#include "moat/net/stream.h"
#include "moat/net/task.h"
#include "moat/net/worker_pool.h"

namespace moat::net {
namespace {

using std::chrono::milliseconds;

std::array<int, 2> socket_pair() {
  std::array<int, 2> fds{};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()), 0);
  return fds;
}

class EachEngine : public ::testing::TestWithParam<Engine> {
 protected:
  void SetUp() override {
    std::string why_not;
    if (GetParam() == Engine::io_uring && best_engine(&why_not) != Engine::io_uring) {
      GTEST_SKIP() << "no io_uring here: " << why_not;
    }
  }
};
INSTANTIATE_TEST_SUITE_P(, EachEngine, ::testing::Values(Engine::epoll, Engine::io_uring),
                         [](const auto& tested) { return std::string(to_string(tested.param)); });

Task<int> add(int a, int b) { co_return a + b; }
Task<void> add_into(int& out) {
  const int first = co_await add(1, 2);
  out = co_await add(first, 4);
}
Task<int> throws() {
  throw std::runtime_error("no");
  co_return 1;
}
Task<void> catches(bool& caught) {
  try {
    co_await throws();
  } catch (const std::runtime_error&) {
    caught = true;
  }
}

TEST(Task, HandsItsValueToTheAwaiter) {
  int out = 0;
  spawn(add_into(out));
  EXPECT_EQ(out, 7);
}

TEST(Task, HandsItsExceptionToTheAwaiter) {
  bool caught = false;
  spawn(catches(caught));
  EXPECT_TRUE(caught);
}

Task<void> sleep_then_count(Loop& loop, milliseconds span, std::string& order, char name) {
  co_await loop.sleep_for(span);
  order.push_back(name);
  if (order.size() == 3) loop.stop();
}

TEST_P(EachEngine, TimersFireInTheOrderOfTheirTimes) {
  Loop loop(GetParam());
  std::string order;
  spawn(sleep_then_count(loop, milliseconds{90}, order, 'c'));
  spawn(sleep_then_count(loop, milliseconds{1}, order, 'a'));
  spawn(sleep_then_count(loop, milliseconds{40}, order, 'b'));
  loop.run();
  EXPECT_EQ(order, "abc");
}

struct Flag final : Timer {
  using Timer::Timer;
  void fire() override { ++fired; }
  int fired = 0;
};

TEST_P(EachEngine, ATimerMovedLaterFiresOnceAndLater) {
  Loop loop(GetParam());
  Flag timer(loop);
  timer.set(loop.in(milliseconds{20}));
  timer.set(loop.in(milliseconds{200}));
  const Tick middle = loop.in(milliseconds{100});
  while (loop.now() < middle) loop.turn(milliseconds{10});
  EXPECT_EQ(timer.fired, 0);
  const Tick end = loop.in(milliseconds{200});
  while (loop.now() < end) loop.turn(milliseconds{10});
  EXPECT_EQ(timer.fired, 1);
}

TEST_P(EachEngine, ATimerMovedEarlierFiresEarlier) {
  Loop loop(GetParam());
  Flag timer(loop);
  timer.set(loop.in(std::chrono::hours{1}));
  timer.set(loop.in(milliseconds{10}));
  const Tick end = loop.in(milliseconds{100});
  while (loop.now() < end) loop.turn(milliseconds{10});
  EXPECT_EQ(timer.fired, 1);
}

TEST_P(EachEngine, ACancelledTimerDoesNotFire) {
  Loop loop(GetParam());
  Flag timer(loop);
  timer.set(loop.in(milliseconds{10}));
  timer.cancel();
  const Tick end = loop.in(milliseconds{80});
  while (loop.now() < end) loop.turn(milliseconds{10});
  EXPECT_EQ(timer.fired, 0);
}

TEST_P(EachEngine, PostedWorkRunsOnTheLoop) {
  Loop loop(GetParam());
  std::thread other([&] { loop.post([&] { loop.stop(); }); });
  loop.run();
  other.join();
}

Task<void> wait_for(Stream& stream, Tick deadline, Wait& out, Loop& loop) {
  out = co_await stream.readable(deadline);
  loop.stop();
}

TEST_P(EachEngine, AReadThatNothingAnswersTimesOut) {
  Loop loop(GetParam());
  const auto fds = socket_pair();
  TcpStream stream(loop, fds[0]);
  Wait out = Wait::ready;
  spawn(wait_for(stream, loop.in(milliseconds{30}), out, loop));
  loop.run();
  EXPECT_EQ(out, Wait::timed_out);
  ::close(fds[1]);
}

TEST_P(EachEngine, CancelEndsAWait) {
  Loop loop(GetParam());
  const auto fds = socket_pair();
  TcpStream stream(loop, fds[0]);
  Wait out = Wait::ready;
  spawn(wait_for(stream, Tick::max(), out, loop));
  stream.cancel();
  loop.run();
  EXPECT_EQ(out, Wait::cancelled);
  ::close(fds[1]);
}

// Turns until there is something to read.
Io read_now(Loop& loop, Stream& stream, char* buffer, std::size_t size) {
  const Tick end = loop.in(std::chrono::seconds{10});
  Io got = stream.read(buffer, size);
  while (got.state == Io::blocked && loop.now() < end) {
    Wait ignored{};
    spawn(wait_for(stream, end, ignored, loop));
    loop.run();
    got = stream.read(buffer, size);
  }
  return got;
}

TEST_P(EachEngine, TheEndIsSeenBehindTheLastBytes) {
  Loop loop(GetParam());
  const auto fds = socket_pair();
  TcpStream stream(loop, fds[0]);
  EXPECT_EQ(::send(fds[1], "abc", 3, 0), 3);
  ::close(fds[1]);
  char buffer[16];
  const Io first = read_now(loop, stream, buffer, sizeof buffer);
  EXPECT_EQ(first.state, Io::ok);
  EXPECT_EQ(first.bytes, 3U);
  EXPECT_EQ(read_now(loop, stream, buffer, sizeof buffer).state, Io::end);
  EXPECT_TRUE(stream.stale());
}

TEST_P(EachEngine, AShortReadIsNotFollowedByAnother) {
  Loop loop(GetParam());
  const auto fds = socket_pair();
  TcpStream stream(loop, fds[0], Stream::Use::watched);
  EXPECT_EQ(::send(fds[1], "abc", 3, 0), 3);
  char buffer[16];
  EXPECT_EQ(read_now(loop, stream, buffer, sizeof buffer).bytes, 3U);
  EXPECT_FALSE(stream.descriptor().readable);
  EXPECT_EQ(stream.read(buffer, sizeof buffer).state, Io::blocked);
  EXPECT_FALSE(stream.stale());
  ::close(fds[1]);
}

TEST_P(EachEngine, ManySmallReadsTakeWhatCameAtOnce) {
  Loop loop(GetParam());
  const auto fds = socket_pair();
  TcpStream stream(loop, fds[0]);
  EXPECT_EQ(::send(fds[1], "abcdefghij", 10, 0), 10);
  std::string all;
  char buffer[3];
  while (all.size() < 10) {
    const Io got = read_now(loop, stream, buffer, sizeof buffer);
    ASSERT_EQ(got.state, Io::ok);
    all.append(buffer, got.bytes);
  }
  EXPECT_EQ(all, "abcdefghij");
  ::close(fds[1]);
}

// Whatever came before somebody waits again: bytes, an end, or a reset.
TEST_P(EachEngine, WhatCameBeforeTheWaitIsToldOf) {
  for (const std::string_view what : {"bytes", "end", "reset"}) {
    Loop loop(GetParam());
    auto listening = listen_on({*IpAddress::parse("127.0.0.1"), 0});
    ASSERT_TRUE(listening.has_value());
    const Endpoint to = local_endpoint(*listening);
    const int peer = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(to.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::connect(peer, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    pollfd waiting{*listening, POLLIN, 0};
    ASSERT_EQ(::poll(&waiting, 1, 10'000), 1);
    const int ours = ::accept4(*listening, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    ASSERT_GE(ours, 0);
    TcpStream stream(loop, ours);
    char buffer[16];
    ASSERT_EQ(::send(peer, "short", 5, 0), 5);
    ASSERT_EQ(read_now(loop, stream, buffer, sizeof buffer).bytes, 5U);
    ASSERT_EQ(stream.read(buffer, sizeof buffer).state, Io::blocked);
    if (what == "bytes") {
      ASSERT_EQ(::send(peer, "more", 4, 0), 4);
    } else {
      const struct linger now { what == "reset" ? 1 : 0, 0 };
      ASSERT_EQ(::setsockopt(peer, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
      ::close(peer);
    }
    const Tick begun = system_clock().tick();
    const Io got = read_now(loop, stream, buffer, sizeof buffer);
    EXPECT_LT(system_clock().tick() - begun, std::chrono::seconds{5}) << what;
    EXPECT_EQ(got.state, what == "bytes" ? Io::ok : what == "end" ? Io::end : Io::failed) << what;
    if (what == "bytes") ::close(peer);
    ::close(*listening);
  }
}

// What is short and what is long is received in different ways; the change between them loses
// nothing, whether somebody waits just then or not.
TEST_P(EachEngine, ShortAndLongTextsComeWholeAndInOrder) {
  Loop loop(GetParam());
  const auto fds = socket_pair();
  TcpStream stream(loop, fds[0]);
  std::string sent;
  std::string got;
  auto buffer = loop.buffers().take();
  unsigned step = 0;
  for (const std::size_t size : {1U, 900U, 2047U, 1U, 2048U, 5U, 2049U, 70'000U, 3U, 900U, 150'000U,
                                 900U, 4096U, 6144U, 2U, 100'000U, 800U}) {
    std::string text(size, ' ');
    for (std::size_t i = 0; i < size; ++i)
      text[i] = static_cast<char>('a' + (sent.size() + i) * 7 % 23);
    ASSERT_EQ(::send(fds[1], text.data(), size, 0), static_cast<ssize_t>(size)) << size;
    sent += text;
    // Now and then it comes while nobody waits.
    if (++step % 3 == 0) {
      for (int i = 0; i < 3; ++i) loop.turn(milliseconds{1});
    }
    while (got.size() < sent.size()) {
      const std::size_t most = step % 2 == 0 ? 1000 : BufferPool::buffer_size;
      const Io read = read_now(loop, stream, buffer.get(), most);
      ASSERT_EQ(read.state, Io::ok);
      got.append(buffer.get(), read.bytes);
    }
    ASSERT_EQ(got == sent, true) << size;
  }
  ::close(fds[1]);
  EXPECT_EQ(read_now(loop, stream, buffer.get(), 10).state, Io::end);
}

// Whoever has sent short texts so far may send more of them ahead, but not without end.
TEST_P(EachEngine, LittleIsTakenOfAPeerThatNobodyReads) {
  Loop loop(GetParam());
  const auto fds = socket_pair();
  int room = 16 * 1024;
  ASSERT_EQ(::setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof room), 0);
  TcpStream stream(loop, fds[0]);
  char buffer[16];
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(::send(fds[1], "short", 5, 0), 5);
    ASSERT_EQ(read_now(loop, stream, buffer, sizeof buffer).bytes, 5U);
  }
  EXPECT_EQ(stream.read(buffer, sizeof buffer).state, Io::blocked);
  Wait ignored{};
  spawn(wait_for(stream, loop.in(std::chrono::seconds{10}), ignored, loop));
  const std::string block(1024, 'x');
  std::size_t sent = 0;
  for (int refused = 0; refused < 20 && sent < 64 * 1024 * 1024;) {
    const ssize_t n = ::send(fds[1], block.data(), block.size(), 0);
    if (n > 0) sent += static_cast<std::size_t>(n);
    refused = n > 0 ? 0 : refused + 1;
    if (n < 0) loop.turn(milliseconds{1});
  }
  EXPECT_LT(sent, 256U * 1024);
  std::size_t read = 0;
  while (read < sent) {
    const Io got = read_now(loop, stream, buffer, sizeof buffer);
    ASSERT_EQ(got.state, Io::ok);
    read += got.bytes;
  }
  ::close(fds[1]);
}

// A peer that sends without end to a reader that does not read is held back, whatever the engine:
// what waits is bounded, and nothing of it is lost.
TEST_P(EachEngine, APeerIsHeldBackByAReaderThatDoesNotRead) {
  Loop loop(GetParam());
  const auto fds = socket_pair();
  TcpStream stream(loop, fds[0]);
  char buffer[1];
  const std::string block(16 * 1024, 'x');
  ASSERT_EQ(::send(fds[1], "x", 1, 0), 1);
  ASSERT_EQ(read_now(loop, stream, buffer, 1).bytes, 1U);
  Wait ignored{};
  spawn(wait_for(stream, loop.in(std::chrono::seconds{10}), ignored, loop));
  std::size_t sent = 0;
  int refused = 0;
  while (refused < 20 && sent < 64 * 1024 * 1024) {
    const ssize_t n = ::send(fds[1], block.data(), block.size(), 0);
    if (n > 0) sent += static_cast<std::size_t>(n);
    refused = n > 0 ? 0 : refused + 1;
    loop.turn(milliseconds{1});
  }
  EXPECT_LT(sent, 4U * 1024 * 1024);
  std::size_t read = 0;
  auto large = loop.buffers().take();
  while (read < sent) {
    const Io got = read_now(loop, stream, large.get(), BufferPool::buffer_size);
    ASSERT_EQ(got.state, Io::ok);
    read += got.bytes;
  }
  EXPECT_EQ(read, sent);
  ::close(fds[1]);
}

// What was written before a stream dies still arrives, if the kernel had room for it.
TEST_P(EachEngine, TheLastWordArrivesThoughTheStreamIsGone) {
  Loop loop(GetParam());
  const auto fds = socket_pair();
  {
    TcpStream stream(loop, fds[0]);
    EXPECT_TRUE(stream.write("bye"));
    stream.shut_down();
  }
  std::string all;
  const Tick end = loop.in(std::chrono::seconds{10});
  char buffer[16];
  ssize_t n = -1;
  while (n != 0 && loop.now() < end) {
    loop.turn(milliseconds{1});
    n = ::recv(fds[1], buffer, sizeof buffer, 0);
    if (n > 0) all.append(buffer, static_cast<std::size_t>(n));
  }
  EXPECT_EQ(n, 0);
  EXPECT_EQ(all, "bye");
  ::close(fds[1]);
}

// A stream may die with a receive and a send under way that never end by themselves.
TEST_P(EachEngine, AStreamThatDiesInTheMiddleClosesItsDescriptor) {
  Loop loop(GetParam());
  const auto fds = socket_pair();
  char buffer[16];
  {
    TcpStream stream(loop, fds[0]);
    EXPECT_EQ(::send(fds[1], "abc", 3, 0), 3);
    EXPECT_EQ(read_now(loop, stream, buffer, sizeof buffer).bytes, 3U);
    const std::string much(8 * 1024 * 1024, 'x');
    EXPECT_TRUE(stream.write(much));
    for (int i = 0; i < 3; ++i) loop.turn(milliseconds{1});
  }
  const Tick end = loop.in(std::chrono::seconds{10});
  std::string sink(1024 * 1024, ' ');
  ssize_t n = -1;
  while (n != 0 && loop.now() < end) {
    loop.turn(milliseconds{1});
    n = ::recv(fds[1], sink.data(), sink.size(), 0);
  }
  EXPECT_EQ(n, 0);
  ::close(fds[1]);
}

Task<void> write_all(Stream& stream, std::size_t chunks, bool& good, Loop& loop) {
  const std::string chunk(32768, 'x');
  good = true;
  for (std::size_t i = 0; i < chunks && good; ++i) {
    good = stream.write(chunk);
    if (!good) break;
    good = co_await stream.flush(loop.in(std::chrono::seconds(20)));
  }
  stream.shut_down();
}
Task<void> read_all(Stream& stream, std::size_t& total, Loop& loop) {
  auto buffer = loop.buffers().take();
  for (;;) {
    const Io got = stream.read(buffer.get(), BufferPool::buffer_size);
    if (got.state == Io::ok) {
      total += got.bytes;
    } else if (got.state == Io::blocked) {
      const Wait wait = co_await stream.readable(loop.in(std::chrono::seconds(20)));
      if (wait != Wait::ready) break;
    } else {
      break;
    }
  }
  loop.stop();
}

Task<void> write_and_flush(Stream& stream, bool& good, Loop& loop) {
  good = stream.write("x");
  if (!good) co_return;
  good = co_await stream.flush(loop.in(std::chrono::seconds{10}));
  loop.stop();
}

TEST_P(EachEngine, MovesMoreThanTheKernelHolds) {
  Loop loop(GetParam());
  const auto fds = socket_pair();
  TcpStream writer(loop, fds[0]);
  TcpStream reader(loop, fds[1]);
  std::size_t total = 0;
  bool good = false;
  spawn(write_all(writer, 400, good, loop));
  spawn(read_all(reader, total, loop));
  loop.run();
  EXPECT_TRUE(good);
  EXPECT_EQ(total, 400U * 32768U);
}

TEST_P(EachEngine, AWriteToAClosedPeerFailsInsteadOfKillingTheProcess) {
  Loop loop(GetParam());
  const auto fds = socket_pair();
  TcpStream stream(loop, fds[0]);
  ::close(fds[1]);
  bool good = true;
  spawn(write_and_flush(stream, good, loop));
  if (good) loop.run();
  EXPECT_FALSE(good);
}

Task<void> connect_and_stop(Loop& loop, Endpoint to, bool& connected, ConnectError& error) {
  auto result = co_await connect_to(loop, to, loop.in(std::chrono::seconds(5)));
  connected = result.has_value();
  if (!connected) error = result.error();
  loop.stop();
}

TEST_P(EachEngine, ConnectsToAListener) {
  Loop loop(GetParam());
  auto fd = listen_on({*IpAddress::parse("127.0.0.1"), 0});
  ASSERT_TRUE(fd.has_value());
  int accepted = 0;
  Listener listener(loop, *fd, [&](int client, const Endpoint& peer) {
    ++accepted;
    EXPECT_TRUE(peer.address.is_loopback());
    ::close(client);
  });
  bool connected = false;
  ConnectError error{};
  spawn(connect_and_stop(loop, listener.local(), connected, error));
  loop.run();
  for (int i = 0; i < 10 && accepted == 0; ++i) loop.turn(milliseconds{10});
  EXPECT_TRUE(connected);
  EXPECT_EQ(accepted, 1);
  listener.close();
  while (!listener.closed()) loop.turn(milliseconds{1});
}

Task<void> connect_unix_and_stop(Loop& loop, std::string path, milliseconds at_most,
                                 bool& connected, ConnectError& error) {
  const Tick deadline = loop.in(at_most);
  auto result = co_await connect_to_unix(loop, path, deadline);
  connected = result.has_value();
  if (!connected) error = result.error();
  loop.stop();
}

// A Unix socket that accepts nothing by itself.
class UnixListener final {
 public:
  explicit UnixListener(int backlog)
      : path_(::testing::TempDir() + "moat-net-test-" + std::to_string(::getpid()) + ".sock") {
    ::unlink(path_.c_str());
    fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(fd_, backlog), 0);
  }
  UnixListener(const UnixListener&) = delete;
  UnixListener& operator=(const UnixListener&) = delete;
  ~UnixListener() {
    close();
    ::unlink(path_.c_str());
  }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  int fd_ = -1;
};

struct UnixResult {
  bool connected = false;
  ConnectError error{};
};
UnixResult connect_unix(Engine engine, const std::string& path,
                        milliseconds at_most = milliseconds{5000}) {
  Loop loop(engine);
  UnixResult out;
  spawn(connect_unix_and_stop(loop, path, at_most, out.connected, out.error));
  loop.run();
  return out;
}

TEST_P(EachEngine, ConnectsToAUnixListener) {
  const UnixListener listener(8);
  EXPECT_TRUE(connect_unix(GetParam(), listener.path()).connected);
}

TEST_P(EachEngine, SaysWhatIsWrongWithAPath) {
  UnixListener listener(8);
  listener.close();
  EXPECT_EQ(connect_unix(GetParam(), listener.path()).error,
            ConnectError::refused);  // a stale socket file
  EXPECT_EQ(connect_unix(GetParam(), "/nonexistent/moat.sock").error, ConnectError::no_such_socket);
  EXPECT_EQ(connect_unix(GetParam(), std::string(longest_unix_path + 1, 'x')).error,
            ConnectError::no_such_socket);
}

TEST_P(EachEngine, AFullQueueIsWaitedForUntilTheDeadline) {
  const UnixListener listener(0);
  std::vector<int> waiting;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  listener.path().copy(address.sun_path, sizeof address.sun_path - 1);
  for (int i = 0; i < 64; ++i) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    waiting.push_back(fd);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) break;
  }
  const UnixResult result = connect_unix(GetParam(), listener.path(), milliseconds{50});
  EXPECT_FALSE(result.connected);
  EXPECT_EQ(result.error, ConnectError::timed_out);
  for (const int fd : waiting) ::close(fd);
}

TEST_P(EachEngine, SaysWhenNobodyListens) {
  Loop loop(GetParam());
  auto fd = listen_on({*IpAddress::parse("127.0.0.1"), 0});
  ASSERT_TRUE(fd.has_value());
  const Endpoint gone = local_endpoint(*fd);
  ::close(*fd);
  bool connected = true;
  ConnectError error{};
  spawn(connect_and_stop(loop, gone, connected, error));
  loop.run();
  EXPECT_FALSE(connected);
  EXPECT_EQ(error, ConnectError::refused);
}

}  // namespace
}  // namespace moat::net
