// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "moat/shield/pages.h"

namespace moat::gateway {

// WebPages renders the pages of web/, which are compiled in.
class WebPages final : public shield::Pages {
 public:
  WebPages(std::string site_name, std::uint32_t min_password);
  ~WebPages() override;

  std::string login(const shield::LoginPage& page, std::string_view nonce) const override;
  std::string signup(const shield::SignupPage& page, std::string_view nonce) const override;
  std::string setup(const shield::SetupPage& page, std::string_view nonce) const override;
  std::string account(const shield::AccountPage& page, std::string_view nonce) const override;
  std::optional<shield::Asset> asset(std::string_view path) const override;

 private:
  struct Templates;
  std::unique_ptr<Templates> templates_;
};

}  // namespace moat::gateway
