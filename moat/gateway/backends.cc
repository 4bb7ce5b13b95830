// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/backends.h"

#include <algorithm>

#include "moat/http/response.h"

namespace moat::gateway {

namespace {

// Whether the next request may go out on an idle connection: it must be there, and silent. What
// came unasked would be taken for the next answer. Over TLS there may be tickets to read.
bool is_clean(net::Stream& stream) {
  const net::Descriptor& descriptor = stream.descriptor();
  if (descriptor.hung_up || descriptor.cancelled() || !stream.is_watched()) return false;
  if (!descriptor.readable && !stream.pending()) return true;
  char byte;
  return stream.read(&byte, 1).state == net::Io::blocked;
}

bool are_one(const BackendServer& known, const Upstream& upstream,
             const BackendSettings& settings) {
  BackendSettings same = settings;
  same.balance = known.settings.balance;  // that is the route's
  return known.upstream.to_string() == upstream.to_string() &&
         known.upstream.addresses == upstream.addresses && known.settings == same;
}

// How much of what is known of one holds for the other.
enum class Likeness {
  other,
  same_place,   // requests go to the same server
  same_health,  // and whether it works is found out in the same way
  same
};

// A name's addresses come in any order.
Likeness likeness(const BackendServer& before, const BackendServer& after) {
  const auto& old = before.upstream.addresses;
  const auto& now = after.upstream.addresses;
  if (before.upstream.to_string() != after.upstream.to_string() ||
      !std::is_permutation(old.begin(), old.end(), now.begin(), now.end()))
    return Likeness::other;
  BackendSettings settings = before.settings;
  settings.balance = after.settings.balance;
  if (settings == after.settings) return Likeness::same;
  settings.max_connections = after.settings.max_connections;
  settings.health_every = after.settings.health_every;
  return settings == after.settings ? Likeness::same_health : Likeness::same_place;
}

}  // namespace

Result<std::unique_ptr<BackendServers>, std::string> BackendServers::create(
    const Config& config, const BackendServers* before) {
  std::unique_ptr<BackendServers> made(new BackendServers);
  auto& servers = made->servers_;
  for (const Route& route : config.routes) {
    RouteServers& of_route = made->routes_.emplace_back();
    of_route.balance = route.backend.balance;
    for (const Upstream& upstream : route.backends) {
      const auto known = std::find_if(
          servers.begin(), servers.end(),
          [&](const BackendServer& server) { return are_one(server, upstream, route.backend); });
      of_route.servers.push_back(static_cast<std::size_t>(known - servers.begin()));
      if (known != servers.end()) continue;
      BackendServer& server = servers.emplace_back(upstream, route.backend);
      if (upstream.kind != Upstream::Kind::tls) continue;
      https::ClientPolicy policy;
      policy.name = route.backend.name.empty() ? upstream.host : route.backend.name;
      policy.roots = route.backend.ca;
      policy.allow_unverified = route.backend.allow_unverified;
      policy.own = route.backend.certificate.read;
      auto context = https::ClientContext::create(policy);
      if (!context) {
        return Error{"route '" + route.match + "': " + upstream.to_string() + ": " +
                     std::string(https::to_string(context.error()))};
      }
      server.tls.emplace(std::move(*context));
    }
  }
  made->take_over(before);
  return made;
}

// The most alike first: several may have one name, and their settings tell them apart.
void BackendServers::take_over(const BackendServers* before) {
  std::vector<const BackendServer*> left;
  if (before != nullptr) {
    for (const BackendServer& old : before->servers_) left.push_back(&old);
  }
  for (const Likeness least : {Likeness::same, Likeness::same_health, Likeness::same_place}) {
    for (BackendServer& server : servers_) {
      if (server.state != nullptr) continue;
      const auto old = std::find_if(left.begin(), left.end(), [&](const BackendServer* one) {
        return likeness(*one, server) >= least;
      });
      if (old == left.end()) continue;
      server.state = least == Likeness::same_place ? std::make_shared<ServerState>(*(*old)->state)
                                                   : (*old)->state;
      left.erase(old);
    }
  }
  for (BackendServer& server : servers_) {
    if (server.state == nullptr) server.state = std::make_shared<ServerState>();
  }
}

Backends::Backends(net::Loop& loop, const BackendServers& servers, const Log& log,
                   std::chrono::milliseconds connect_timeout)
    : loop_(loop),
      shared_(servers),
      log_(log),
      connect_timeout_(connect_timeout),
      own_(servers.servers().size()),
      next_(servers.routes().size()) {}

Backends::~Backends() = default;

// -------------------------------------------------------------------------------------------------
// Whose turn it is

// A server that may be asked; where there is none, one whose circuit is open. Neither is one of
// those `tried`; those `passed` over come into the second choice only.
std::optional<std::size_t> Backends::choose(std::size_t route, const Some& tried,
                                            const Some& passed) const {
  const BackendServers::RouteServers& of_route = shared_.routes()[route];
  const std::size_t count = of_route.servers.size();
  for (const bool allow_open : {false, true}) {
    std::optional<std::size_t> best;
    std::uint32_t least = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t position = (next_[route] + i) % count;
      if (tried[position] || (!allow_open && passed[position])) continue;
      const BackendServer& candidate = server(of_route.servers[position]);
      const ServerState& state = *candidate.state;
      if (!state.healthy() || candidate.full()) continue;
      if (!allow_open && !state.may_be_asked(loop_.now())) continue;
      if (best && state.requests() >= least) continue;
      best = position;
      least = state.requests();
      if (of_route.balance == Balance::round_robin) break;
    }
    if (best) return best;
  }
  return std::nullopt;
}

