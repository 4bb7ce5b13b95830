// SPDX-License-Identifier: Apache-2.0
#include "moat/http2/session.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <new>
#include <unordered_set>
#include <utility>
#include <vector>

#include "moat/base/encoding.h"
#include "moat/base/piece_pool.h"
#include "moat/base/random.h"

namespace moat::http2 {

namespace {

std::string_view view(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// A line end here would be a second field or request. What else a field may not hold is refused by
// nghttp2 (RFC 9113 section 8.2.1) and by the parser that reads the lines.
bool is_one_line(std::string_view text) {
  return text.find('\n') == text.npos && text.find('\r') == text.npos;
}

enum class Meaning {
  none,
  of_connection,
  framing,
  length,
  websocket_key,
  set_cookie,
  rate_limit,
  request_id
};

// Fields that do not simply go over, in any spelling.
Meaning meaning_of(std::string_view name) {
  struct Entry {
    std::string_view name;
    Meaning meaning;
  };
  const auto one_of = [&](std::initializer_list<Entry> entries) {
    for (const Entry& entry : entries) {
      if (ascii_iequals(name, entry.name)) return entry.meaning;
    }
    return Meaning::none;
  };
  switch (name.size()) {
    case 7:
      return one_of({{"upgrade", Meaning::of_connection}});
    case 9:
      return one_of({{"ratelimit", Meaning::rate_limit}});
    case 10:
      return one_of({{"connection", Meaning::of_connection},
                     {"keep-alive", Meaning::of_connection},
                     {"set-cookie", Meaning::set_cookie}});
    case 12:
      return one_of({{"x-request-id", Meaning::request_id}});
    case 14:
      return one_of({{"content-length", Meaning::length}});
    case 16:
      return one_of({{"proxy-connection", Meaning::of_connection}});
    case 17:
      return one_of({{"transfer-encoding", Meaning::framing}});
    case 20:
      return one_of({{"sec-websocket-accept", Meaning::websocket_key}});
    default:
      return Meaning::none;
  }
}

// What HTTP/2 has frames for (RFC 9113 section 8.2.2).
bool is_of_connection(Meaning meaning) {
  return meaning == Meaning::of_connection || meaning == Meaning::framing;
}

// The request's head while its fields come in.
struct Head {
  std::string method, path, authority, scheme, protocol;
  std::string fields;  // lines
  bool has_length = false;
  bool malformed = false;

  void clear() {
    constexpr std::size_t kept = 2048;  // for the next; an idle connection keeps no more
    for (std::string* text : {&method, &path, &authority, &scheme, &protocol, &fields}) {
      if (text->capacity() > kept) {
        *text = std::string();
      } else {
        text->clear();
      }
    }
    has_length = malformed = false;
  }
};

// nghttp2 makes and frees the same few structures for each stream. In front of each piece stands
// its size, which nghttp2 does not say when it gives one back.
struct alignas(16) PieceHeader {
  std::size_t size;
};

void* take_piece(std::size_t size, void*) {
  constexpr std::size_t most = std::size_t{1} << 40;
  if (size > most) return nullptr;
  try {
    auto* header = static_cast<PieceHeader*>(PiecePool::take(size + sizeof(PieceHeader)));
    header->size = size;
    return header + 1;
  } catch (const std::bad_alloc&) {
    return nullptr;  // which nghttp2 makes an error
  }
}

void give_piece_back(void* piece, void*) {
  if (piece == nullptr) return;
  auto* header = static_cast<PieceHeader*>(piece) - 1;
  PiecePool::give_back(header, header->size + sizeof(PieceHeader));
}

void* take_cleared_piece(std::size_t count, std::size_t size, void* user) {
  if (size != 0 && count > SIZE_MAX / size) return nullptr;
  void* piece = take_piece(count * size, user);
  if (piece != nullptr) std::memset(piece, 0, count * size);
  return piece;
}

void* resize_piece(void* piece, std::size_t size, void* user) {
  void* larger = take_piece(size, user);
  if (piece == nullptr || larger == nullptr) return larger;
  const std::size_t held = (static_cast<PieceHeader*>(piece) - 1)->size;
  std::memcpy(larger, piece, std::min(held, size));
  give_piece_back(piece, user);
  return larger;
}

// Counts over a span; `over` when it was too much.
struct Budget {
  unsigned count = 0;
  Tick since{};
  bool spend(Tick now, std::chrono::seconds span, unsigned most) {
    if (now - since > span) {
      since = now;
      count = 0;
    }
    return ++count <= most;
  }
};

}  // namespace

struct Session::Impl {
  Impl(Events& e, const Limits& l) : events(e), limits(l) {}

