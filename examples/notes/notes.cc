// SPDX-License-Identifier: Apache-2.0
// The sample backend: a notes application with no security of its own. It listens on 127.0.0.1 in
// plain HTTP and believes what X-Moat-User says, so it is only ever safe behind the gateway.
#include <httplib.h>
#include <json/json.h>
#include <signal.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "pages.h"

namespace notes {

std::span<const std::pair<std::string_view, std::string_view>> assets();  // moat_embed made it

namespace {

using httplib::Request;
using httplib::Response;

constexpr std::size_t longest_note = 4000;
constexpr std::size_t most_notes = 1000;
constexpr const char* html_type = "text/html; charset=utf-8";

// The notes of everybody, in memory: they are gone when the program ends.
class Notebook {
 public:
  std::vector<Note> of(const std::string& user) const {
    const std::lock_guard lock(mutex_);
    const auto found = notes_.find(user);
    return found == notes_.end() ? std::vector<Note>{} : found->second;
  }

  std::optional<Note> add(const std::string& user, std::string text) {
    const std::lock_guard lock(mutex_);
    auto& list = notes_[user];
    if (list.size() >= most_notes) return std::nullopt;
    list.push_back(Note{next_++, std::move(text)});
    return list.back();
  }

  bool remove(const std::string& user, int id) {
    const std::lock_guard lock(mutex_);
    return std::erase_if(notes_[user], [id](const Note& note) { return note.id == id; }) > 0;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::vector<Note>> notes_;
  int next_ = 1;
};

User user_of(const Request& request) {
  return User{request.get_header_value("X-Moat-User"), request.get_header_value("X-Moat-Email"),
              request.get_header_value("X-Moat-Roles")};
}

int number(std::string_view text) {
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// The count in the cookie "visits=N".
int visits_of(const Request& request) {
  const std::string cookies = request.get_header_value("Cookie");
  const auto at = cookies.find("visits=");
  return at == std::string::npos ? 0 : number(std::string_view(cookies).substr(at + 7));
}

void send_json(Response& response, int status, const Json::Value& value) {
  Json::StreamWriterBuilder writer;
  writer["indentation"] = "";
  writer["emitUTF8"] = true;
  response.status = status;
  response.set_content(Json::writeString(writer, value) + "\n", "application/json");
}

void send_json_error(Response& response, int status, const char* message) {
  Json::Value error;
  error["error"] = message;
  send_json(response, status, error);
}

Json::Value to_json(const Note& note) {
  Json::Value value;
  value["id"] = note.id;
  value["text"] = note.text;
  return value;
}

// The text of {"text": "…"}, or nothing.
std::optional<std::string> text_in(const std::string& body) {
  Json::CharReaderBuilder builder;
  Json::CharReaderBuilder::strictMode(&builder.settings_);
  const std::unique_ptr<Json::CharReader> reader(builder.newCharReader());
  Json::Value value;
  std::string errors;
  try {
    if (!reader->parse(body.data(), body.data() + body.size(), &value, &errors)) return {};
  } catch (const Json::Exception&) {  // nested too deeply
    return {};
  }
  if (!value.isObject() || !value["text"].isString()) return {};
  return value["text"].asString();
}

bool acceptable(std::string_view text) { return !text.empty() && text.size() <= longest_note; }

void add_pages(httplib::Server& server, Notebook& notebook) {
  server.Get("/", [](const Request& request, Response& response) {
    const int visits = visits_of(request) + 1;
    response.set_header("Set-Cookie", "visits=" + std::to_string(visits) + "; Path=/");
    response.set_content(home_page(user_of(request), visits), html_type);
  });
  server.Get("/notes", [&](const Request& request, Response& response) {
    const User user = user_of(request);
    if (!user.known()) return response.set_redirect("/auth/login?next=/notes", 303);
    response.set_content(notes_page(user, notebook.of(user.id), {}), html_type);
  });
  server.Post("/notes", [&](const Request& request, Response& response) {
    const User user = user_of(request);
    if (!user.known()) return response.set_redirect("/auth/login?next=/notes", 303);
    const std::string text = request.get_param_value("text");
    if (acceptable(text) && notebook.add(user.id, text))
      return response.set_redirect("/notes", 303);
    response.status = 422;
    response.set_content(notes_page(user, notebook.of(user.id),
                                    "A note has 1 to 4000 bytes, and there are 1000 at most."),
                         html_type);
  });
  server.Post(R"(/notes/(\d{1,9})/delete)", [&](const Request& request, Response& response) {
    const User user = user_of(request);
    if (user.known()) notebook.remove(user.id, number(request.matches[1].str()));
    response.set_redirect("/notes", 303);
  });
}

void add_api(httplib::Server& server, Notebook& notebook) {
  server.Get("/api/notes", [&](const Request& request, Response& response) {
    const User user = user_of(request);
    if (!user.known()) return send_json_error(response, 401, "log in first");
    Json::Value list(Json::arrayValue);
    for (const Note& note : notebook.of(user.id)) list.append(to_json(note));
    send_json(response, 200, list);
  });
  server.Post("/api/notes", [&](const Request& request, Response& response) {
    const User user = user_of(request);
    if (!user.known()) return send_json_error(response, 401, "log in first");
    const auto text = text_in(request.body);
    if (!text || !acceptable(*text))
      return send_json_error(response, 422, "expected {\"text\": \"…\"}");
    const auto note = notebook.add(user.id, *text);
    if (!note) return send_json_error(response, 422, "there are 1000 notes already");
    send_json(response, 201, to_json(*note));
  });
  server.Delete(R"(/api/notes/(\d{1,9}))", [&](const Request& request, Response& response) {
    const User user = user_of(request);
    if (!user.known()) return send_json_error(response, 401, "log in first");
    if (!notebook.remove(user.id, number(request.matches[1].str())))
      return send_json_error(response, 404, "no such note");
    response.status = 204;
  });
}

std::string clock_event() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 64> text{};
  std::strftime(text.data(), text.size(), "data: %H:%M:%S UTC\n\n", &utc);
  return text.data();
}

// One event a second until the client goes or the server stops.
void add_clock(httplib::Server& server, const std::atomic<bool>& stopping) {
  server.Get("/events", [&](const Request&, Response& response) {
    response.set_header("Cache-Control", "no-store");
    response.set_chunked_content_provider(
        "text/event-stream", [&](std::size_t, httplib::DataSink& sink) {
          const std::string event = clock_event();
          if (!sink.write(event.data(), event.size())) return false;
          for (int i = 0; i < 10 && !stopping; ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
          if (stopping) sink.done();
          return true;
        });
  });
}

void add_rest(httplib::Server& server) {
  for (const auto& [name, content] : assets()) {
    const std::string_view text = content;
    const char* type = name.ends_with(".css") ? "text/css" : "text/javascript";
    server.Get("/" + std::string(name), [text, type](const Request&, Response& response) {
      response.set_header("Cache-Control", "no-cache");
      response.set_content(text.data(), text.size(), type);
    });
  }
  server.set_error_handler([](const Request& request, Response& response) {
    if (!response.body.empty() || response.status == 204) return;
    response.set_content(
        message_page(user_of(request), response.status == 404 ? "Not found" : "Sorry",
                     "The application answered " + std::to_string(response.status) + "."),
        html_type);
  });
}

int serve(int port) {
  // Blocked before any thread starts, so that only the one below takes them.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);

  Notebook notebook;
  std::atomic<bool> stopping = false;
  httplib::Server server;
  // A connection that is kept alive holds a thread, and the gateway keeps many.
  server.new_task_queue = [] { return new httplib::ThreadPool(128); };
  server.set_keep_alive_max_count(100'000);
  server.set_keep_alive_timeout(60);
  // The library asks for a queue of five, which a burst of connections overflows: see below.
  int listening = -1;
  server.set_socket_options([&listening](int socket) {
    const int on = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    listening = socket;
  });
  server.set_tcp_nodelay(true);
  server.set_payload_max_length(1 << 20);
  add_pages(server, notebook);
  add_api(server, notebook);
  add_clock(server, stopping);
  add_rest(server);

  if (port == 0) {
    port = server.bind_to_any_port("127.0.0.1");
  } else if (!server.bind_to_port("127.0.0.1", port)) {
    port = -1;
  }
  if (port <= 0) {
    std::fputs("notes: cannot listen on that port of 127.0.0.1; is it taken?\n", stderr);
    return 1;
  }
  ::listen(listening, 512);
  std::printf("notes: listening on http://127.0.0.1:%d\n", port);
  std::fflush(stdout);

  std::thread waiter([&] {
    int signal = 0;
    sigwait(&signals, &signal);
    stopping = true;
    server.stop();
  });
  server.listen_after_bind();
  waiter.join();
  return 0;
}

}  // namespace
}  // namespace notes

int main(int argc, char** argv) {
  int port = 3000;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    const std::string_view value = i + 1 < argc ? argv[i + 1] : "";
    const auto* end = value.data() + value.size();
    if (option == "--port" && !value.empty() &&
        std::from_chars(value.data(), end, port).ptr == end && port >= 0 && port <= 65535) {
      ++i;
      continue;
    }
    std::fputs("usage: notes [--port PORT]   on 127.0.0.1; 0 takes a free port and prints it\n",
               stderr);
    return 2;
  }
  return notes::serve(port);
}
