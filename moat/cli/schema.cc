// SPDX-License-Identifier: Apache-2.0
// OpenAPI documents: one that is learned from traffic, and one that is looked at.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iostream>

#include "moat/cli/commands.h"
#include "moat/cli/running.h"
#include "moat/gateway/config.h"
#include "moat/gateway/route_schema.h"

namespace moat::cli {

namespace {

// A file that is not there yet: somebody may have worked on one that is.
int write_new(const std::string& path, std::string_view text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0 && errno == EEXIST)
    return fail(path + " is there already, and may be somebody's work: choose another name");
  if (fd < 0) return fail(path + ": " + std::strerror(errno));
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  const int error = text.empty() ? 0 : errno;
  ::close(fd);
  if (error != 0) return fail(path + " was not written whole: " + std::strerror(error));
  std::cout << "Written to " << path << ". Read it, change it, and try it with schema_mode = "
            << "\"shadow\" before it is enforced.\n";
  return 0;
}

std::string without_newline(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace

int schema_learn(const Arguments& arguments) {
  int exit_code = 0;
  const std::string route = arguments.value("route").value_or("");
  const auto reply = ask_running(arguments, "POST", "/schema/learn", exit_code, route);
  if (!reply) return exit_code;
  if (reply->status != 200) return fail(without_newline(reply->body));
  if (const auto out = arguments.value("out")) return write_new(*out, reply->body);
  std::cout << reply->body;
  return 0;
}

int schema_check(const Arguments& arguments) {
  if (arguments.positional().size() != 1)
    return fail("schema check FILE, such as: moat schema check openapi.yaml");
  gateway::RouteSchema schema;
  schema.file = arguments.positional()[0];
  schema.responses = gateway::SchemaMode::shadow;  // what it says of answers is read, too
  std::string types = arguments.value("allow-unread-bodies").value_or("");
  for (std::size_t end = 0; !types.empty(); types.erase(0, end + 1)) {
    end = std::min(types.find(','), types.size() - 1);
    schema.allow_unread_bodies.push_back(types.substr(0, types.find(',')));
  }
  const auto read = gateway::read_schema(schema, gateway::Route().max_body);
  if (!read) {
    for (const openapi::DocumentProblem& problem : read.error())
      std::cerr << problem.to_string() << "\n";
    return fail(schema.file + " is not a document that can be enforced");
  }
  const auto operations = schema.document->operations();
  std::cout << schema.file << " is good: " << operations.size()
            << (operations.size() == 1 ? " operation.\n" : " operations.\n");
  for (const openapi::Operation* operation : operations) {
    std::cout << openapi::name_of(*operation) << "\n";
    for (const std::string& line : openapi::describe(*operation))
      std::cout << "    " << line << "\n";
  }
  return 0;
}

}  // namespace moat::cli
