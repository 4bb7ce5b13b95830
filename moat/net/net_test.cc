// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
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

TEST(Loop, TimersFireInTheOrderOfTheirTimes) {
  Loop loop;
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

TEST(Loop, ATimerMovedLaterFiresOnceAndLater) {
  Loop loop;
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

TEST(Loop, ATimerMovedEarlierFiresEarlier) {
  Loop loop;
  Flag timer(loop);
  timer.set(loop.in(std::chrono::hours{1}));
  timer.set(loop.in(milliseconds{10}));
  const Tick end = loop.in(milliseconds{100});
  while (loop.now() < end) loop.turn(milliseconds{10});
  EXPECT_EQ(timer.fired, 1);
}

TEST(Loop, ACancelledTimerDoesNotFire) {
  Loop loop;
  Flag timer(loop);
  timer.set(loop.in(milliseconds{10}));
  timer.cancel();
  const Tick end = loop.in(milliseconds{80});
  while (loop.now() < end) loop.turn(milliseconds{10});
  EXPECT_EQ(timer.fired, 0);
}

TEST(Loop, PostedWorkRunsOnTheLoop) {
  Loop loop;
  std::thread other([&] { loop.post([&] { loop.stop(); }); });
  loop.run();
  other.join();
}

Task<void> wait_for(Stream& stream, Tick deadline, Wait& out, Loop& loop) {
  out = co_await stream.readable(deadline);
  loop.stop();
}

TEST(Stream, AReadThatNothingAnswersTimesOut) {
  Loop loop;
  const auto fds = socket_pair();
  TcpStream stream(loop, fds[0]);
  Wait out = Wait::ready;
  spawn(wait_for(stream, loop.in(milliseconds{30}), out, loop));
  loop.run();
  EXPECT_EQ(out, Wait::timed_out);
  ::close(fds[1]);
}

TEST(Stream, CancelEndsAWait) {
  Loop loop;
  const auto fds = socket_pair();
  TcpStream stream(loop, fds[0]);
  Wait out = Wait::ready;
  spawn(wait_for(stream, Tick::max(), out, loop));
  stream.cancel();
  loop.run();
  EXPECT_EQ(out, Wait::cancelled);
  ::close(fds[1]);
}

TEST(Stream, TheEndIsSeenBehindTheLastBytes) {
  Loop loop;
  const auto fds = socket_pair();
  TcpStream stream(loop, fds[0]);
  EXPECT_EQ(::send(fds[1], "abc", 3, 0), 3);
  ::close(fds[1]);
  for (int i = 0; i < 3; ++i) loop.turn(milliseconds{5});
  char buffer[16];
  const Io first = stream.read(buffer, sizeof buffer);
  EXPECT_EQ(first.state, Io::ok);
  EXPECT_EQ(first.bytes, 3U);
  EXPECT_EQ(stream.read(buffer, sizeof buffer).state, Io::end);
}

TEST(Stream, AShortReadIsNotFollowedByAnother) {
  Loop loop;
  const auto fds = socket_pair();
  TcpStream stream(loop, fds[0]);
  EXPECT_EQ(::send(fds[1], "abc", 3, 0), 3);
  loop.turn(milliseconds{5});
  char buffer[16];
  EXPECT_EQ(stream.read(buffer, sizeof buffer).bytes, 3U);
  EXPECT_FALSE(stream.descriptor().readable);
  EXPECT_EQ(stream.read(buffer, sizeof buffer).state, Io::blocked);
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

TEST(Stream, MovesMoreThanTheKernelHolds) {
  Loop loop;
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

TEST(Stream, AWriteToAClosedPeerFailsInsteadOfKillingTheProcess) {
  Loop loop;
  const auto fds = socket_pair();
  TcpStream stream(loop, fds[0]);
  ::close(fds[1]);
  EXPECT_FALSE(stream.write("x"));
}

Task<void> connect_and_stop(Loop& loop, Endpoint to, bool& connected, ConnectError& error) {
  auto result = co_await connect_to(loop, to, loop.in(std::chrono::seconds(5)));
  connected = result.has_value();
  if (!connected) error = result.error();
  loop.stop();
}

TEST(Sockets, ConnectsToAListener) {
  Loop loop;
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
  explicit UnixListener(int backlog) : path_(::testing::TempDir() + "moat-net-test.sock") {
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
UnixResult connect_unix(const std::string& path, milliseconds at_most = milliseconds{5000}) {
  Loop loop;
  UnixResult out;
  spawn(connect_unix_and_stop(loop, path, at_most, out.connected, out.error));
  loop.run();
  return out;
}

TEST(UnixSockets, ConnectsToAListener) {
  const UnixListener listener(8);
  EXPECT_TRUE(connect_unix(listener.path()).connected);
}

TEST(UnixSockets, SaysWhatIsWrongWithAPath) {
  UnixListener listener(8);
  listener.close();
  EXPECT_EQ(connect_unix(listener.path()).error, ConnectError::refused);  // a stale socket file
  EXPECT_EQ(connect_unix("/nonexistent/moat.sock").error, ConnectError::no_such_socket);
  EXPECT_EQ(connect_unix(std::string(longest_unix_path + 1, 'x')).error,
            ConnectError::no_such_socket);
}

TEST(UnixSockets, AFullQueueIsWaitedForUntilTheDeadline) {
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
  const UnixResult result = connect_unix(listener.path(), milliseconds{50});
  EXPECT_FALSE(result.connected);
  EXPECT_EQ(result.error, ConnectError::timed_out);
  for (const int fd : waiting) ::close(fd);
}

TEST(Sockets, SaysWhenNobodyListens) {
  Loop loop;
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

TEST(WorkerPool, RefusesWhatItsQueueCannotHold) {
  WorkerPool::Options options;
  options.threads = 1;
  options.queue = 1;
  std::atomic<bool> go = false;
  std::atomic<int> ran = 0;
  {
    WorkerPool pool(options);
    const auto work = [&] {
      while (!go) std::this_thread::yield();
      ++ran;
    };
    int accepted = 0;
    // At first the one thread may still be on its way to idling: it takes one, the queue one more.
    for (int i = 0; i < 100 && accepted < 2; ++i) {
      if (pool.submit(work)) ++accepted;
      std::this_thread::sleep_for(milliseconds{1});
    }
    EXPECT_EQ(accepted, 2);
    EXPECT_FALSE(pool.submit(work));
    go = true;
  }
  EXPECT_EQ(ran, 2);
}

Task<void> run_on_pool(Loop& loop, WorkerPool& pool, int& out, std::thread::id& where) {
  auto work = [&where] {
    where = std::this_thread::get_id();
    return 42;
  };
  const std::optional<int> value = co_await pool.run(loop, work);
  out = value.value_or(-1);
  loop.stop();
}

TEST(WorkerPool, ComesBackToTheLoopWithTheValue) {
  Loop loop;
  WorkerPool pool({});
  int out = 0;
  std::thread::id where;
  spawn(run_on_pool(loop, pool, out, where));
  loop.run();
  EXPECT_EQ(out, 42);
  EXPECT_NE(where, std::this_thread::get_id());
}

}  // namespace
}  // namespace moat::net
