// SPDX-License-Identifier: Apache-2.0
#include "moat/fetch/internal/address.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

namespace moat::fetch::internal {

namespace {

constexpr std::size_t most_addresses = 8;

// Nobody's server, and the places where clouds hand out a machine's credentials: link-local ones,
// and Amazon's by IPv6, Alibaba's and Azure's, which are not.
const std::array<Cidr, 10>& forbidden() {
  static const std::array<Cidr, 10> networks = [] {
    const char* const texts[] = {
        "0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4",   "240.0.0.0/4",     "::/128",
        "fe80::/10", "ff00::/8",       "fd00:ec2::254", "100.100.100.200", "168.63.129.16"};
    std::array<Cidr, 10> out;
    std::transform(std::begin(texts), std::end(texts), out.begin(),
                   [](const char* text) { return *Cidr::parse(text); });
    return out;
  }();
  return networks;
}

std::vector<IpAddress> read_list(const addrinfo* list) {
  std::vector<IpAddress> out;
  for (const addrinfo* item = list; item != nullptr; item = item->ai_next) {
    if (item->ai_family == AF_INET) {
      sockaddr_in v4;
      std::memcpy(&v4, item->ai_addr, sizeof v4);
      out.push_back(IpAddress::from_v4(ntohl(v4.sin_addr.s_addr)));
    } else if (item->ai_family == AF_INET6) {
      sockaddr_in6 v6;
      std::memcpy(&v6, item->ai_addr, sizeof v6);
      std::array<std::uint8_t, 16> bytes;
      std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
      out.push_back(IpAddress::from_v6(bytes));
    }
  }
  return out;
}

// What the thread that asks the system shares with the one that waits for it.
struct Asked {
  std::string host;
  std::mutex mutex;
  std::condition_variable changed;
  bool done = false;
  int error = 0;
  std::vector<IpAddress> addresses;
};

void ask(Asked& asked) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int error = ::getaddrinfo(asked.host.c_str(), nullptr, &hints, &list);
  const std::lock_guard lock(asked.mutex);
  asked.error = error;
  if (error == 0) {
    asked.addresses = read_list(list);
    ::freeaddrinfo(list);
  }
  asked.done = true;
  asked.changed.notify_all();
}

// getaddrinfo knows no deadline but resolv.conf's, so it runs on a thread that is left alone when
// ours has passed.
Result<std::vector<IpAddress>, std::string> look_up(const std::string& host, Tick deadline,
                                                    const std::atomic<bool>* cancelled) {
  const auto asked = std::make_shared<Asked>();
  asked->host = host;
  try {
    std::thread([asked] { ask(*asked); }).detach();
  } catch (const std::system_error&) {
    return Error{std::string("no thread to resolve the name")};
  }
  std::unique_lock lock(asked->mutex);
  while (!asked->done) {
    const Tick now = std::chrono::steady_clock::now();
    if (now >= deadline || (cancelled != nullptr && *cancelled))
      return Error{std::string("the name could not be resolved in time")};
    const Tick until = cancelled == nullptr ? deadline : std::min(deadline, now + cancel_looks);
    asked->changed.wait_until(lock, until);
  }
  if (asked->error != 0) {
    return Error{"the name cannot be resolved: " + std::string(::gai_strerror(asked->error))};
  }
  return asked->addresses;
}

}  // namespace

bool may_connect(const Url& url, const IpAddress& address) {
  if (address.is_loopback()) return url.is_loopback();
  return std::none_of(forbidden().begin(), forbidden().end(),
                      [&](const Cidr& network) { return network.contains(address); });
}

Result<std::vector<IpAddress>, std::string> resolve(const Url& url, Tick deadline,
                                                    const std::atomic<bool>* cancelled) {
  std::vector<IpAddress> addresses;
  if (const auto literal = IpAddress::parse(url.host)) {
    addresses = {*literal};
  } else if (url.is_loopback()) {  // RFC 6761 section 6.3
    addresses = {IpAddress::from_v4(0x7f000001), *IpAddress::parse("::1")};
  } else {
    MOAT_TRY(addresses, look_up(url.host, deadline, cancelled));
  }
  std::erase_if(addresses, [&](const IpAddress& one) { return !may_connect(url, one); });
  if (addresses.empty())
    return Error{std::string("the name leads to no address that may be asked")};
  if (addresses.size() > most_addresses) addresses.resize(most_addresses);
  return addresses;
}

}  // namespace moat::fetch::internal
