// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/html.h"

#include "moat/validate/strings.h"

namespace moat::validate {

Html Html::text(std::string_view text) { return Html(escape_html(text)); }

Html Html::attribute(std::string_view text) { return Html(escape_html(text)); }

Html Html::link(std::string_view url) {
  return Html(is_safe_link(url) ? escape_html(url) : "about:blank");
}

Html Html::unsafe_raw(HtmlLiteral markup) { return Html(std::string(markup.text())); }

Html& Html::operator+=(const Html& other) {
  markup_ += other.markup_;
  return *this;
}

}  // namespace moat::validate
