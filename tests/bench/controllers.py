"""The controllers that are measured as running processes: the operator, and the one that is written with controller-runtime."""
import os
import re
import signal
import socket
import subprocess
import time
import urllib.request

TICKS = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as attempt:
        attempt.bind(("127.0.0.1", 0))
        return attempt.getsockname()[1]


class Running:
    """A controller and what the kernel says of it."""

    def __init__(self, command, folder, port):
        self.port = port
        self.log = os.path.join(folder, f"controller-{port}.log")
        self.begun = time.monotonic()
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder,
                                            env={"PATH": os.environ["PATH"], "HOME": folder})

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def cpu(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="utf-8") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self, field="VmRSS"):
        """MiB now, or the most so far (VmHWM)."""
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as file:
            return int(re.search(rf"^{field}:\s+(\d+) kB", file.read(), re.MULTILINE).group(1)) / 1024

    def scrape(self):
        if self.process.poll() is not None:
            tail = open(self.log, encoding="utf-8", errors="replace").read()[-2000:]
            raise SystemExit(f"the controller ended with {self.process.returncode}:\n{tail}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
                return answer.read().decode()
        except OSError:
            return ""

    def sum(self, text, name, *with_label):
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
                   if re.match(rf"{name}[{{ ]", line) and all(label in line for label in with_label))

    def reconciled(self):
        return self.sum(self.scrape(), "controller_runtime_reconcile_total")

    def until_reconciled(self, count, within=600):
        """Seconds since the start until so many reconciles have ended. Asked twice a second."""
        while self.reconciled() < count:
            if time.monotonic() - self.begun > within:
                raise SystemExit(f"only {self.reconciled():.0f} of {count} were observed within {within} s")
            time.sleep(0.5)
        return time.monotonic() - self.begun

    def until_idle(self, within=600):
        """The queue is empty and nothing is worked on."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            text = self.scrape()
            if text and self.sum(text, "workqueue_depth") == 0 and self.sum(text, "controller_runtime_active_workers") == 0:
                return
            time.sleep(0.5)
        raise SystemExit("the controller did not become idle")

    def writes(self):
        """Requests that change something, by its own count; its Lease is not told apart."""
        text = self.scrape()
        return {method: self.sum(text, "rest_client_requests_total", f'method="{method}"') for method in ("POST", "PUT", "PATCH", "DELETE")}

    def at_rest(self, seconds):
        """(share of a core, MiB) over so many seconds, scraped every 15 as Prometheus would."""
        before, begun = self.cpu(), time.monotonic()
        while (left := begun + seconds - time.monotonic()) > 0:
            time.sleep(min(15, left))
            self.scrape()
        return (self.cpu() - before) / (time.monotonic() - begun), self.memory()


def operator(build, cluster, folder, *options):
    port = free_port()
    return Running([os.path.join(build, "bin", "athanor-operator"), "--kube", "--kubeconfig", cluster.kubeconfig, "--default-ssl-mode=disable", "--lease-namespace",
                    "default", "--listen", f"127.0.0.1:{port}", "--cache", folder, *options], folder, port)


def controller_runtime(root, cluster, folder, *options):
    program = subprocess.run([os.path.join(root, "tests", "bench", "controller-runtime", "build")], check=True, stdout=subprocess.PIPE,
                             text=True).stdout.strip()
    port = free_port()
    return Running([program, "-kubeconfig", cluster.kubeconfig, "-listen", f"127.0.0.1:{port}", *options], folder, port)
