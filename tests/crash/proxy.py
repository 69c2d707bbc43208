"""A TCP proxy before PostgreSQL that fails in one chosen way, once a run, and passes everything on otherwise."""
import re
import socket
import struct
import threading
import time

COMMIT = re.compile(rb"(_commit|COMMIT)\0")  # by the name of the prepared statement, or as text
MODES = ["before commit", "after commit", "reset", "half message", "hole", "delay"]


class Fault:
    """What happens to one connection of a run, and whether it has happened."""

    def __init__(self, mode, chance):
        self.mode = mode
        self.commits = chance.randint(1, 12)       # the how-manyth COMMIT
        self.bytes = chance.randint(0, 12_000)     # how much the server has said
        self.pause = chance.uniform(0.002, 0.02)
        self.linger = chance.choice([0, 0.05, 0.3])  # how long the server's side stays after the cut
        self.for_all = chance.random() < 0.5       # a hole swallows later connections too
        self.landed = threading.Event()

    def __str__(self):
        where = f"COMMIT {self.commits}" if "commit" in self.mode else f"{self.bytes} bytes"
        return f"{self.mode}, {where}"


class Proxy:
    def __init__(self, port):
        self.target = port
        self.fault = None
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def arm(self, fault):
        self.fault = fault

    def _serve(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self._open, args=(client, self.fault), daemon=True).start()

    def _open(self, client, fault):
        try:
            server = socket.create_connection(("127.0.0.1", self.target))
        except OSError:
            client.close()
            return
        for side in (client, server):
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line = Line(self, client, server, fault)
        threading.Thread(target=line.upward, daemon=True).start()
        threading.Thread(target=line.downward, daemon=True).start()


class Line:
    """One connection through the proxy."""

    def __init__(self, proxy, client, server, fault):
        self.proxy, self.client, self.server, self.fault = proxy, client, server, fault
        self.commits = self.said = 0
        self.resetting = False
        self.hole = fault is not None and fault.mode == "hole" and fault.for_all and fault.landed.is_set()

    def _mine(self, mode):
        return self.fault is not None and self.fault.mode == mode

    def _land(self):
        with self.proxy.lock:
            first = not self.fault.landed.is_set()
            self.fault.landed.set()
        return first

    def close(self, linger=0.0):
        for side in (self.client, self.server):
            if side is self.server and linger:
                time.sleep(linger)
            try:
                if not self.resetting:
                    side.shutdown(socket.SHUT_RDWR)
                side.close()
            except OSError:
                pass

    def _reset(self):
        self.resetting = True
        for side in (self.client, self.server):
            try:
                side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                side.shutdown(socket.SHUT_RD)  # wakes the other thread: a socket that is being read is not closed
                side.close()
            except OSError:
                pass

    def _pump(self, source, sink, look):
        try:
            while data := source.recv(65536):
                if self._mine("delay"):
                    self.fault.landed.set()
                    time.sleep(self.fault.pause)
                if not self.hole and not look(data):
                    return
                if not self.hole:
                    sink.sendall(data)
        except OSError:
            pass
        self.close()

    def upward(self):
        self._pump(self.client, self.server, self._asked)

    def downward(self):
        self._pump(self.server, self.client, self._answered)

    def _asked(self, data):
        """False when the connection is over."""
        if not (self._mine("before commit") or self._mine("after commit")):
            return True
        found = list(COMMIT.finditer(data))
        self.commits += len(found)
        if not found or self.commits < self.fault.commits or not self._land():
            return True
        if self.fault.mode == "before commit":
            self.server.sendall(data[:found[-1].start()])
            self.close()
        else:
            self.hole = True  # the answer is lost
            self.server.sendall(data)
            self.client.shutdown(socket.SHUT_RDWR)
            self.close(linger=self.fault.linger)
        return False

    def _answered(self, data):
        self.said += len(data)
        if self.fault is None or self.fault.mode not in ("reset", "half message", "hole") or self.said < self.fault.bytes:
            return True
        if not self._land():
            return True
        if self.fault.mode == "hole":
            self.hole = True
            return True
        if self.fault.mode == "half message":
            self.client.sendall(data[:len(data) // 2])
        if self.fault.mode == "reset":
            self._reset()
        else:
            self.close()
        return False
