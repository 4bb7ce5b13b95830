// SPDX-License-Identifier: Apache-2.0
// 2. Validate and sanitize, a body as a whole. In Node:
//   const order = schema.parse(req.body);
#include <cstdio>
#include <optional>
#include <string>

#include "moat/validate/body.h"

using namespace moat;

// [readme]
struct Order {
  std::string item;
  int count = 0;
  std::optional<std::string> note;
};
const auto order_body = validate::Body<Order>()
                            .member("item", &Order::item, {.min_length = 1, .max_length = 80})
                            .member("count", &Order::count, {.min = 1, .max = 100})
                            .member("note", &Order::note);
// [/readme]

struct Answer {
  int status;
  std::string body;
};

Answer create(std::string_view body) {
  // [readme 2]
  const auto order = order_body.parse_json(body);  // or parse_form; order_body.schema() says it all
  if (!order) return {422, order.error()[0].pointer + " " + order.error()[0].message};
  return {201, std::to_string(order->count) + " of " + order->item};
  // [/readme 2]
}

int main() {
  for (const char* body :
       {R"({"item":"tea","count":2})", R"({"item":"","count":2})", R"({"item":"tea","count":"2"})",
        R"({"item":"tea"})", R"({"item":"tea","count":2,"is_admin":true})",
        R"({"item":{"$gt":""},"count":2})", R"({"item":"tea","count":2)"}) {
    const Answer answer = create(body);
    std::printf("%d %s\n", answer.status, answer.body.c_str());
  }
}
