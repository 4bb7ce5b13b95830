// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cerrno>

#include "moat/doctor/hello.h"
#include "moat/doctor/internal/chain.h"
#include "moat/doctor/internal/http_client.h"
#include "moat/doctor/internal/resolve.h"
#include "moat/doctor/internal/tls_client.h"
#include "moat/doctor/tls.h"

namespace moat::doctor {
namespace {

using fetch::Socket;

constexpr int whole_in_timeouts = 6;
constexpr std::size_t most_suites = 48;  // questions, one a suite that is accepted
// RFC 6761 section 6.4: nobody's, so it cannot be a name of the site.
constexpr char nobodys_name[] = "moat-doctor.invalid";

Reach reach_of(int error) {
  switch (error) {
    case 0:
      return Reach::open;
    case ECONNREFUSED:
      return Reach::refused;
    case ETIMEDOUT:
      return Reach::timed_out;
    case ENETUNREACH:
    case EADDRNOTAVAIL:  // no address of that family here
    case EAFNOSUPPORT:
    case EACCES:  // a rule of this machine
    case EPERM:
      return Reach::no_route;
    default:
      return Reach::failed;
  }
}

// Prober asks one address of the site, question by question, each on a connection of its own.
class Prober final {
 public:
  Prober(const Target& target, const ProbeOptions& options, const internal::Roots& roots,
         const Clock& clock, Random& random)
      : timeout_(options.timeout),
        roots_(roots),
        clock_(clock),
        random_(random),
        end_(clock.tick() + options.timeout * whole_in_timeouts) {
    facts_.target = target;
    if (!target.literal()) server_name_ = target.host;
  }

  TlsFacts run() {
    find_addresses();
    for (Contact& contact : facts_.contacts) contact_both(contact);
    if (!facts_.target.literal() && !facts_.target.address && facts_.unresolved.empty())
      facts_.caa = internal::look_up_caa(facts_.target.host, deadline());
    ask_plain_http();
    const auto open = std::find_if(facts_.contacts.begin(), facts_.contacts.end(),
                                   [](const Contact& c) { return c.https == Reach::open; });
    if (open == facts_.contacts.end()) return std::move(facts_);
    address_ = open->address;
    shake_hands();
    if (facts_.handshake.state == HandshakeFacts::State::not_tls) return std::move(facts_);
    if (facts_.handshake.state == HandshakeFacts::State::done) ask_https();
    ask_versions();
    ask_groups();
    ask_suites();
    ask_unknown_name();
    return std::move(facts_);
  }

 private:
  Tick deadline() const { return std::min(clock_.tick() + timeout_, end_); }

  void find_addresses() {
    std::vector<IpAddress> addresses;
    if (facts_.target.address) {
      addresses = {*facts_.target.address};
    } else if (const auto literal = facts_.target.literal()) {
      addresses = {*literal};
    } else if (auto resolved = internal::resolve(facts_.target.host, deadline())) {
      addresses = std::move(*resolved);
    } else {
      facts_.unresolved = resolved.error();
    }
    for (const IpAddress& address : addresses) facts_.contacts.emplace_back().address = address;
  }

  // One address that swallows everything must not use up the others' time. Two seconds are
  // time for a lost packet to be sent again.
  Reach contact(const IpAddress& address, std::uint16_t port) const {
    const auto share = std::max<std::chrono::milliseconds>(timeout_ / 4, std::chrono::seconds{2});
    Socket socket;
    const Tick until = std::min(clock_.tick() + std::min(share, timeout_), end_);
    return reach_of(socket.connect(address, port, until));
  }

  void contact_both(Contact& contact_facts) {
    const Tick before = clock_.tick();
    contact_facts.https = contact(contact_facts.address, facts_.target.port);
    contact_facts.https_time =
        std::chrono::duration_cast<std::chrono::milliseconds>(clock_.tick() - before);
    if (facts_.target.http_port)
      contact_facts.http = contact(contact_facts.address, *facts_.target.http_port);
  }

  bool connect(Socket& socket, Tick until) const {
    return socket.connect(address_, facts_.target.port, until) == 0;
  }

  void ask_plain_http() {
    const auto open = std::find_if(facts_.contacts.begin(), facts_.contacts.end(),
                                   [](const Contact& c) { return c.http == Reach::open; });
    if (open == facts_.contacts.end()) return;
    facts_.plain_get = plain_http("GET", open->address);
    facts_.plain_post = plain_http("POST", open->address);
  }

