// SPDX-License-Identifier: Apache-2.0
// `moat`: the commands and their options.
#include <algorithm>
#include <iostream>

#include "moat/cli/commands.h"
#include "moat/cli/doctor.h"
#include "moat/cli/options.h"
#include "moat/gateway/config.h"

namespace moat::cli {
namespace {

const std::vector<Option> config_options = {
    {"config", "FILE", "the configuration (default: moat.toml, if there is one)"},
    {"to", "URL", "the backend, such as http://127.0.0.1:3000"},
    {"schema", "FILE", "an OpenAPI document; what it does not describe is refused"},
    {"domain", "NAME", "the name it is reached by (default: localhost)"},
    {"https", "ADDR", "where HTTPS is served, such as 127.0.0.1:8443 or :443"},
    {"http", "ADDR", "where plain HTTP is redirected; \"off\" for nowhere"},
    {"admin", "ADDR",
     "health and metrics over TCP (default: only the socket in the data directory)"},
    {"data", "DIR", "accounts, keys and certificates"},
    {"workers", "N", "threads that serve requests (default: one a core)"},
    {"help", "", "this text"}};

const std::vector<Command>& commands() {
  static const std::vector<Option> just_data = {
      {"data", "DIR", "the data directory"},
      {"config", "FILE", "the configuration that names it"},
      {"help", "", "this text"}};
  static const std::vector<Command> list = {
      {"run", "",
       "Serves: HTTPS in front of the backend, all seven practices on. SIGHUP reloads the "
       "configuration.",
       config_options},
      {"check", "", "Reads the configuration and says what is wrong and what is weakened.",
       config_options},
      {"explain", "METHOD PATH", "Says what happens to a request: route, limits, verdicts.",
       config_options},
      doctor_tls_command(),
      {"init", "", "Prints a commented moat.toml.", {{"help", "", "this text"}}},
      {"hash",
       "",
       "Reads a password from the terminal or standard input and prints its hash (Argon2id).",
       {{"bcrypt", "COST",
         "a bcrypt hash of that cost (10 to 14) for systems that read nothing else"},
        {"benchmark", "SECONDS", "hashes for so long and prints the CPU milliseconds of one hash"},
        {"help", "", "this text"}}},
      {"user add",
       "EMAIL",
       "Makes an account; the password is read from the terminal or standard input.",
       {{"role", "NAME", "a role beside \"user\", such as admin"},
        {"data", "DIR", "the data directory"},
        {"config", "FILE", "the configuration that names it"},
        {"help", "", "this text"}}},
      {"user unlock", "EMAIL", "Ends the delays after failed logins, in the running Moat.",
       just_data},
      {"user disable", "EMAIL",
       "Lets an account log in no more, ends its sessions and revokes its API keys.", just_data},
      {"user enable", "EMAIL", "Lets a disabled account log in again.", just_data},
      {"user logout",
       "[EMAIL]",
       "Ends all sessions of an account, or of everybody.",
       {{"all", "", "of everybody"},
        {"data", "DIR", "the data directory"},
        {"config", "FILE", "the configuration that names it"},
        {"help", "", "this text"}}},
      {"user keys",
       "EMAIL",
       "Lists an account's API keys, or revokes one of them or all.",
       {{"revoke", "ID", "that one"},
        {"revoke-all", "", "all of them"},
        {"data", "DIR", "the data directory"},
        {"config", "FILE", "the configuration that names it"},
        {"help", "", "this text"}}},
      {"reload", "", "Makes the running Moat read its configuration again, all of it or nothing.",
       just_data},
      {"cert list", "", "Says which certificate the running Moat serves, and when it is renewed.",
       just_data},
      {"cert renew", "", "Makes the running Moat ask its CA for another certificate now.",
       just_data},
      {"cert revoke",
       "",
       "Has the CA take the certificate back that is served, and orders another one.",
       {{"reason", "WHY", "unspecified, key-compromise or superseded"},
        {"data", "DIR", "the data directory"},
        {"config", "FILE", "the configuration that names it"},
        {"help", "", "this text"}}},
      {"reports", "",
       "Says what browsers have reported to the running Moat: what a policy blocks, or would "
       "block.",
       just_data},
      {"schema learn",
       "",
       "Prints an OpenAPI document that the running Moat has learned from a route's traffic, for a "
       "person to read.",
       {{"route", "PATTERN", "of that route, as its 'match' says (default: the only one)"},
        {"out", "FILE", "into a new file"},
        {"data", "DIR", "the data directory"},
        {"config", "FILE", "the configuration that names it"},
        {"help", "", "this text"}}},
      {"schema check",
       "FILE",
       "Says what is wrong with an OpenAPI document, or which operations it has.",
       {{"allow-unread-bodies", "TYPES",
         "as the setting of a route: application/xml,text/csv (default: none)"},
        {"help", "", "this text"}}},
      {"trust",
       "",
       "Makes this machine and its browsers trust the local CA.",
       {{"undo", "", "takes the trust back"},
        {"data", "DIR", "the data directory"},
        {"config", "FILE", "the configuration that names it"},
        {"help", "", "this text"}}}};
  return list;
}

void tell(const Command& command) {
  std::string left = "  moat " + std::string(command.name);
  if (!command.arguments.empty()) left += " " + std::string(command.arguments);
  left.resize(std::max<std::size_t>(left.size() + 2, 30), ' ');
  std::cout << left << command.help << "\n";
}

// "moat user": the commands that begin with the word. False: there are none.
bool tell_group(const std::string& word) {
  bool any = false;
  for (const Command& command : commands()) {
    if (command.name.substr(0, word.size() + 1) != word + " ") continue;
    any = true;
    tell(command);
  }
  return any;
}

int help() {
  std::cout << "Moat: the first line of defence for a backend.\n\n";
  for (const Command& command : commands()) tell(command);
  std::cout << "\n`moat COMMAND --help` lists the options of one. The shortest start: moat run "
               "--to http://127.0.0.1:3000\n";
  return 0;
}

int dispatch(std::vector<std::string> words) {
  if (words.empty() || words[0] == "help" || words[0] == "--help" || words[0] == "-h")
    return help();
  if (words[0] == "--version" || words[0] == "version") {
    std::cout << "moat " << MOAT_VERSION << "\n";
    return 0;
  }
  std::string name = words[0];
  words.erase(words.begin());
  if (name == "doctor") return doctor(std::move(words));
  if ((name == "user" || name == "cert" || name == "schema") && !words.empty() &&
      words[0][0] != '-') {
    name += " " + words[0];
    words.erase(words.begin());
  }
  const auto command = std::find_if(commands().begin(), commands().end(),
                                    [&](const auto& c) { return c.name == name; });
  const bool asked = !words.empty() && (words[0] == "--help" || words[0] == "-h");
  if (command == commands().end() && tell_group(name)) return asked ? 0 : 1;
  if (command == commands().end()) return fail("there is no command '" + name + "'; see moat help");
  auto arguments = Arguments::parse(*command, words);
  if (!arguments) return fail(arguments.error());
  if (arguments->has("help")) {
    std::cout << usage(*command);
    return 0;
  }
  // Ignored, it would be a setting that somebody believes in.
  if (command->arguments.empty() && !arguments->positional().empty()) {
    return fail("'" + arguments->positional().front() + "' is not expected; see moat " + name +
                " --help");
  }
  if (name == "run") return run(*arguments);
  if (name == "check") return check(*arguments);
  if (name == "explain") return explain(*arguments);
  if (name == "hash") return hash(*arguments);
  if (name == "user add") return user_add(*arguments);
  if (name == "user unlock") return user_unlock(*arguments);
  if (name == "user disable") return user_disable(*arguments);
  if (name == "user enable") return user_enable(*arguments);
  if (name == "user logout") return user_logout(*arguments);
  if (name == "user keys") return user_keys(*arguments);
  if (name == "reload") return reload(*arguments);
  if (name == "cert list") return cert_list(*arguments);
  if (name == "reports") return reports(*arguments);
  if (name == "schema learn") return schema_learn(*arguments);
  if (name == "schema check") return schema_check(*arguments);
  if (name == "cert renew") return cert_renew(*arguments);
  if (name == "cert revoke") return cert_revoke(*arguments);
  if (name == "trust") return trust(*arguments);
  std::cout << gateway::sample_config();
  return 0;
}

}  // namespace
}  // namespace moat::cli

int main(int argc, char** argv) {
  try {
    return moat::cli::dispatch(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const std::exception& error) {
    std::cerr << "moat: " << error.what() << "\n";
    return 1;
  }
}
