// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/shared_tickets.h"

#include <chrono>
#include <utility>

namespace moat::gateway {

namespace {

const std::string name = "ticket-keys";
constexpr std::chrono::seconds pause{30};
// Long enough for the others to have the next key before they would make one of their own.
constexpr std::chrono::minutes early{30};

}  // namespace

SharedTickets::SharedTickets(std::shared_ptr<acme::Storage> storage,
                             std::shared_ptr<https::TicketKeys> keys, const Log& log)
    : storage_(std::move(storage)), keys_(std::move(keys)), log_(log) {}

SharedTickets::~SharedTickets() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void SharedTickets::start() {
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
}

void SharedTickets::run() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, pause, [this] { return ending_; })) {
    lock.unlock();
    share();
    lock.lock();
  }
}

// Two nodes that write at once lose one's keys until its next turn, when it adds them again.
void SharedTickets::share() {
  std::string problem;
  auto kept = storage_->read(name);
  if (!kept) problem = kept.error();
  if (kept && *kept && !keys_->merge(**kept)) problem = "what is kept there is damaged";
  keys_->rotate_early(early);
  const Secret own = keys_->save();
  if (kept && (!*kept || !(*kept)->equals(own.reveal()))) {
    if (auto written = storage_->write(name, own); !written) problem = written.error();
  }
  if (!problem.empty() && !failing_) log_.warn("ticket_keys_not_shared", {{"reason", problem}});
  failing_ = !problem.empty();
}

}  // namespace moat::gateway