  Events& events;
  Limits limits;
  nghttp2_session* session = nullptr;
  // The head that is coming in: nothing may come between its frames (RFC 9113 section 6.10).
  Head head;
  Stream head_of = 0;               // its stream; 0: none
  std::unordered_set<Stream> told;  // by on_request, and not closed
  bool in_head = false;
  bool too_much = false;
  std::uint64_t sent = 0;
  std::uint64_t window_updates = 0;
  Tick now{};
  Budget resets;
  Budget idle_frames;
  std::vector<nghttp2_nv> fields;  // scratch of respond()
  std::string text;                // scratch of take_request()
  std::array<bool, 2> named{};     // rate_limit, request_id: in HPACK's table

  // ------------------------------------------------------------------------------------ in

  static Impl& self(void* user) { return *static_cast<Impl*>(user); }

  int exhausted() {
    too_much = true;
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  }
  void spend_reset() {
    if (!resets.spend(now, limits.span, limits.resets)) too_much = true;
  }

  static int on_frame_begins(nghttp2_session*, const nghttp2_frame_hd* header, void* user) {
    Impl& me = self(user);
    bool idle = false;
    switch (header->type) {
      case NGHTTP2_HEADERS:
        me.in_head = true;
        return 0;
      case NGHTTP2_DATA:
        idle = header->length == 0 && (header->flags & NGHTTP2_FLAG_END_STREAM) == 0;
        break;
      case NGHTTP2_RST_STREAM:
        return 0;
      case NGHTTP2_WINDOW_UPDATE:
        // As many as what they make room for asks.
        if (++me.window_updates > me.limits.idle_frames + me.sent / 512) return me.exhausted();
        return 0;
      default:
        idle = true;
    }
    if (idle && !me.idle_frames.spend(me.now, me.limits.span, me.limits.idle_frames))
      return me.exhausted();
    return 0;
  }

  static int on_head_begins(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    self(user).head.clear();
    self(user).head_of = static_cast<Stream>(frame->hd.stream_id);
    return 0;
  }

