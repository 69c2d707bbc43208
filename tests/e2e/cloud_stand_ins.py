"""Stand-ins of the clouds: their token services, a directory that checks RDS tokens, and a server of PostgreSQL behind TLS that trusts both.

The token services have the API server review every token that they are shown, with the audience that the provider wants. The signature of an
RDS token is computed a second time here, from AWS's description of it."""
import datetime
import hashlib
import hmac
import json
import re
import socket
import ssl
import subprocess
import threading
import urllib.parse
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import databases
from git_servers import Authority
from kubernetes import client
from operator_process import ROOT, free_port
from throwaway_cluster import ThrowawayCluster, eventually

ACCESS_KEY, SECRET_KEY, SESSION = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "FwoGZXIvYXdzE/+a=="
ROLE = "arn:aws:iam::123456789012:role/orders-migrator"
TENANT, APPLICATION = "00000000-1111-2222-3333-444444444444", "55555555-6666-7777-8888-999999999999"
POOL = "projects/7/locations/global/workloadIdentityPools/shop/providers/cluster"
EMAIL = "orders-migrator@shop-prod.iam.gserviceaccount.com"


class TokenServices:
    """AWS STS, Google's STS and IAM credentials, and Microsoft Entra at one address over TLS."""

    def __init__(self, server: ThrowawayCluster, authority: Authority) -> None:
        self.reviews = client.AuthenticationV1Api(server.api())
        self.port = free_port()
        self.token = "first-token"  # that is handed out; not by AWS
        self.refused = ""           # an error code, for everybody
        self.shown: list[tuple[str, str]] = []  # what was asked for, and the user that asked
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority.server, authority.key)
        outer = self

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def get_request(self) -> tuple[socket.socket, Any]:
                connection, address = super().get_request()
                return context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                status, answer = outer.answer(self.path, body, self.headers.get("Authorization", ""))
                content = answer.encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *arguments: Any) -> None:
                pass

        self.server = Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def options(self) -> list[str]:
        return [f"--cloud-endpoint={name}=https://127.0.0.1:{self.port}" for name in ("aws-sts", "gcp-sts", "gcp-iam", "azure-login")]

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def user_of(self, token: str, audience: str) -> str:
        """Whose token it is; empty when the API server does not accept it for this audience."""
        spec = client.V1TokenReviewSpec(token=token, audiences=[audience])
        status = self.reviews.create_token_review(client.V1TokenReview(spec=spec)).status
        return status.user.username if status.authenticated and status.audiences == [audience] else ""

    def answer(self, path: str, body: str, authorization: str) -> tuple[int, str]:
        if path.endswith(":generateAccessToken"):
            return self.generate(path, body, authorization)
        fields = dict(parse_qsl(body, strict_parsing=True))
        kind, audience, subject = {
            "/": ("aws", "sts.amazonaws.com", fields.get("WebIdentityToken", "")),
            "/v1/token": ("gcp", f"https://iam.googleapis.com/{POOL}", fields.get("subject_token", "")),
        }.get(path, ("azure", "api://AzureADTokenExchange", fields.get("client_assertion", "")))
        user = self.user_of(subject, audience)
        self.shown.append((kind, user))
        if not user or self.refused:
            code = self.refused or "invalid_grant"
            return 403, f"<ErrorResponse><Error><Code>{code}</Code><Message>{subject}</Message></Error></ErrorResponse>" if kind == "aws" else (
                json.dumps({"error": code, "error_description": subject, "error_codes": [700213]}))
        return 200, {"aws": self.assume, "gcp": self.federate, "azure": self.grant}[kind](path, fields)

    def assume(self, path: str, fields: dict[str, str]) -> str:
        assert fields["Action"] == "AssumeRoleWithWebIdentity" and fields["RoleArn"] == ROLE and fields["Version"] == "2011-06-15"
        assert re.fullmatch(r"[\w+=,.@-]{2,64}", fields["RoleSessionName"])
        until = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        return ("<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleWithWebIdentityResult><Credentials>"
                f"<AccessKeyId>{ACCESS_KEY}</AccessKeyId><SecretAccessKey>{SECRET_KEY}</SecretAccessKey><SessionToken>{SESSION}</SessionToken>"
                f"<Expiration>{until}</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>")

    def federate(self, path: str, fields: dict[str, str]) -> str:
        assert fields["grant_type"] == "urn:ietf:params:oauth:grant-type:token-exchange" and fields["audience"] == f"//iam.googleapis.com/{POOL}"
        return json.dumps({"access_token": "federated", "token_type": "Bearer", "expires_in": 3599})

    def generate(self, path: str, body: str, authorization: str) -> tuple[int, str]:
        assert urllib.parse.unquote(path) == f"/v1/projects/-/serviceAccounts/{EMAIL}:generateAccessToken"
        assert authorization == "Bearer federated" and json.loads(body) == {"scope": ["https://www.googleapis.com/auth/sqlservice.login"]}
        until = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        return 200, json.dumps({"accessToken": self.token, "expireTime": until})

    def grant(self, path: str, fields: dict[str, str]) -> str:
        assert path == f"/{TENANT}/oauth2/v2.0/token" and fields["client_id"] == APPLICATION and fields["grant_type"] == "client_credentials"
        assert fields["scope"] == "https://ossrdbms-aad.database.windows.net/.default"
        return json.dumps({"token_type": "Bearer", "expires_in": 3599, "access_token": self.token})