Backends::Unavailable Backends::none_to_choose(std::size_t route) const {
  const std::vector<std::size_t>& indices = shared_.routes()[route].servers;
  const bool any_healthy = std::any_of(indices.begin(), indices.end(), [&](std::size_t index) {
    return server(index).state->healthy();
  });
  Unavailable why;
  why.kind = any_healthy ? Unavailable::busy : Unavailable::down;
  why.reason = any_healthy ? "every server has as many requests as it may have"
                           : "no server passes the check of its health";
  return why;
}

void Backends::take_turn(std::size_t route, std::size_t position) {
  next_[route] = (position + 1) % shared_.routes()[route].servers.size();
}

Backends::Lease Backends::reuse(std::size_t route) {
  const auto position = choose(route, {}, {});
  if (!position) return {};
  const std::size_t index = shared_.routes()[route].servers[*position];
  std::vector<Idle>& idle = own_[index].idle;
  while (!idle.empty()) {
    Idle found = std::move(idle.back());
    idle.pop_back();
    if (found.since + keep_idle < loop_.now() || !is_clean(*found.stream)) continue;
    const BackendServer& to = server(index);
    // Lost to another worker meanwhile; connect() looks for another server.
    if (!to.take_place()) return {};
    Lease lease;
    lease.place = Place(*to.state);
    static_cast<void>(to.state->admit(loop_.now()));  // where all are open, this one is as good
    lease.stream = std::move(found.stream);
    lease.server = index;
    lease.reused = true;
    lease.upstream = &to.upstream;
    take_turn(route, *position);
    return lease;
  }
  return {};
}

net::Task<Result<Backends::Lease, Backends::Unavailable>> Backends::connect(std::size_t route) {
  Some tried;
  Some passed;
  std::optional<Unavailable> last;
  for (;;) {
    const std::optional<std::size_t> position = choose(route, tried, passed);
    if (!position) break;
    const std::size_t index = shared_.routes()[route].servers[*position];
    const BackendServer& to = server(index);
    if (!to.state->admit(loop_.now()) && !passed[*position]) {
      passed.set(*position);
      continue;
    }
    tried.set(*position);
    if (!to.take_place()) continue;
    Lease lease;
    lease.place = Place(*to.state);
    take_turn(route, *position);
    auto opened = co_await open(index, connect_timeout_);
    if (opened) {
      lease.stream = std::move(*opened);
      lease.server = index;
      lease.upstream = &to.upstream;
      co_return lease;
    }
    last = std::move(opened.error());
    if (!last->ours) failed(index, last->reason);
  }
  if (!last) last = none_to_choose(route);
  co_return Error{std::move(*last)};
}