  static HttpFacts silent(const char* how) {
    HttpFacts out;
    out.state = HttpFacts::State::silent;
    out.trouble = how;
    return out;
  }

  HttpFacts plain_http(std::string_view method, const IpAddress& address) const {
    const Tick until = deadline();
    const std::uint16_t port = *facts_.target.http_port;
    Socket socket;
    if (socket.connect(address, port, until) != 0) return silent("no connection");
    const Time asked = clock_.now();
    if (!socket.send(internal::http_request(method, facts_.target.authority(port, 80)), until))
      return silent("the request could not be sent");
    const auto read = [&](char* buffer, std::size_t size) {
      return socket.receive(buffer, size, until);
    };
    return internal::read_answer(read, asked, clock_);
  }

  void shake_hands() {
    const Tick until = deadline();
    Socket socket;
    facts_.handshake.state = HandshakeFacts::State::failed;
    facts_.handshake.trouble = "the second connection was not taken";
    if (!connect(socket, until)) return;
    internal::TlsClient client(socket, {server_name_, {"h2", "http/1.1"}}, until);
    facts_.handshake = client.handshake();
    auto chain = internal::examine_chain(client.certificates(), roots_, facts_.target.host);
    if (chain) facts_.chain = std::move(*chain);
    if (facts_.handshake.state == HandshakeFacts::State::done) negotiated_ = client.version();
  }

  void ask_https() {
    const Tick until = deadline();
    facts_.https = silent("no connection");
    Socket socket;
    if (!connect(socket, until)) return;
    facts_.https = silent("no TLS handshake for http/1.1");
    internal::TlsClient client(socket, {server_name_, {"http/1.1"}}, until);
    if (client.handshake().state != HandshakeFacts::State::done) return;
    facts_.https = silent("the request could not be sent");
    const Time asked = clock_.now();
    const std::string host = facts_.target.authority(facts_.target.port, 443);
    if (!client.write(internal::http_request("GET", host))) return;
    const auto read = [&](char* buffer, std::size_t size) { return client.read(buffer, size); };
    facts_.https = internal::read_answer(read, asked, clock_);
  }

  // ----------------------------------------------------------------------------------------------
  // Questions by a ClientHello alone

  struct Asked {
    Offer offer = Offer::untested;
    bool closed = false;  // refused without a word
    ServerReply reply{};
  };

  // Accepted: the server chose that version. Refused: an alert, another version, or the end.
  Asked ask(ClientHello hello) {
    const Tick until = deadline();
    Asked out;
    Socket socket;
    hello.server_name = server_name_;
    if (!connect(socket, until) || !socket.send(encode_client_hello(hello, random_), until))
      return out;
    std::string bytes;
    std::array<char, 4096> piece;
    while (bytes.size() < most_reply) {
      const Socket::Received got = socket.receive(piece.data(), piece.size(), until);
      if (got.trouble == Socket::Trouble::late) return out;
      if (got.size == 0) {
        // Nothing at all is how some refuse; an end in the middle says nothing.
        out.closed = bytes.empty();
        if (out.closed) out.offer = Offer::refused;
        return out;
      }
      bytes.append(piece.data(), got.size);
      out.reply = parse_server_reply(bytes);
      if (out.reply.kind == ServerReply::Kind::incomplete) continue;
      if (out.reply.kind == ServerReply::Kind::not_tls) return out;
      const bool chosen =
          out.reply.kind != ServerReply::Kind::alert && out.reply.version == hello.version;
      out.offer = chosen ? Offer::accepted : Offer::refused;
      return out;
    }
    return out;
  }

  static ClientHello hello_of(std::uint16_t version) {
    ClientHello hello;
    hello.version = version;
    hello.suites = known_suites();
    hello.groups = known_groups();
    if (version == tls13) hello.suites = {0x1301, 0x1302, 0x1303, 0x1304, 0x1305};
    return hello;
  }

  // Whether it still takes what it took before: a server that has had enough of us closes each
  // connection, and that is no answer to any question.
  bool still_answers() {
    if (facts_.versions.tls13 == Offer::accepted && ask(hello_of(tls13)).offer == Offer::accepted)
      return true;
    return facts_.versions.tls12 == Offer::accepted &&
           ask(hello_of(tls12)).offer == Offer::accepted;
  }

