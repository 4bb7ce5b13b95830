// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "moat/acme/storage.h"
#include "moat/base/log.h"
#include "moat/https/tls.h"

namespace moat::gateway {

// SharedTickets lets nodes open each other's session tickets: it adds this node's keys to those in
// the storage, and the others' to its own, twice a minute. A storage that does not answer holds up
// nobody else.
class SharedTickets final {
 public:
  // `log` must outlive it.
  SharedTickets(std::shared_ptr<acme::Storage> storage, std::shared_ptr<https::TicketKeys> keys,
                const Log& log);
  SharedTickets(const SharedTickets&) = delete;  // its thread points here
  SharedTickets& operator=(const SharedTickets&) = delete;
  ~SharedTickets();

  // Once, now. Not beside start().
  void share();
  // From now on, by a thread of its own. Calls behind the first do nothing.
  void start();

 private:
  void run();

  const std::shared_ptr<acme::Storage> storage_;
  const std::shared_ptr<https::TicketKeys> keys_;
  const Log& log_;
  bool failing_ = false;  // and that is in the log
  std::mutex mutex_;
  std::condition_variable wake_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace moat::gateway
