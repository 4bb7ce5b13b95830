// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/mobile_phones.h"

#include <algorithm>

#include "moat/validate/internal/mobile_plan.h"

namespace moat::validate {
namespace {

using internal::MobileAlias;
using internal::MobilePlan;
using internal::MobileShape;

bool is_spelled_right(std::string_view text, const MobilePhoneOptions& options) {
  if (text.empty() || text.size() > internal::max_layout_text) return false;
  const bool plus = text[0] == '+';
  if (!plus && !options.allow_missing_plus) return false;
  return options.allow_separators || internal::all(text.substr(plus ? 1 : 0), internal::is_digit);
}

bool is_of(const MobilePlan& plan, const MobileShape& shape, std::string_view text) {
  auto dialled = plan.dialled;
  bool more = true;
  while (more) {
    const auto before = internal::take_until(dialled, '|', more);
    if (text.substr(0, before.size()) != before) continue;
    const auto number = text.substr(before.size());
    if (!number.empty() && shape.fits(number) && internal::fits(plan.number, number)) return true;
  }
  return false;
}

std::string_view without_alias(std::string_view locale) {
  for (const MobileAlias& row : internal::mobile_aliases())
    if (row.alias == locale) return row.locale;
  return locale;
}

// The rows of a locale: the first, and how many.
std::span<const MobilePlan> plans_of(std::string_view locale) {
  const auto by_locale = [](const auto& a, const auto& b) { return a.locale < b.locale; };
  const auto plans = internal::mobile_plans();
  const auto [first, last] = std::equal_range(plans.begin(), plans.end(),
                                              MobilePlan{without_alias(locale), {}, {}}, by_locale);
  return plans.subspan(static_cast<std::size_t>(first - plans.begin()),
                       static_cast<std::size_t>(last - first));
}

bool is_of_any(std::span<const MobilePlan> plans, std::string_view text) {
  const auto first = static_cast<std::size_t>(plans.data() - internal::mobile_plans().data());
  const auto shapes = internal::mobile_shapes().subspan(first);
  for (std::size_t i = 0; i < plans.size(); ++i)
    if (is_of(plans[i], shapes[i], text)) return true;
  return false;
}

}  // namespace

bool is_mobile_phone(std::string_view text, std::string_view locale,
                     const MobilePhoneOptions& options) {
  return is_spelled_right(text, options) && is_of_any(plans_of(locale), text);
}

bool is_mobile_phone(std::string_view text, std::span<const std::string_view> locales,
                     const MobilePhoneOptions& options) {
  return is_spelled_right(text, options) &&
         std::any_of(locales.begin(), locales.end(),
                     [text](std::string_view locale) { return is_of_any(plans_of(locale), text); });
}

bool is_mobile_phone(std::string_view text, const MobilePhoneOptions& options) {
  return is_spelled_right(text, options) && is_of_any(internal::mobile_plans(), text);
}

bool knows_mobile_phones_of(std::string_view locale) { return !plans_of(locale).empty(); }

}  // namespace moat::validate