  // The answers so far are one by one; a close counts only where it is meant.
  Offer meant(const Asked& answer) {
    return answer.closed && !still_answers() ? Offer::untested : answer.offer;
  }

  Offer ask_version(std::uint16_t version) {
    // A handshake that is done says more than a question.
    if (negotiated_ == version) return Offer::accepted;
    return meant(ask(hello_of(version)));
  }

  void ask_versions() {
    if (negotiated_ == tls12) facts_.versions.tls12 = Offer::accepted;
    facts_.versions.tls13 = ask_version(tls13);
    ClientHello hello = hello_of(tls12);
    hello.offer_compression = true;
    const Asked answer = ask(hello);
    if (negotiated_ != tls12) facts_.versions.tls12 = meant(answer);
    if (answer.offer == Offer::accepted) {
      facts_.hello = HelloFacts{answer.reply.compression != 0, answer.reply.secure_renegotiation,
                                answer.reply.extended_master_secret};
    }
    facts_.versions.tls11 = ask_version(tls11);
    facts_.versions.tls10 = ask_version(tls10);
    facts_.versions.ssl30 = ask_version(ssl30);
  }

  // The server names one after another of the groups that it takes.
  void ask_groups() {
    if (facts_.versions.tls13 != Offer::accepted) return;
    ClientHello hello = hello_of(tls13);
    while (!hello.groups.empty()) {
      const Asked answer = ask(hello);
      if (meant(answer) == Offer::refused) facts_.groups_tested = !facts_.groups.empty();
      if (answer.offer != Offer::accepted) return;
      const std::uint16_t chosen = answer.reply.group;
      const auto found = std::find(hello.groups.begin(), hello.groups.end(), chosen);
      if (found == hello.groups.end()) return;
      facts_.groups.push_back(chosen);
      hello.groups.erase(found);
    }
    facts_.groups_tested = true;
  }

  std::uint16_t newest_with_suites() const {
    const VersionFacts& versions = facts_.versions;
    if (versions.tls12 == Offer::accepted) return tls12;
    if (versions.tls11 == Offer::accepted) return tls11;
    if (versions.tls10 == Offer::accepted) return tls10;
    return versions.ssl30 == Offer::accepted ? ssl30 : 0;
  }

  void ask_suites() {
    const std::uint16_t version = newest_with_suites();
    if (version == 0) return;
    ClientHello hello = hello_of(version);
    for (std::size_t i = 0; i < most_suites; ++i) {
      const Asked answer = ask(hello);
      if (answer.offer != Offer::accepted) {
        facts_.suites_complete = meant(answer) == Offer::refused;
        break;
      }
      const std::uint16_t chosen = answer.reply.suite;
      const auto found = std::find(hello.suites.begin(), hello.suites.end(), chosen);
      if (found == hello.suites.end()) break;
      facts_.suites.push_back(chosen);
      hello.suites.erase(found);
    }
    if (!facts_.suites.empty()) facts_.suites_version = version;
  }

  void ask_unknown_name() {
    const Tick until = deadline();
    Socket socket;
    if (!connect(socket, until)) return;
    internal::TlsClient client(socket, {nobodys_name, {"http/1.1"}}, until);
    const HandshakeFacts answer = client.handshake();
    if (answer.state == HandshakeFacts::State::failed && answer.trouble != "no answer in time")
      facts_.unknown_name = Offer::refused;
    if (answer.state != HandshakeFacts::State::done) return;
    facts_.unknown_name = Offer::accepted;
    const auto chain = internal::examine_chain(client.certificates(), roots_, nobodys_name);
    if (chain) facts_.unknown_name_subject = chain->sent.front().subject;
  }

  const std::chrono::milliseconds timeout_;
  const internal::Roots& roots_;
  const Clock& clock_;
  Random& random_;
  const Tick end_;
  TlsFacts facts_;
  std::string server_name_;
  IpAddress address_;
  std::uint16_t negotiated_ = 0;
};

}  // namespace

Result<TlsFacts, std::string> probe_tls(const Target& target, const ProbeOptions& options,
                                        const Clock& clock, Random& random) {
  MOAT_TRY(const internal::Roots roots, internal::Roots::create(options.roots));
  return Prober(target, options, roots, clock, random).run();
}

}  // namespace moat::doctor
