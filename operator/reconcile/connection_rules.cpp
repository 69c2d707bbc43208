#include "operator/reconcile/connection_rules.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "migrations/text/database_url.hpp"
#include "migrations/text/url_parameters.hpp"
#include "operator/reconcile/policy_floor.hpp"

namespace athanor::controller {
namespace {

// The parameters that a declared URL may have on a cluster. Any other libpq parameter, now or in the future, may name a file or
// a service of the operator's pod.
constexpr std::array<std::string_view, 32> kDeclarable{"host",
                                                       "hostaddr",
                                                       "port",
                                                       "dbname",
                                                       "user",
                                                       "password",
                                                       "options",
                                                       "application_name",
                                                       "fallback_application_name",
                                                       "client_encoding",
                                                       "connect_timeout",
                                                       "keepalives",
                                                       "keepalives_idle",
                                                       "keepalives_interval",
                                                       "keepalives_count",
                                                       "tcp_user_timeout",
                                                       "target_session_attrs",
                                                       "load_balance_hosts",
                                                       "channel_binding",
                                                       "require_auth",
                                                       "requirepeer",
                                                       "ssl",
                                                       "sslmode",
                                                       "sslsni",
                                                       "sslpassword",
                                                       "sslcertmode",
                                                       "sslnegotiation",
                                                       "sslcompression",
                                                       "ssl_min_protocol_version",
                                                       "ssl_max_protocol_version",
                                                       "gssencmode",
                                                       "krbsrvname"};
// Parameters for files that libpq reads from the home folder by default.
constexpr std::array<const char*, 5> kDefaultFiles{"passfile", "sslcert", "sslkey", "sslrootcert", "sslcrl"};
constexpr const char* kNowhere = "/nonexistent/";

Result<void> refuse_process_environment(const ConnectionParameters& declared, const ConnectionRules& rules) {
  for (const auto& [name, value] : declared) {
    if (std::ranges::find(kDeclarable, name) == kDeclarable.end()) {
      const bool is_name =
          !name.empty() && std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
      if (const auto advice = advice_for_parameter(name)) {
        return fail(
            Error(ErrorCode::Configuration, "the database URL has a parameter that PostgreSQL does not know: `" + name + "`")
                .at(rules.field)
                .advise(name + ": " + std::string(*advice)));
      }
      return fail(Error(ErrorCode::Configuration, "the database URL has " +
                                                      (is_name ? "`" + name + "`" : std::string("a parameter")) +
                                                      ", which is not allowed on a cluster: a resource may not use files or"
                                                      " services of the operator's pod")
                      .at(rules.field)
                      .advise("remove it; put certificates and keys in Secrets (spec.database.tls)"));
    }
  }
  return {};
}

// A root certificate is useless unless the server's certificate is verified with it.
Result<void> choose_ssl_mode(std::string& url, const ConnectionRules& rules, const ConnectionParameters& declared) {
  const std::string mode = ssl_mode_in(declared);
  const bool may_be_plain = mode == "allow" || mode == "prefer";
  const bool has_root = !rules.root_certificate.empty();
  if ((mode == "disable" && (has_root || !rules.client_certificate.empty())) || (may_be_plain && has_root)) {
    return fail(Error(ErrorCode::Configuration, "with sslmode=" + mode + " the connection " +
                                                    (may_be_plain ? "could" : "would") +
                                                    " be in plain text, and the certificates of tls would not be used")
                    .at(rules.field + ".tls")
                    .advise("remove sslmode from the URL, which then defaults to verify-full, or remove tls"));
  }
  if (mode.empty() && (has_root || !rules.default_ssl_mode.empty())) {
    url = with_parameter(std::move(url), "sslmode", has_root ? "verify-full" : rules.default_ssl_mode);
  }
  return {};
}

// A token is sent as a password in plain text, so only a server whose certificate is verified may get it, whatever the
// operator's default is. verify-ca without an authority of its own would trust any server with a public certificate.
void verify_server_for_token(std::string& url, const ConnectionRules& rules) {
  if (ssl_mode_in(connection_parameters(url)) != "verify-ca" || rules.root_certificate.empty()) {
    url = with_parameter(std::move(url), "sslmode", "verify-full");
  }
  // With Kerberos credentials at hand, libpq would use them to encrypt instead of TLS.
  url = with_parameter(std::move(url), "gssencmode", "disable");
}

// Without a root certificate libpq refuses to connect. Not for verify-ca: a public authority signs certificates for any host.
void trust_system_authorities(std::string& url, const ConnectionRules& rules) {
  if (rules.root_certificate.empty() && ssl_mode_in(connection_parameters(url)) == "verify-full") {
    url = with_parameter(std::move(url), "sslrootcert", "system");
  }
}

Result<void> require_ssl_mode(std::string& url, const ConnectionRules& rules) {
  const std::string& least = rules.minimum_ssl_mode;
  const std::string mode = ssl_mode_in(connection_parameters(url));
  if (least.empty() || ssl_mode_rank(mode) >= ssl_mode_rank(least)) {
    return {};
  }
  if (!mode.empty()) {
    return fail(Error(ErrorCode::Configuration, "sslmode=" + mode + " is weaker than the minimum of this operator, " + least)
                    .at(rules.field)
                    .advise("remove sslmode from " + rules.written_in + ", or raise it"));
  }
  url = with_parameter(std::move(url), "sslmode", least);
  return {};
}

// A connect_timeout of hours would block a worker for as long.
void limit_connect_timeout(std::string& url, const ConnectionParameters& declared) {
  constexpr int kMost = 30;
  std::string text = parameter_of(declared, "connect_timeout");
  text.erase(0, std::min(text.find_first_not_of(" \t\r\n"), text.size()));  // as whoever reads the value does
  int seconds = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (problem == std::errc::result_out_of_range || (problem == std::errc() && seconds > kMost)) {
    url = with_parameter(std::move(url), "connect_timeout", std::to_string(kMost));
  }
}

// An unverified server could be anyone, so it must not be able to read the password.
void refuse_weak_authentication(std::string& url, const ConnectionParameters& declared) {
  const std::string mode = ssl_mode_in(connection_parameters(url));
  if (mode != "verify-ca" && mode != "verify-full" && parameter_of(declared, "require_auth").empty()) {
    url = with_parameter(std::move(url), "require_auth", "!password,!md5");
  }
}

}  // namespace

Result<void> check_parameters(const std::string& url, const ConnectionRules& rules) {
  return rules.own_environment ? Result<void>() : refuse_process_environment(connection_parameters(url), rules);
}

Result<std::string> secured_url(std::string url, const ConnectionRules& rules) {
  TRY(check_parameters(url, rules));
  const ConnectionParameters declared = connection_parameters(url);
  if (!rules.own_environment) {
    limit_connect_timeout(url, declared);
    for (const char* const name : kDefaultFiles) {
      url = with_parameter(std::move(url), name, kNowhere + std::string(name));
    }
  }
  const std::array kFiles{std::pair("sslrootcert", &rules.root_certificate), std::pair("sslcert", &rules.client_certificate),
                          std::pair("sslkey", &rules.client_key)};
  for (const auto& [name, path] : kFiles) {
    if (!path->empty()) {
      url = with_parameter(std::move(url), name, *path);
    }
  }
  TRY(choose_ssl_mode(url, rules, declared));
  TRY(require_ssl_mode(url, rules));
  if (rules.sends_token) {
    verify_server_for_token(url, rules);
  }
  if (!rules.own_environment) {
    trust_system_authorities(url, rules);
    refuse_weak_authentication(url, declared);
  }
  return url;
}

}  // namespace athanor::controller
