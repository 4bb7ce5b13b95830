// SPDX-License-Identifier: Apache-2.0
#include "moat/net/uring.h"

#include <liburing.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <thread>
#include <utility>

#include "moat/net/stream.h"

namespace moat::net {

namespace {

constexpr unsigned sq_entries = 1024;
constexpr unsigned cq_entries = 8192;

// Buffers for receives. A backend's connection and whoever sends much take large ones.
struct BufferSize {
  unsigned short group;
  unsigned count;  // a power of two
  std::size_t bytes;
};
constexpr BufferSize large{0, 128, 16 * 1024};
// A client that sends short requests has a receive that goes on from one to the next. The kernel
// may take 32 buffers of it before it is told to stop, so these are small.
constexpr BufferSize small{1, 128, 2 * 1024};

// A reader that is behind by this much hears no more until it has caught up.
constexpr std::size_t most_unread = 32 * 1024;

constexpr unsigned setup_flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                                 IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE |
                                 IORING_SETUP_CLAMP | IORING_SETUP_R_DISABLED;

[[noreturn]] void fail(int error, const char* what) {
  throw std::system_error(error, std::generic_category(), what);
}

// Set when the ring is made and for ever: a process that was taken over cannot open files, sockets
// or anything else through the ring, which no system call filter sees.
int restrict_operations(io_uring& ring) {
  std::vector<io_uring_restriction> rules;
  const auto allow_operation = [&](std::uint8_t operation) {
    io_uring_restriction rule{};
    rule.opcode = IORING_RESTRICTION_SQE_OP;
    rule.sqe_op = operation;
    rules.push_back(rule);
  };
  for (const auto operation :
       {IORING_OP_RECV, IORING_OP_SEND, IORING_OP_POLL_ADD, IORING_OP_ASYNC_CANCEL, IORING_OP_NOP})
    allow_operation(static_cast<std::uint8_t>(operation));
  io_uring_restriction flags{};
  flags.opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED;
  flags.sqe_flags = IOSQE_BUFFER_SELECT | IOSQE_CQE_SKIP_SUCCESS;
  rules.push_back(flags);
  // liburing 2.3 declares functions of its own for these two and does not export them.
  return io_uring_register(static_cast<unsigned>(ring.ring_fd), IORING_REGISTER_RESTRICTIONS,
                           rules.data(), static_cast<unsigned>(rules.size()));
}

}  // namespace

namespace {

// Buffers that the kernel fills, all of one size.
class Buffers final {
 public:
  explicit Buffers(const BufferSize& size) : size_(size) {}
  Buffers(const Buffers&) = delete;  // the kernel writes there
  Buffers& operator=(const Buffers&) = delete;
  ~Buffers() {
    if (memory_ != nullptr) ::munmap(memory_, size_.count * size_.bytes);
    if (index_ != nullptr) ::munmap(index_, index_bytes());
  }

  // 0, or what is missing as an error number; `what` names it.
  int make(io_uring& ring, const char*& what) {
    what = "mmap";
    index_ = static_cast<io_uring_buf_ring*>(map(index_bytes()));
    if (index_ == nullptr) return ENOMEM;
    memory_ = static_cast<char*>(map(size_.count * size_.bytes));
    if (memory_ == nullptr) return ENOMEM;
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uint64_t>(index_);
    registration.ring_entries = size_.count;
    registration.bgid = size_.group;
    what = "io_uring buffer ring";
    const int registered = io_uring_register_buf_ring(&ring, &registration, 0);
    if (registered < 0) return -registered;
    io_uring_buf_ring_init(index_);
    for (unsigned i = 0; i < size_.count; ++i) add(i, static_cast<int>(i));
    io_uring_buf_ring_advance(index_, static_cast<int>(size_.count));
    return 0;
  }
  char* at(unsigned id) const { return memory_ + std::size_t{id} * size_.bytes; }
  void give_back(unsigned id) {
    add(id, 0);
    io_uring_buf_ring_advance(index_, 1);
  }