def is_rds_token(token: str, place: str, user: str, region: str = "eu-central-1") -> bool:
    """What RDS checks: for this server and user, signed with the key of the session, no older than it says."""
    if not re.fullmatch(r"[^/]+/\?Action=connect&.*&X-Amz-Date=.*&X-Amz-Signature=[0-9a-f]{64}", token):
        return False
    address, _, query = token.partition("/?")
    fields = dict(parse_qsl(query, strict_parsing=True))
    signature = fields.pop("X-Amz-Signature", "")
    signed = datetime.datetime.strptime(fields["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
    age = (datetime.datetime.now(datetime.timezone.utc) - signed).total_seconds()
    day = fields["X-Amz-Date"][:8]
    scope = f"{day}/{region}/rds-db/aws4_request"
    canonical = "&".join(f"{urllib.parse.quote(name, safe='')}={urllib.parse.quote(fields[name], safe='')}" for name in sorted(fields))
    request = "\n".join(["GET", "/", canonical, f"host:{place}", "", "host", hashlib.sha256(b"").hexdigest()])
    text = "\n".join(["AWS4-HMAC-SHA256", fields["X-Amz-Date"], scope, hashlib.sha256(request.encode()).hexdigest()])
    key = b"AWS4" + SECRET_KEY.encode()
    for part in (day, region, "rds-db", "aws4_request", text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return (address == place and fields["Action"] == "connect" and fields["DBUser"] == user and fields["X-Amz-Security-Token"] == SESSION
            and fields["X-Amz-Credential"] == f"{ACCESS_KEY}/{scope}" and -5 < age < int(fields["X-Amz-Expires"]) <= 900
            and hmac.compare_digest(signature, key.hex()))


def element(data: bytes, at: int) -> tuple[int, bytes, int]:
    """Tag and content of one BER element, and where the next begins."""
    tag, length, begin = data[at], data[at + 1], at + 2
    if length & 0x80:
        count = length & 0x7F
        length, begin = int.from_bytes(data[begin:begin + count], "big"), begin + count
    return tag, data[begin:begin + length], begin + length


class Directory:
    """An LDAP server that knows simple binds only: PostgreSQL hands it the password of a user in plain text, as RDS checks a token."""

    def __init__(self, accepts: Callable[[str, str], bool]) -> None:
        self.accepts = accepts
        self.binds: list[tuple[str, bool]] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            while head := stream.read(2):
                length = head[1]
                if length & 0x80:
                    length = int.from_bytes(stream.read(length & 0x7F), "big")
                _, number, after = element(data := stream.read(length), 0)
                tag, operation, _ = element(data, after)
                if tag != 0x60:  # anything but a bind
                    return
                _, _, after = element(operation, 0)
                _, name, after = element(operation, after)
                _, password, _ = element(operation, after)
                user = name.decode().removeprefix("cn=")
                good = self.accepts(user, password.decode())
                self.binds.append((user, good))
                result = b"\x0a\x01" + (b"\x00" if good else b"\x31") + b"\x04\x00\x04\x00"  # invalidCredentials
                message = b"\x02" + bytes([len(number)]) + number + b"\x61" + bytes([len(result)]) + result
                connection.sendall(b"\x30" + bytes([len(message)]) + message)

    def stop(self) -> None:
        self.listener.close()


class TlsPostgres:
    """A server of PostgreSQL of its own. `rds` logs in through the directory, `migrator` with a password over TLS, which is the token."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        self.folder = folder / "server"
        done = subprocess.run([ROOT / "tests/support/throwaway-postgres", "start", self.folder], capture_output=True, text=True, check=True)
        self.url = done.stdout.strip()
        self.port = urlsplit(self.url).port
        self.place = f"127.0.0.1:{self.port}"
        self.write("server.key", authority.key.read_text())
        self.write("server.crt", authority.server.read_text())
        self.run("ALTER SYSTEM SET ssl = on")
        self.run("CREATE ROLE rds LOGIN SUPERUSER")
        self.run("CREATE ROLE migrator LOGIN SUPERUSER PASSWORD 'nobody knows'")

    def trust(self, directory: Directory) -> None:
        self.write("pg_hba.conf", "local all all trust\n"
                                  f'hostssl all rds 127.0.0.1/32 ldap ldapserver=127.0.0.1 ldapport={directory.port} ldapprefix="cn=" ldapsuffix=""\n'
                                  "hostssl all migrator 127.0.0.1/32 password\nhost all postgres 127.0.0.1/32 scram-sha-256\n")
        self.run("SELECT pg_reload_conf()")
        eventually(lambda: self.run("SHOW ssl") == [("on",)], "the server speaks TLS")

    def run(self, sql: str, database: str = "postgres") -> list[tuple]:
        return databases.run(self.url, sql, dbname=database)

    def write(self, name: str, text: str) -> None:
        """A file in its folder, for its account alone."""
        self.run(f"COPY (SELECT unnest(string_to_array($${text}$$, E'\\n'))) TO PROGRAM 'umask 077; cat > {name}'")

    def password(self, token: str) -> None:
        self.run(f"ALTER ROLE migrator PASSWORD '{token}'")

    def stop(self) -> None:
        subprocess.run([ROOT / "tests/support/throwaway-postgres", "stop", self.folder], check=True, capture_output=True)