  static int on_field(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name_data,
                      std::size_t name_size, const std::uint8_t* value_data, std::size_t value_size,
                      std::uint8_t, void* user) {
    Impl& me = self(user);
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;  // a trailer is dropped
    if (me.head_of != static_cast<Stream>(frame->hd.stream_id)) return 0;
    Head& head = me.head;
    const std::string_view name = view(name_data, name_size);
    const std::string_view value = view(value_data, value_size);
    if (!is_one_line(name) || !is_one_line(value)) head.malformed = true;
    // What is beyond the limit is not kept; what is kept is too long already, and refused.
    if (head.path.size() + head.fields.size() > me.limits.head) return 0;
    if (!name.empty() && name[0] == ':') {
      std::string* const place = name == ":method"      ? &head.method
                                 : name == ":path"      ? &head.path
                                 : name == ":authority" ? &head.authority
                                 : name == ":scheme"    ? &head.scheme
                                 : name == ":protocol"  ? &head.protocol
                                                        : nullptr;
      if (place == nullptr) {
        head.malformed = true;
      } else {
        place->assign(value);
      }
      return 0;
    }
    // The same name twice is the parser's to refuse; twice the same is what section 8.3.1 allows.
    if (name == "host" && ascii_iequals(value, head.authority)) return 0;
    if (name == "te") return 0;  // "trailers" (section 8.2.2), which are dropped anyway
    const Meaning meaning = meaning_of(name);
    if (is_of_connection(meaning)) head.malformed = true;
    if (meaning == Meaning::length) head.has_length = true;
    head.fields.append(name).append(": ").append(value).append("\r\n");
    return 0;
  }

  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    Impl& me = self(user);
    const auto stream = static_cast<Stream>(frame->hd.stream_id);
    const bool end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
        me.in_head = false;
        if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) me.take_request(stream, end);
        if (end) me.events.on_end(stream);
        break;
      case NGHTTP2_DATA:
        if (end) me.events.on_end(stream);
        break;
      default:
        break;
    }
    return me.too_much ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
  }

  void take_request(Stream stream, bool end) {
    if (head_of != stream) return;
    head_of = 0;
    const bool websocket = head.method == "CONNECT" && head.protocol == "websocket";
    const bool good_path = !head.path.empty() && (head.path[0] == '/' || head.path == "*");
    if (head.malformed || head.scheme != "https" || !good_path ||
        (!head.protocol.empty() && !websocket)) {
      nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, static_cast<std::int32_t>(stream),
                                NGHTTP2_PROTOCOL_ERROR);
      return;
    }
    text.clear();
    text.append(websocket ? "GET" : head.method).append(" ").append(head.path);
    text.append(" HTTP/1.1\r\n");
    if (!head.authority.empty()) text.append("host: ").append(head.authority).append("\r\n");
    text.append(head.fields);
    if (websocket) {
      text.append("connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: ");
      text.append(base64_encode(system_random().bytes(16))).append("\r\n");
    } else if (!end && !head.has_length) {
      text.append("transfer-encoding: chunked\r\n");
    }
    text.append("\r\n");
    const RequestBody body = websocket         ? RequestBody::tunnel
                             : end             ? RequestBody::none
                             : head.has_length ? RequestBody::length
                                               : RequestBody::chunked;
    told.insert(stream);
    if (!events.on_request(stream, text, body)) {
      told.erase(stream);
      nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, static_cast<std::int32_t>(stream),
                                NGHTTP2_REFUSED_STREAM);
    }
  }

  static int on_chunk(nghttp2_session*, std::uint8_t, std::int32_t stream, const std::uint8_t* data,
                      std::size_t size, void* user) {
    Impl& me = self(user);
    const auto id = static_cast<Stream>(stream);
    if (me.told.count(id) != 0) {
      me.events.on_data(id, view(data, size));
    } else {
      nghttp2_session_consume(me.session, stream, size);
    }
    return 0;
  }

  static int on_stream_closed(nghttp2_session*, std::int32_t stream, std::uint32_t error,
                              void* user) {
    Impl& me = self(user);
    const auto id = static_cast<Stream>(stream);
    if (me.head_of == id) me.head_of = 0;
    if (error != NGHTTP2_NO_ERROR) me.spend_reset();
    if (me.told.erase(id) != 0) me.events.on_closed(id);
    return 0;
  }

  // ------------------------------------------------------------------------------------ out

  static ssize_t on_read(nghttp2_session*, std::int32_t stream, std::uint8_t* to, std::size_t size,
                         std::uint32_t* flags, nghttp2_data_source*, void* user) {
    bool end = false;
    const std::size_t count = self(user).events.on_pull(static_cast<Stream>(stream),
                                                        reinterpret_cast<char*>(to), size, end);
    if (end) *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (count == 0 && !end) return NGHTTP2_ERR_DEFERRED;
    return static_cast<ssize_t>(count);
  }

  // What it points to stays until the answer is submitted. nghttp2 copies it, and writes names in
  // lower case.
  void add_field(std::string_view name, std::string_view value, std::uint8_t flags) {
    nghttp2_nv field;
    field.name = reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data()));
    field.namelen = name.size();
    field.value = reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data()));
    field.valuelen = value.size();
    field.flags = flags;
    fields.push_back(field);
  }

  // Whether a field that is never the same twice was sent before.
  bool is_named(Meaning meaning) {
    if (meaning != Meaning::rate_limit && meaning != Meaning::request_id) return false;
    return std::exchange(named[meaning == Meaning::request_id ? 1 : 0], true);
  }

  // Turns a head of ours into fields. The status is 0 for what we would not write.
  int read_head(std::string_view answer, AnswerBody& body) {
    body.kind = AnswerBody::until_close;
    fields.clear();
    if (answer.size() < 12) return 0;
    int status = 0;
    std::from_chars(answer.data() + 9, answer.data() + 12, status);
    const bool switching = status == 101;
    add_field(":status", switching ? std::string_view("200") : answer.substr(9, 3),
              NGHTTP2_NV_FLAG_NONE);
    std::size_t at = answer.find("\r\n");
    while (at != answer.npos) {
      at += 2;
      const std::size_t end = answer.find("\r\n", at);
      if (end == answer.npos || end == at) break;
      const std::string_view line = answer.substr(at, end - at);
      const std::size_t colon = line.find(':');
      at = end;
      if (colon == line.npos) continue;
      std::string_view value = line.substr(colon + 1);
      if (!value.empty() && value[0] == ' ') value.remove_prefix(1);
      const std::string_view name = line.substr(0, colon);
      const Meaning meaning = meaning_of(name);
      if (meaning == Meaning::framing) body.kind = AnswerBody::chunked;
      if (meaning == Meaning::length &&
          std::from_chars(value.data(), value.data() + value.size(), body.bytes).ec == std::errc())
        body.kind = body.bytes == 0 ? AnswerBody::none : AnswerBody::length;
      if (is_of_connection(meaning) || (switching && meaning == Meaning::websocket_key)) continue;
      // Never the same twice: in HPACK's table each would push out what is, and be looked through
      // for each one that comes after it. One is there for its name. A cookie never is, for its
      // secrecy (RFC 7541 section 7.1.3).
      const bool indexed = meaning != Meaning::set_cookie && !is_named(meaning);
      add_field(name, value, indexed ? NGHTTP2_NV_FLAG_NONE : NGHTTP2_NV_FLAG_NO_INDEX);
    }
    if (status < 200 && !switching) body.kind = AnswerBody::interim;
    if (status == 204 || status == 304) body.kind = AnswerBody::none;
    return status;
  }
};

