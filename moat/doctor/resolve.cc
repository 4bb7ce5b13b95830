// SPDX-License-Identifier: Apache-2.0
#include "moat/doctor/internal/resolve.h"

#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
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

#include "moat/doctor/internal/caa.h"

namespace moat::doctor::internal {
namespace {

constexpr std::size_t most_addresses = 8, most_labels = 10;

// The resolver knows no deadline but resolv.conf's, so it runs on a thread that is left alone when
// ours has passed. `work` must own all it uses.
template <class Work>
auto run_until(Tick deadline, Work work) -> std::optional<decltype(work())> {
  struct Shared {
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<decltype(work())> result;
  };
  const auto shared = std::make_shared<Shared>();
  try {
    std::thread([shared, work] {
      auto result = work();
      const std::lock_guard lock(shared->mutex);
      shared->result = std::move(result);
      shared->changed.notify_all();
    }).detach();
  } catch (const std::system_error&) {
    return std::nullopt;
  }
  std::unique_lock lock(shared->mutex);
  shared->changed.wait_until(lock, deadline, [&] { return shared->result.has_value(); });
  return std::move(shared->result);
}

std::optional<IpAddress> address_of(const addrinfo& item) {
  if (item.ai_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, item.ai_addr, sizeof v4);
    return IpAddress::from_v4(ntohl(v4.sin_addr.s_addr));
  }
  if (item.ai_family != AF_INET6) return std::nullopt;
  sockaddr_in6 v6;
  std::memcpy(&v6, item.ai_addr, sizeof v6);
  std::array<std::uint8_t, 16> bytes;
  std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
  return IpAddress::from_v6(bytes);
}

struct Resolved {
  int error = 0;
  std::vector<IpAddress> addresses;
};

Resolved ask_addresses(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  Resolved out;
  out.error = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (out.error != 0) return out;
  for (const addrinfo* item = list; item != nullptr; item = item->ai_next) {
    const auto address = address_of(*item);
    const bool known = address && std::find(out.addresses.begin(), out.addresses.end(), *address) !=
                                      out.addresses.end();
    if (address && !known && out.addresses.size() < most_addresses)
      out.addresses.push_back(*address);
  }
  ::freeaddrinfo(list);
  return out;
}

// Names of this machine or network: public DNS has nothing to say of them (RFC 6761, RFC 6762).
bool is_public(const std::string& host) {
  static constexpr std::string_view others[] = {".localhost", ".test",      ".invalid", ".local",
                                                ".internal",  ".home.arpa", ".lan"};
  if (host.find('.') == std::string::npos) return false;
  return std::none_of(std::begin(others), std::end(others), [&](std::string_view suffix) {
    return host.size() > suffix.size() &&
           std::string_view(host).substr(host.size() - suffix.size()) == suffix;
  });
}

// RFC 8659 section 3: the name itself, then each one above.
Caa ask_caa(const std::string& host) {
  Caa out;
  struct __res_state state {};
  if (::res_ninit(&state) != 0) {
    out.state = Caa::State::failed;
    return out;
  }
  state.retrans = 2;  // seconds
  state.retry = 1;
  out.state = Caa::State::none;
  std::string name = host;
  for (std::size_t label = 0; label < most_labels && !name.empty(); ++label) {
    std::array<unsigned char, 16384> answer;
    const int size = ::res_nquery(&state, name.c_str(), ns_c_in, caa_type, answer.data(),
                                  static_cast<int>(answer.size()));
    if (size >= 0) {
      const auto whole = std::min(static_cast<std::size_t>(size), answer.size());
      out.records = read_caa_answer({reinterpret_cast<const char*>(answer.data()), whole});
      if (!out.records.empty()) {
        out.state = Caa::State::found;
        out.at = name;
        break;
      }
    } else if (state.res_h_errno != HOST_NOT_FOUND && state.res_h_errno != NO_DATA) {
      out.state = Caa::State::failed;
      break;
    }
    const std::size_t dot = name.find('.');
    name = dot == std::string::npos ? std::string() : name.substr(dot + 1);
  }
  ::res_nclose(&state);
  return out;
}

}  // namespace

Result<std::vector<IpAddress>, std::string> resolve(const std::string& host, Tick deadline) {
  const auto resolved = run_until(deadline, [host] { return ask_addresses(host); });
  if (!resolved) return Error{std::string("the resolver did not answer in time")};
  if (resolved->error != 0) return Error{std::string(::gai_strerror(resolved->error))};
  if (resolved->addresses.empty()) return Error{std::string("the name has no addresses")};
  return resolved->addresses;
}

Caa look_up_caa(const std::string& host, Tick deadline) {
  if (!is_public(host)) return {};
  auto found = run_until(deadline, [host] { return ask_caa(host); });
  if (found) return std::move(*found);
  Caa late;
  late.state = Caa::State::failed;
  return late;
}

}  // namespace moat::doctor::internal