// -------------------------------------------------------------------------------------------------
// Connections

namespace {

Backends::Unavailable no_connection(const BackendServer& to, net::ConnectError error) {
  Backends::Unavailable why;
  if (error == net::ConnectError::timed_out) why.kind = Backends::Unavailable::timed_out;
  why.ours = error == net::ConnectError::no_descriptors;
  why.server = to.upstream.to_string();
  why.reason = net::to_string(error);
  return why;
}

}  // namespace

net::Task<Result<std::unique_ptr<net::Stream>, Backends::Unavailable>> Backends::open_tls(
    const BackendServer& to, net::Endpoint endpoint, std::chrono::milliseconds at_most) {
  const Tick deadline = loop_.in(at_most);
  auto stream = co_await net::connect_to_tls(loop_, endpoint, to.tls->native(), deadline);
  if (!stream) co_return Error{no_connection(to, stream.error())};
  net::TlsStream& secure = **stream;
  Unavailable why;
  why.server = to.upstream.to_string();
  if (!to.tls->prepare(secure.native())) {
    why.reason = "OpenSSL failed";
    co_return Error{std::move(why)};
  }
  const Tick shaken = loop_.in(at_most);
  const net::TlsStream::Handshake result = co_await secure.handshake(shaken);
  if (result == net::TlsStream::Handshake::done) {
    std::unique_ptr<net::Stream> done = std::move(*stream);
    co_return std::move(done);
  }
  if (result == net::TlsStream::Handshake::timed_out) {
    why.kind = Unavailable::timed_out;
    why.reason = "TLS handshake timed out";
  } else {
    why.reason = https::why_refused(secure.native(), secure.failure());
  }
  co_return Error{std::move(why)};
}

net::Task<Result<std::unique_ptr<net::Stream>, Backends::Unavailable>> Backends::open(
    std::size_t index, std::chrono::milliseconds at_most) {
  const BackendServer& to = server(index);
  if (to.upstream.kind == Upstream::Kind::unix_socket) {
    const Tick deadline = loop_.in(at_most);
    auto stream = co_await net::connect_to_unix(loop_, to.upstream.path, deadline);
    if (!stream) co_return Error{no_connection(to, stream.error())};
    std::unique_ptr<net::Stream> connected = std::move(*stream);
    co_return std::move(connected);
  }
  Unavailable last = no_connection(to, net::ConnectError::unreachable);
  const std::size_t count = to.upstream.addresses.size();
  const std::size_t first = own_[index].good_address;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t which = (first + i) % count;
    const net::Endpoint endpoint{to.upstream.addresses[which], to.upstream.port};
    std::unique_ptr<net::Stream> connected;
    if (to.upstream.kind == Upstream::Kind::tls) {
      auto stream = co_await open_tls(to, endpoint, at_most);
      if (stream) {
        connected = std::move(*stream);
      } else {
        last = std::move(stream.error());
      }
    } else {
      const Tick deadline = loop_.in(at_most);
      auto stream = co_await net::connect_to(loop_, endpoint, deadline);
      if (stream) {
        connected = std::move(*stream);
      } else {
        last = no_connection(to, stream.error());
      }
    }
    if (connected == nullptr) continue;
    own_[index].good_address = which;
    co_return std::move(connected);
  }
  co_return Error{std::move(last)};
}

void Backends::give_back(Lease lease) {
  std::vector<Idle>& idle = own_[lease.server].idle;
  if (lease.bound || idle.size() >= most_idle || !is_clean(*lease.stream)) return;
  Idle kept;
  kept.stream = std::move(lease.stream);
  kept.since = loop_.now();
  idle.push_back(std::move(kept));
}

bool Backends::is_fit(const Lease& lease) {
  return lease.stream != nullptr && is_clean(*lease.stream);
}

void Backends::sweep() {
  for (Own& own : own_) {
    std::erase_if(own.idle, [&](const Idle& idle) {
      return idle.since + keep_idle < loop_.now() || !is_clean(*idle.stream);
    });
  }
}

void Backends::close_idle() {
  for (Own& own : own_) own.idle.clear();
}

// -------------------------------------------------------------------------------------------------
// Health