Session::Session(Events& events, const Limits& limits)
    : impl_(std::make_unique<Impl>(events, limits)) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_option* options = nullptr;
  if (nghttp2_session_callbacks_new(&callbacks) != 0 || nghttp2_option_new(&options) != 0)
    throw std::bad_alloc();
  nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, Impl::on_frame_begins);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, Impl::on_head_begins);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, Impl::on_field);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, Impl::on_frame);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Impl::on_chunk);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, Impl::on_stream_closed);
  nghttp2_option_set_no_auto_window_update(options, 1);
  nghttp2_option_set_no_closed_streams(options, 1);
  nghttp2_option_set_max_send_header_block_length(options, 256 * 1024);
  nghttp2_mem memory = {nullptr, take_piece, give_piece_back, take_cleared_piece, resize_piece};
  const int made =
      nghttp2_session_server_new3(&impl_->session, callbacks, impl_.get(), options, &memory);
  nghttp2_session_callbacks_del(callbacks);
  nghttp2_option_del(options);
  if (made != 0) throw std::bad_alloc();
  const std::array<nghttp2_settings_entry, 4> settings = {{
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.streams},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits.stream_window},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, 16 * 1024},
      {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
  }};
  nghttp2_submit_settings(impl_->session, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  nghttp2_session_set_local_window_size(impl_->session, NGHTTP2_FLAG_NONE, 0,
                                        static_cast<std::int32_t>(limits.connection_window));
}

Session::~Session() { nghttp2_session_del(impl_->session); }

bool Session::feed(std::string_view bytes, Tick now) {
  impl_->now = now;
  const ssize_t taken = nghttp2_session_mem_recv(
      impl_->session, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (taken == static_cast<ssize_t>(bytes.size()) && !impl_->too_much) return true;
  // The library counts too, answers that nobody has taken yet, and may come to its end first.
  if (impl_->too_much || taken == NGHTTP2_ERR_FLOODED)
    nghttp2_session_terminate_session(impl_->session, NGHTTP2_ENHANCE_YOUR_CALM);
  else if (taken < 0)
    nghttp2_session_terminate_session(impl_->session, NGHTTP2_PROTOCOL_ERROR);
  return false;
}

bool Session::output(std::string& out, std::size_t most) {
  while (out.size() < most) {
    const std::uint8_t* data = nullptr;
    const ssize_t size = nghttp2_session_mem_send(impl_->session, &data);
    if (size < 0) return false;
    if (size == 0) return true;
    out.append(view(data, static_cast<std::size_t>(size)));
    impl_->sent += static_cast<std::uint64_t>(size);
  }
  return true;
}

bool Session::wants_output() const { return nghttp2_session_want_write(impl_->session) != 0; }
bool Session::over() const {
  return nghttp2_session_want_read(impl_->session) == 0 &&
         nghttp2_session_want_write(impl_->session) == 0;
}
std::size_t Session::open_streams() const { return impl_->told.size(); }
bool Session::in_head() const { return impl_->in_head; }

Session::AnswerBody Session::respond(Stream stream, std::string_view head, bool to_head_request) {
  AnswerBody body;
  impl_->read_head(head, body);
  if (to_head_request && body.kind != AnswerBody::interim) body.kind = AnswerBody::none;
  const auto id = static_cast<std::int32_t>(stream);
  const auto& fields = impl_->fields;
  int result = 0;
  if (body.kind == AnswerBody::interim) {
    result = nghttp2_submit_headers(impl_->session, NGHTTP2_FLAG_NONE, id, nullptr, fields.data(),
                                    fields.size(), nullptr);
  } else {
    nghttp2_data_provider source{};
    source.read_callback = Impl::on_read;
    result = nghttp2_submit_response(impl_->session, id, fields.data(), fields.size(),
                                     body.kind == AnswerBody::none ? nullptr : &source);
  }
  if (result < 0) reset(stream, End::failed);
  return body;
}

void Session::resume(Stream stream) {
  // An error says that it is not waiting, which is as good.
  nghttp2_session_resume_data(impl_->session, static_cast<std::int32_t>(stream));
}

void Session::consumed(Stream stream, std::size_t bytes) {
  nghttp2_session_consume(impl_->session, static_cast<std::int32_t>(stream), bytes);
}

void Session::reset(Stream stream, End how) {
  if (impl_->told.count(stream) == 0) return;  // closed already
  nghttp2_submit_rst_stream(impl_->session, NGHTTP2_FLAG_NONE, static_cast<std::int32_t>(stream),
                            how == End::answered ? NGHTTP2_NO_ERROR : NGHTTP2_INTERNAL_ERROR);
}

void Session::go_away() {
  nghttp2_submit_goaway(impl_->session, NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(impl_->session), NGHTTP2_NO_ERROR,
                        nullptr, 0);
}

}  // namespace moat::http2
