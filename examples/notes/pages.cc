// SPDX-License-Identifier: Apache-2.0
#include "pages.h"

namespace notes {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string page(const User& user, std::string_view title, const std::string& body) {
  std::string out = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>)" + escaped(title) +
                    R"( · Notes</title>
<link rel="stylesheet" href="/notes.css">
<script src="/notes.js" defer></script>
</head>
<body>
<header><div class="bar">
<a class="brand" href="/">Notes</a>
<nav>
<a href="/notes">My notes</a>
)";
  if (user.known()) {
    out += R"(<a href="/auth/account">)" + escaped(user.email) + R"(</a>
<button type="button" class="quiet" data-log-out hidden>Log out</button>
)";
  } else {
    out += R"(<a href="/auth/login?next=/notes">Log in</a>
<a class="button" href="/auth/signup?next=/notes">Sign up</a>
)";
  }
  return out + "</nav>\n</div></header>\n<main>\n" + body + "</main>\n</body>\n</html>\n";
}

}  // namespace

std::string home_page(const User& user, int visits) {
  std::string body = "<h1>A small application with no security of its own</h1>\n";
  body +=
      "<p class=\"lead\">It speaks plain HTTP, knows no passwords and checks no request. All that "
      "protects it stands in front of it.</p>\n";
  if (user.known()) {
    body +=
        "<section class=\"card\">\n<h2>What it was told about "
        "you</h2>\n<dl>\n<dt>X-Moat-User</dt><dd>" +
        escaped(user.id) + "</dd>\n<dt>X-Moat-Email</dt><dd>" + escaped(user.email) +
        "</dd>\n<dt>X-Moat-Roles</dt><dd>" + (user.roles.empty() ? "none" : escaped(user.roles)) +
        "</dd>\n</dl>\n<p><a class=\"button\" href=\"/notes\">Write a note</a></p>\n</section>\n";
  } else {
    body +=
        "<section class=\"card\">\n<h2>You are a visitor</h2>\n<p>With an account you can keep "
        "notes.</p>\n<p><a class=\"button\" href=\"/auth/signup?next=/notes\">Sign up</a> <a "
        "class=\"button "
        "second\" href=\"/auth/login?next=/notes\">Log in</a></p>\n</section>\n";
  }
  body +=
      "<section class=\"card\">\n<h2>Look behind it</h2>\n<ul>\n<li>Visits of this browser: " +
      std::to_string(visits) +
      ". The cookie that counts them is set without any flag; see what your browser "
      "received.</li>\n<li><a href=\"/api/notes\">/api/notes</a> is the JSON of your notes.</li>\n"
      "<li>A stream of events says the time: <output "
      "data-clock>…</output></li>\n</ul>\n</section>\n";
  return page(user, "Home", body);
}

std::string notes_page(const User& user, const std::vector<Note>& notes,
                       std::string_view complaint) {
  std::string body = "<h1>My notes</h1>\n";
  if (!complaint.empty())
    body += "<p class=\"complaint\" role=\"alert\">" + escaped(complaint) + "</p>\n";
  body += R"(<form class="card add" method="post" action="/notes">
<label for="text">A new note</label>
<textarea id="text" name="text" rows="3" maxlength="4000" required></textarea>
<button type="submit">Add</button>
</form>
)";
  if (notes.empty()) body += "<p class=\"empty\">Nothing here yet.</p>\n";
  body += "<ul class=\"notes\">\n";
  for (auto note = notes.rbegin(); note != notes.rend(); ++note) {
    body += "<li class=\"card\"><p>" + escaped(note->text) +
            "</p><form method=\"post\" action=\"/notes/" + std::to_string(note->id) +
            "/delete\"><button class=\"quiet\" type=\"submit\" aria-label=\"Delete this note\">"
            "Delete</button></form></li>\n";
  }
  return page(user, "My notes", body + "</ul>\n");
}

std::string message_page(const User& user, std::string_view title, std::string_view text) {
  return page(user, title,
              "<h1>" + escaped(title) + "</h1>\n<p>" + escaped(text) +
                  "</p>\n<p><a class=\"button\" href=\"/\">Home</a></p>\n");
}

}  // namespace notes
