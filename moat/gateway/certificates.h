// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "moat/base/clock.h"
#include "moat/base/log.h"
#include "moat/base/result.h"
#include "moat/certs/certificate_files.h"
#include "moat/certs/local_ca_files.h"
#include "moat/gateway/acme_client.h"
#include "moat/gateway/config.h"
#include "moat/gateway/shared_tickets.h"
#include "moat/https/tls.h"

namespace moat::gateway {

// Reads the files that the configuration names, which have to be for all of its names. The error is
// a sentence.
[[nodiscard]] Result<std::vector<https::Certificate>, std::string> load_certificates(
    const Config& config, Time now);

// Certificates is what the gateway's names are served with, and its renewal: files that the
// configuration names, the local CA's, a CA's by ACME, or (until that has come, and where nothing
// was configured) a self-signed one that no browser trusts.
class Certificates final {
 public:
  struct Places {
    std::string local_ca, acme;  // directories
  };
  struct Services {
    Clock& clock;
    const Log& log;
    DnsHook* dns = nullptr;  // null: no records can be set
  };
  // Reads or makes them. The services must outlive this.
  // `tickets`: those of an earlier one, whose sessions can be resumed. The error is a sentence.
  [[nodiscard]] static Result<std::unique_ptr<Certificates>, std::string> start(
      const Config& config, const Places& places, const Services& services,
      std::shared_ptr<https::TicketKeys> tickets = nullptr);

  // Takes renewed files, renews what the local CA signed, begins to ask a CA where that is wanted,
  // rotates the ticket keys. What cannot be read is logged, and the old certificate stays.
  void maintain(Time now);

  const std::shared_ptr<https::CertificateStore>& store() const { return store_; }
  const std::shared_ptr<https::TicketKeys>& tickets() const { return tickets_; }
  // A path, where the local CA serves; else empty.
  const std::string& root_certificate() const { return root_certificate_; }
  const std::string& description() const { return description_; }  // "local CA, until …"
  // For port 80, while a CA looks; null where none is asked.
  const std::shared_ptr<AcmeTokens>& acme_tokens() const { return acme_tokens_; }
  // False while a public name is served with a certificate that no browser trusts.
  bool trusted() const;
  // Asks the CA for another certificate now; false: none is asked here. From any thread.
  bool renew();
  // Has the CA take the certificate back that is served, and orders another; false: as above.
  bool revoke(acme::RevocationReason reason);
  // Asks no CA any more: others have taken its place. From any thread.
  void end();
  // For people: names, where the certificate comes from, until when; lines. From any thread.
  std::string status() const;

 private:
  Certificates(const Config& config, const Services& services,
               std::shared_ptr<https::TicketKeys> tickets);
  Result<void, std::string> use_files(const Config& config, Time now);
  Result<void, std::string> use_local_ca(const std::string& ca, Time now);
  Result<void, std::string> use_acme(const Config& config, const std::string& place, Time now);
  Result<void, std::string> use_self_signed(Time now);
  void maintain_files(Time now);

  const Services services_;
  const Log& log_;
  std::vector<std::string> names_;
  std::shared_ptr<https::CertificateStore> store_;
  std::shared_ptr<https::TicketKeys> tickets_;
  struct File {
    certs::CertificateFiles files;
    std::string name;
    https::Certificate loaded;
  };
  std::vector<File> files_;                        // one of these
  std::unique_ptr<certs::LocalCaFiles> local_ca_;  // or none
  std::shared_ptr<AcmeTokens> acme_tokens_;
  std::unique_ptr<AcmeClient> acme_;
  std::unique_ptr<SharedTickets> shared_tickets_;  // null: there are no other nodes
  std::string root_certificate_;
  std::string description_;
};

}  // namespace moat::gateway