// A gateway behind us that cannot reach its own server says 502 or 504; other statuses are the
// application's own.
void Backends::answered(std::size_t index, int status) {
  if (status == 502 || status == 504) {
    failed(index, "answers " + std::to_string(status));
  } else {
    log_change(index, server(index).state->succeeded(), "answers again");
  }
}

void Backends::failed(std::size_t index, std::string_view reason) {
  log_change(index, server(index).state->failed(loop_.now()), reason);
}

void Backends::log_change(std::size_t index, ServerState::Change change,
                          std::string_view reason) const {
  if (change == ServerState::Change::none) return;
  const std::string name = shared_.servers()[index].upstream.to_string();
  if (change == ServerState::Change::down) {
    log_.warn("backend_down", {{"server", name}, {"reason", reason}});
  } else {
    log_.info("backend_up", {{"server", name}, {"reason", reason}});
  }
}

void Backends::start_checks() {
  for (std::size_t i = 0; i < own_.size(); ++i) {
    if (stopping_ || server(i).settings.health_path.empty()) continue;
    Check& check = *checks_.emplace_back(std::make_unique<Check>(loop_, i));
    ++checking_;
    net::spawn(keep_checking(check));
  }
}

void Backends::stop_checks() {
  stopping_ = true;
  for (const auto& check : checks_) {
    check->pause.cancel();
    if (check->stream != nullptr) check->stream->cancel();
  }
}

net::Task<void> Backends::keep_checking(Check& check) {
  const BackendServer& to = server(check.server);
  while (!stopping_) {
    const Tick next = loop_.in(to.settings.health_every);
    const std::string fault = co_await ask_health(check);
    if (stopping_) break;
    const ServerState::Change change = to.state->checked(fault.empty());
    log_change(check.server, change, fault.empty() ? "passes the check of its health" : fault);
    const net::Wait wait = co_await check.pause.wait_readable(next);
    if (wait == net::Wait::cancelled) break;
  }
  --checking_;
}

// One question; empty where the answer is as it should be, else what is wrong.
net::Task<std::string> Backends::ask_health(Check& check) {
  const BackendServer& to = server(check.server);
  const std::chrono::milliseconds at_most = to.settings.health_timeout;
  const Tick deadline = loop_.in(at_most);
  auto opened = co_await open(check.server, std::min(at_most, connect_timeout_));
  if (!opened) co_return std::move(opened.error().reason);
  net::Stream& stream = **opened;
  check.stream = &stream;
  std::string text = "GET " + to.settings.health_path + " HTTP/1.1\r\nHost: ";
  text += to.upstream.authority();
  text += "\r\nUser-Agent: moat-health\r\nAccept: */*\r\nConnection: close\r\n\r\n";
  bool good = !stopping_ && stream.write(text);
  if (good) good = co_await stream.flush(deadline);
  auto buffer = loop_.buffers().take();
  std::size_t end = 0;
  http::ResponseHead head;
  std::string fault = "closed before an answer";
  while (good) {
    const std::string_view there(buffer.get(), end);
    const http::ParseStatus status =
        http::parse_response_head(there, http::HeadLimits::for_backend(), http::Method::get, head);
    if (status.complete() && head.interim) {
      std::copy(buffer.get() + status.consumed, buffer.get() + end, buffer.get());
      end -= status.consumed;
      continue;
    }
    if (status.complete()) {
      const bool expected = head.status == to.settings.health_expect;
      fault = expected ? std::string() : "answers " + std::to_string(head.status);
      break;
    }
    if (status.refused() || end == net::BufferPool::buffer_size) {
      fault = "answers what is no HTTP";
      break;
    }
    const net::Io got = stream.read(buffer.get() + end, net::BufferPool::buffer_size - end);
    if (got.state == net::Io::ok) {
      end += got.bytes;
    } else if (got.state == net::Io::blocked) {
      const net::Wait wait = co_await stream.readable(deadline);
      good = wait == net::Wait::ready;
      if (wait == net::Wait::timed_out) fault = "no answer in time";
    } else {
      break;
    }
  }
  check.stream = nullptr;
  co_return fault;
}

}  // namespace moat::gateway
