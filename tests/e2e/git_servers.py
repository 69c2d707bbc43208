"""Git as it is found in the wild, on this machine: projects, an sshd and an https server that hand them out."""
import base64
import os
import pwd
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from operator_process import die_with_parent, free_port
from throwaway_cluster import eventually

ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
# sshd refuses to run as root without a folder of the system's; the throwaway PostgreSQL has the same trouble and the same answer.
ACCOUNT = pwd.getpwnam("postgres") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


def run(*command: object, **options: Any) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout.strip()


def served_folder() -> Path:
    """A folder that servers which run as somebody else can read, with a short name."""
    folder = Path(tempfile.mkdtemp(prefix="athanor-git."))
    folder.chmod(0o755)
    return folder


class Project:
    """A bare repository below a server's folder, and a work tree that pushes to it."""

    def __init__(self, root: Path, work: Path, name: str) -> None:
        self.bare = root / f"{name}.git"
        self.tree = work / name
        run("git", "init", "--quiet", "--bare", "--initial-branch=main", self.bare, env=ENVIRONMENT)
        run("git", "init", "--quiet", "--initial-branch=main", self.tree, env=ENVIRONMENT)

    def git(self, *arguments: object) -> str:
        return run("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "protocol.file.allow=always", *arguments,
                   cwd=self.tree, env=ENVIRONMENT)

    def commit(self, files: dict[str, str], branch: str = "main") -> str:
        """The branch has these files below db/ from now on; the commit's id."""
        for name, text in files.items():
            file = self.tree / "db" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", "a commit")
        self.git("push", "--quiet", "--force", "--tags", self.bare, f"HEAD:refs/heads/{branch}")
        return self.git("rev-parse", "HEAD")

    def tag(self, name: str) -> None:
        self.git("tag", "--annotate", "-m", "a tag", name)
        self.git("push", "--quiet", self.bare, f"refs/tags/{name}")


class Authority:
    """A certificate authority, and the certificate it gave to 127.0.0.1."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.certificate, self.server, self.key = folder / "ca.crt", folder / "server.crt", folder / "server.key"
        key, request, names = folder / "ca.key", folder / "server.csr", folder / "names"
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out",
            self.certificate, "-days", "2", "-subj", "/CN=a test's authority")
        run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", self.key, "-out", request,
            "-subj", "/CN=127.0.0.1")
        names.write_text("subjectAltName=IP:127.0.0.1\n")
        run("openssl", "x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", key, "-CAcreateserial", "-out", self.server, "-days",
            "2", "-extfile", names)

    def text(self) -> str:
        return self.certificate.read_text()


class HttpsServer:
    """`git http-backend` behind TLS and a password. It can go away and come back at the same address."""

    def __init__(self, root: Path, authority: Authority, user: str, password: str) -> None:
        self.root = root
        self.authority = authority
        self.wanted = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        self.port = free_port()
        self.requests: list[tuple[str, int]] = []  # path and status of what was asked
        self.server: ThreadingHTTPServer | None = None
        self.start()

    def url(self, project: Project) -> str:
        return f"https://127.0.0.1:{self.port}/{project.bare.name}"

    def start(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.authority.server, self.authority.key)
        outer = self

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def get_request(self) -> tuple[socket.socket, Any]:
                connection, address = super().get_request()
                return context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass  # a client that does not trust us hangs up

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.answer(self)

            do_POST = do_GET

            def log_message(self, *arguments: Any) -> None:
                pass

        self.server = Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path, _, query = request.path.partition("?")
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        headers: dict[str, str] = {}
        if request.headers.get("Authorization") != self.wanted:
            status, headers["WWW-Authenticate"], answer = 401, 'Basic realm="git"', b"who are you?"
        else:
            status, headers, answer = self.backend(request, path, query, body)
        self.requests.append((path, status))
        request.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(answer)), "Connection": "close"}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(answer)

    def backend(self, request: BaseHTTPRequestHandler, path: str, query: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        variables = {**ENVIRONMENT, "GIT_PROJECT_ROOT": str(self.root), "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path, "QUERY_STRING": query,
                     "REQUEST_METHOD": request.command, "CONTENT_TYPE": request.headers.get("Content-Type", ""),
                     "CONTENT_LENGTH": str(len(body)), "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
                     "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""), "REMOTE_USER": "git", "REMOTE_ADDR": "127.0.0.1"}
        done = subprocess.run(["git", "http-backend"], input=body, capture_output=True, env=variables)
        head, _, answer = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        return int(headers.pop("Status", "200").split()[0]), headers, answer


class SshServer:
    """OpenSSH's own server, without rights, for one key and for `git-upload-pack` alone."""

    def __init__(self) -> None:
        program = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:" + os.environ.get("PATH", ""))
        assert program, "no sshd here: run `make deps` (Debian package openssh-server)"
        self.folder = Path(tempfile.mkdtemp(prefix="athanor-sshd."))
        self.port = free_port()
        self.key = self.make_key("client")
        host = self.make_key("host")
        (self.folder / "authorized").write_text((self.folder / "client.pub").read_text())
        self.known_hosts = f"[127.0.0.1]:{self.port} {(self.folder / 'host.pub').read_text()}"
        self.log_file = self.folder / "log"
        (self.folder / "settings").write_text(f"""
ListenAddress 127.0.0.1
Port {self.port}
HostKey {host}
AuthorizedKeysFile {self.folder}/authorized
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
DisableForwarding yes
LogLevel VERBOSE
ForceCommand git-shell -c "$SSH_ORIGINAL_COMMAND"
SetEnv GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0=*
""")
        for path in (self.folder, *self.folder.iterdir()):
            os.chown(path, ACCOUNT.pw_uid, ACCOUNT.pw_gid)
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen([program, "-D", "-e", "-f", self.folder / "settings"], stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, preexec_fn=self.become, cwd="/")
        eventually(self.listens, "sshd listens", within=20)

    @staticmethod
    def become() -> None:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(ACCOUNT.pw_gid)
            os.setuid(ACCOUNT.pw_uid)
        die_with_parent()

    def make_key(self, name: str) -> Path:
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", self.folder / name)
        return self.folder / name

    def listens(self) -> bool:
        assert self.process.poll() is None, self.log()
        with socket.socket() as attempt:
            return attempt.connect_ex(("127.0.0.1", self.port)) == 0

    def authorize(self, name: str) -> Path:
        """Another key that the server knows."""
        key = self.make_key(name)
        with (self.folder / "authorized").open("a") as known:
            known.write(Path(f"{key}.pub").read_text())
        return key

    def accepted(self, key: Path) -> int:
        """How often somebody came in with this key."""
        print_of_key = run("ssh-keygen", "-l", "-f", f"{key}.pub").split()[1]
        return sum(1 for line in self.log().splitlines() if "Accepted publickey" in line and print_of_key in line)

    def url(self, project: Project) -> str:
        return f"ssh://{ACCOUNT.pw_name}@127.0.0.1:{self.port}{project.bare}"

    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        for _ in range(50):  # a session may still be writing
            shutil.rmtree(self.folder, ignore_errors=True)
            if not self.folder.exists():
                return
            time.sleep(0.02)