 private:
  std::size_t index_bytes() const { return size_.count * sizeof(io_uring_buf); }
  static void* map(std::size_t bytes) {
    void* at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
    return at == MAP_FAILED ? nullptr : at;
  }
  void add(unsigned id, int offset) {
    io_uring_buf_ring_add(index_, at(id), static_cast<unsigned>(size_.bytes),
                          static_cast<unsigned short>(id), io_uring_buf_ring_mask(size_.count),
                          offset);
  }
  const BufferSize& size_;
  io_uring_buf_ring* index_ = nullptr;
  char* memory_ = nullptr;
};

}  // namespace

struct Uring::Ring {
  io_uring ring{};
  bool made = false;
  bool started = false;
  RingPatience patience;
  Buffers large_buffers{large};
  Buffers small_buffers{small};

  // 0, or what is missing as an error number; `what` names it.
  int make(const char*& what) {
    io_uring_params params{};
    params.flags = setup_flags;
    params.cq_entries = cq_entries;
    what = "io_uring_setup";
    const int error = io_uring_queue_init_params(sq_entries, &ring, &params);
    if (error < 0) return -error;
    made = true;
    what = "io_uring_setup features";
    if ((params.features & IORING_FEAT_EXT_ARG) == 0) return ENOSYS;
    for (Buffers* buffers : {&large_buffers, &small_buffers}) {
      const int lacking = buffers->make(ring, what);
      if (lacking != 0) return lacking;
    }
    what = "io_uring restrictions";
    const int restricted = restrict_operations(ring);
    return restricted < 0 ? -restricted : 0;
  }
  io_uring_sqe* next() {
    io_uring_sqe* sqe = io_uring_get_sqe(&ring);
    while (sqe == nullptr) {  // full: the kernel takes all of them
      entered(io_uring_submit(&ring), RingPatience::longest, "io_uring_submit");
      sqe = io_uring_get_sqe(&ring);
    }
    return sqe;
  }
  // Behind each call: lets an error that passes do so, for at most `most`.
  void entered(int result, std::chrono::milliseconds most, const char* what) {
    const int error = result < 0 && result != -ETIME ? -result : 0;
    // What failed to submit has not looked for completions, and those are what makes room.
    if (error != 0 && error != EINTR && started) io_uring_get_events(&ring);
    const auto wait = patience.after(error, io_uring_cq_ready(&ring) > 0);
    if (!wait) fail(error, what);
    if (*wait > most) return std::this_thread::sleep_for(most);
    if (wait->count() > 0) std::this_thread::sleep_for(*wait);
  }
  ~Ring() {
    if (made) io_uring_queue_exit(&ring);  // before its buffers
  }
};

namespace {
// A channel's address with the kind of operation in the bits that its alignment leaves.
constexpr std::uint64_t kind_mask = 7;
static_assert(alignof(Channel) > kind_mask);
std::uint64_t tag(const Channel* channel, std::uint64_t kind) {
  return reinterpret_cast<std::uint64_t>(channel) | kind;
}
}  // namespace

std::optional<std::chrono::milliseconds> RingPatience::after(int error, bool completions) {
  switch (error) {
    case 0:
      next_ = first;
      return std::chrono::milliseconds{0};
    case EINTR:
      return std::chrono::milliseconds{0};
    case EAGAIN:
    case EBUSY:
    case ENOMEM:
    case EBADR:  // completions were lost: their connections end at their deadlines
      break;
    default:
      return std::nullopt;
  }
  if (completions) {
    next_ = first;
    return std::chrono::milliseconds{0};
  }
  return std::exchange(next_, std::min(2 * next_, longest));
}

std::string Uring::missing() {
  Ring ring;
  const char* what = "";
  const int error = ring.make(what);
  if (error == 0) return {};
  return std::string(what) + ": " + std::strerror(error);
}

Uring::Uring(Loop& loop, int wake) : loop_(loop), wake_(wake), ring_(std::make_unique<Ring>()) {
  const char* what = "";
  const int error = ring_->make(what);
  if (error != 0) fail(error, what);
  watch_wake();
}

Uring::~Uring() {
  ring_.reset();  // nothing is in flight from here on
  for (Channel* channel : released_) {
    ::close(channel->fd);
    delete channel;
  }
}

// The thread that runs the loop is the one that may submit.
void Uring::start() {
  ring_->started = true;
  io_uring_register_ring_fd(&ring_->ring);  // saves a little on each call; not needed
  const int enabled = io_uring_register(static_cast<unsigned>(ring_->ring.ring_fd),
                                        IORING_REGISTER_ENABLE_RINGS, nullptr, 0);
  if (enabled < 0) fail(-enabled, "io_uring_enable_rings");
}

void Uring::watch_wake() {
  io_uring_sqe* sqe = ring_->next();
  io_uring_prep_poll_multishot(sqe, wake_, POLLIN);
  io_uring_sqe_set_data64(sqe, tag(nullptr, woken));
}

// ------------------------------------------------------------------------------------- channels

Channel* Uring::open(Descriptor& owner, Descriptor::Use use) {
  auto* channel = new Channel;
  channel->owner = &owner;
  channel->fd = owner.fd();
  channel->use = use;
  return channel;
}

void Uring::release(Channel* channel) {
  channel->owner = nullptr;
  channel->fresh = {};
  channel->next.clear();
  if (channel->queued) {
    std::erase(to_send_, channel);
    submit_send(*channel);
  }
  if (channel->operations == 0) {
    finish(*channel);
    return;
  }
  released_.insert(channel);
  // In order: a send that is submitted with it is tried first.
  io_uring_sqe* sqe = ring_->next();
  io_uring_prep_cancel_fd(sqe, channel->fd, IORING_ASYNC_CANCEL_ALL);
  io_uring_sqe_set_flags(sqe, IOSQE_CQE_SKIP_SUCCESS);
  io_uring_sqe_set_data64(sqe, tag(nullptr, nothing));
}

void Uring::finish(Channel& channel) {
  if (channel.owner != nullptr || channel.operations != 0) return;
  released_.erase(&channel);
  ::close(channel.fd);
  recycle(channel.out);
  delete &channel;
}

void Uring::recycle(std::string& buffer) {
  constexpr std::size_t kept = 128;
  constexpr std::size_t most = 64 * 1024;
  if (buffer.capacity() > most || spare_.size() >= kept || buffer.capacity() < 64) {
    buffer = std::string();
    return;
  }
  buffer.clear();
  spare_.push_back(std::move(buffer));
  buffer = std::string();
}

// ------------------------------------------------------------------------------------- receiving

void Uring::want_readable(Channel& channel) {
  if (channel.use != Descriptor::Use::events) {
    if (!channel.receiving && !channel.ended) arm_receive(channel);
    return;
  }
  if (channel.polling_in) return;
  io_uring_sqe* sqe = ring_->next();
  io_uring_prep_poll_add(sqe, channel.fd, POLLIN);
  io_uring_sqe_set_data64(sqe, tag(&channel, poll_in_done));
  channel.polling_in = true;
  ++channel.operations;
}

void Uring::want_writable(Channel& channel) {
  if (channel.polling_out || channel.queued || channel.sending) return;
  io_uring_sqe* sqe = ring_->next();
  io_uring_prep_poll_add(sqe, channel.fd, POLLOUT);
  io_uring_sqe_set_data64(sqe, tag(&channel, poll_out_done));
  channel.polling_out = true;
  ++channel.operations;
}

void Uring::arm_receive(Channel& channel) {
  io_uring_sqe* sqe = ring_->next();
  channel.small = channel.use == Descriptor::Use::bytes && channel.brief;
  if (channel.use == Descriptor::Use::watched || channel.small) {
    // Not polled first: of an end that had come before, Linux 6.18 would tell nothing then.
    io_uring_prep_recv_multishot(sqe, channel.fd, nullptr, 0, 0);
  } else {
    io_uring_prep_recv(sqe, channel.fd, nullptr, large.bytes, 0);
    // Nothing is there in most cases: a request was answered, and the next is yet to come.
    sqe->ioprio = IORING_RECVSEND_POLL_FIRST;
  }
  sqe->buf_group = channel.small ? small.group : large.group;
  io_uring_sqe_set_flags(sqe, IOSQE_BUFFER_SELECT);
  io_uring_sqe_set_data64(sqe, tag(&channel, receive_done));
  channel.receiving = true;
  ++channel.operations;
}

// However the last receive ended, and though nobody waits.
void Uring::keep_watching(Channel& channel) {
  if (channel.use != Descriptor::Use::watched || channel.owner == nullptr) return;
  if (channel.receiving || channel.ended || channel.inbox.size() > channel.taken) return;
  arm_receive(channel);
}

void Uring::stop_receive(Channel& channel) {
  if (channel.stopping || !channel.receiving) return;
  channel.stopping = true;
  io_uring_sqe* sqe = ring_->next();
  io_uring_prep_cancel64(sqe, tag(&channel, receive_done), 0);
  io_uring_sqe_set_flags(sqe, IOSQE_CQE_SKIP_SUCCESS);
  io_uring_sqe_set_data64(sqe, tag(nullptr, nothing));
}

Io Uring::receive(Channel& channel, char* buffer, std::size_t size) {
  Descriptor& owner = *channel.owner;
  const std::size_t kept = channel.inbox.size() - channel.taken;
  if (kept > 0) {
    const std::size_t count = std::min(size, kept);
    std::memcpy(buffer, channel.inbox.data() + channel.taken, count);
    channel.taken += count;
    if (channel.taken == channel.inbox.size()) {
      recycle(channel.inbox);
      channel.taken = 0;
      owner.readable = channel.ended || !channel.fresh.empty();
      keep_watching(channel);
    }
    return {Io::ok, count};
  }
  if (!channel.fresh.empty()) {
    const std::size_t count = std::min(size, channel.fresh.size());
    std::memcpy(buffer, channel.fresh.data(), count);
    channel.fresh.remove_prefix(count);
    owner.readable = channel.ended || !channel.fresh.empty();
    return {Io::ok, count};
  }
  if (channel.error != 0) return {Io::failed};
  if (channel.ended) return {Io::end};
  owner.readable = false;
  return {Io::blocked};
}

void Uring::on_receive(Channel& channel, int result, std::uint32_t flags) {
  const bool more = (flags & IORING_CQE_F_MORE) != 0;
  Buffers& buffers = channel.small ? ring_->small_buffers : ring_->large_buffers;
  channel.brief = result > 0 && static_cast<std::size_t>(result) < small.bytes;
  // A body, perhaps of gigabytes: with large buffers, and no sooner than somebody reads it.
  if (channel.small && !channel.brief && more) stop_receive(channel);
  if (!more) channel.receiving = channel.stopping = false;
  if (result > 0) {
    const unsigned id = flags >> IORING_CQE_BUFFER_SHIFT;
    if (channel.owner != nullptr) {
      const std::string_view bytes(buffers.at(id), static_cast<std::size_t>(result));
      if (channel.inbox.empty()) {
        channel.fresh = bytes;
      } else {
        channel.inbox.append(bytes);
      }
      channel.owner->announce_readable();
      loop_.run_ready();
      // What nobody took is kept elsewhere: the kernel's buffers are for all.
      if (channel.owner != nullptr && !channel.fresh.empty()) {
        if (channel.inbox.empty() && !spare_.empty()) {
          channel.inbox.swap(spare_.back());
          spare_.pop_back();
        }
        channel.inbox.append(channel.fresh);
      }
      channel.fresh = {};
      if (channel.inbox.size() - channel.taken >= most_unread) stop_receive(channel);
    }
    buffers.give_back(id);
  } else {
    Descriptor* owner = channel.owner;
    const bool again = result == -ENOBUFS || result == -ECANCELED || result == -EINTR;
    if (owner != nullptr && !again) {
      channel.ended = true;
      channel.error = -result;
      owner->hung_up = true;
      owner->announce_readable();
      loop_.run_ready();
    }
  }
  if (more) return;
  if (channel.owner != nullptr && channel.owner->read_.waiter && !channel.receiving &&
      !channel.ended)
    arm_receive(channel);
  keep_watching(channel);
  --channel.operations;
  finish(channel);
}

// --------------------------------------------------------------------------------------- sending

void Uring::send(Channel& channel, std::string_view bytes) {
  if (bytes.empty()) return;
  if (channel.sending) {
    channel.next.append(bytes);
    return;
  }
  if (channel.out.empty() && !spare_.empty()) {
    channel.out.swap(spare_.back());
    spare_.pop_back();
  }
  channel.out.append(bytes);
  queue_send(channel);
}

void Uring::send_all_of(Channel& channel, std::string& bytes) {
  if (bytes.empty()) return;
  if (channel.sending || !channel.out.empty()) {
    send(channel, bytes);
    bytes.clear();
    return;
  }
  channel.out.swap(bytes);
  if (bytes.capacity() < 64 && !spare_.empty()) {
    bytes.swap(spare_.back());
    spare_.pop_back();
  }
  queue_send(channel);
}

void Uring::queue_send(Channel& channel) {
  if (channel.queued) return;
  channel.queued = true;
  to_send_.push_back(&channel);
}

void Uring::submit_send(Channel& channel) {
  channel.queued = false;
  channel.sending = true;
  ++channel.operations;
  io_uring_sqe* sqe = ring_->next();
  io_uring_prep_send(sqe, channel.fd, channel.out.data() + channel.sent,
                     channel.out.size() - channel.sent, MSG_NOSIGNAL | MSG_WAITALL);
  io_uring_sqe_set_data64(sqe, tag(&channel, send_done));
}

void Uring::on_send(Channel& channel, int result) {
  channel.sending = false;
  if (result > 0) channel.sent += static_cast<std::size_t>(result);
  const bool failed = result <= 0 && result != -EINTR && result != -EAGAIN;
  Descriptor* owner = channel.owner;
  if (owner == nullptr || failed || channel.sent == channel.out.size()) {
    recycle(channel.out);
    channel.sent = 0;
    if (!failed && owner != nullptr) channel.out.swap(channel.next);
  }
  if (owner != nullptr) {
    if (failed) {
      channel.next.clear();
      channel.send_failed = true;
    }
    if (!channel.out.empty()) {
      queue_send(channel);
    } else {
      if (channel.shut_down_after) {
        channel.shut_down_after = false;
        ::shutdown(channel.fd, SHUT_WR);
      }
      owner->announce_writable();
      loop_.run_ready();
    }
  }
  --channel.operations;
  finish(channel);
}

void Uring::shut_down(Channel& channel) {
  if (channel.unsent() > 0) {
    channel.shut_down_after = true;
  } else {
    ::shutdown(channel.fd, SHUT_WR);
  }
}

void Uring::on_poll(Channel& channel, bool in, int result) {
  (in ? channel.polling_in : channel.polling_out) = false;
  if (channel.owner != nullptr) {
    channel.owner->on_events(result < 0 ? POLLERR : static_cast<std::uint32_t>(result));
    loop_.run_ready();
  }
  --channel.operations;
  finish(channel);
}

// ------------------------------------------------------------------------------------------ turns

void Uring::wait(int timeout) {
  if (!ring_->started) start();
  for (Channel* channel : to_send_) submit_send(*channel);
  to_send_.clear();
  io_uring& ring = ring_->ring;
  int result = 0;
  if (timeout == 0) {
    result = io_uring_submit_and_get_events(&ring);
  } else {
    __kernel_timespec span{};
    span.tv_sec = timeout / 1000;
    span.tv_nsec = (timeout % 1000) * 1'000'000L;
    io_uring_cqe* first = nullptr;
    result = io_uring_submit_and_wait_timeout(&ring, &first, 1, &span, nullptr);
  }
  const std::chrono::milliseconds most(timeout < 0 ? RingPatience::longest.count() : timeout);
  if (result == -EBADR) lost_ = true;
  if (result >= 0 && std::exchange(lost_, false)) watch_wake();
  ring_->entered(result, std::max(most, RingPatience::first), "io_uring_enter");
}

void Uring::handle_completions() {
  if (lost_) loop_.run_posted();
  io_uring& ring = ring_->ring;
  // No more than is there now: what the handlers bring about has its turn in the next.
  for (unsigned left = io_uring_cq_ready(&ring); left > 0; --left) {
    io_uring_cqe* cqe = nullptr;
    if (io_uring_peek_cqe(&ring, &cqe) != 0 || cqe == nullptr) break;
    const std::uint64_t data = cqe->user_data;
    const int result = cqe->res;
    const std::uint32_t flags = cqe->flags;
    io_uring_cqe_seen(&ring, cqe);
    Channel* channel = reinterpret_cast<Channel*>(data & ~kind_mask);
    switch (static_cast<Kind>(data & kind_mask)) {
      case receive_done:
        on_receive(*channel, result, flags);
        break;
      case send_done:
        on_send(*channel, result);
        break;
      case poll_in_done:
        on_poll(*channel, true, result);
        break;
      case poll_out_done:
        on_poll(*channel, false, result);
        break;
      case woken:
        if ((flags & IORING_CQE_F_MORE) == 0) watch_wake();
        loop_.run_posted();
        break;
      case nothing:
        break;
    }
  }
}

}  // namespace moat::net
