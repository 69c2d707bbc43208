# The programs of Athanor on Debian 12: `make image`, or `docker build -t athanor .`
#
#   BASE               what every stage starts from. `make image` resolves it to a digest, builds from that, and says so in the provenance
#   POSTGRESQL_CLIENT  major version of pg_dump, which must not be older than the servers: 15 comes from Debian, newer ones
#                      from apt.postgresql.org
#   VERSION, REVISION  for the labels
#
# The image runs as an unprivileged user and works with a read-only root file system. It writes to /tmp, /var/cache/athanor and,
# for dumps, /var/lib/athanor/backups.
ARG BASE=docker.io/library/debian:bookworm-slim

FROM ${BASE} AS build
WORKDIR /source
COPY deploy/packages deploy/packages
# Omit the packages that only the tests need.
RUN sed '/^# tests/,$d' deploy/packages/build.txt >/tmp/build.txt && deploy/packages/install /tmp/build.txt
COPY . .
# Derive the runtime packages from the shared libraries that the programs link, instead of keeping a list that can become
# outdated.
RUN --mount=type=cache,target=/root/.cache/ccache \
    CCACHE_BASEDIR=/source CCACHE_NOHASHDIR=true cmake --preset release -DATHANOR_TESTS=OFF \
    && CCACHE_BASEDIR=/source CCACHE_NOHASHDIR=true cmake --build build \
    && DESTDIR=/install cmake --install build --prefix /usr/local --strip \
    && rm -rf /install/usr/local/share/doc \
    && ldd /install/usr/local/bin/* >/tmp/ldd.txt \
    && awk '$2 == "=>" { n = split($3, part, "/"); print "*/" part[n] }' /tmp/ldd.txt | sort -u >/tmp/libraries.txt \
    && xargs dpkg -S </tmp/libraries.txt >/tmp/owners.txt \
    && cut -d: -f1 /tmp/owners.txt | sort -u >/packages.txt \
    && deploy/image/inputs build /install/usr/share/athanor

# What runs: Debian's packages of client and Git bring perl along, so the files that are needed are picked out of them.
FROM ${BASE} AS files
ARG POSTGRESQL_CLIENT=15
COPY --from=build /packages.txt /tmp/packages.txt
RUN set -eu; export DEBIAN_FRONTEND=noninteractive; \
    dpkg-query -W -f '${Package} ${Version}\n' >/tmp/base-packages; \
    apt-get update -qq; \
    if [ "$POSTGRESQL_CLIENT" != 15 ]; then \
      apt-get install -y -qq --no-install-recommends ca-certificates postgresql-common >/dev/null; \
      YES=yes /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh; \
    fi; \
    apt-get install -y -qq --no-install-recommends $(cat /tmp/packages.txt) \
      "postgresql-client-$POSTGRESQL_CLIENT" git openssh-client ca-certificates tzdata >/dev/null; \
    ln -s "$POSTGRESQL_CLIENT" /usr/lib/postgresql/current; \
    ln -sf ../../bin/git /usr/lib/git-core/git
COPY deploy/image/collect /tmp/collect
COPY --from=build /install/ /
RUN /tmp/collect /image /tmp/base-packages /usr/local /usr/share/athanor \
      /usr/lib/postgresql/current "/usr/lib/postgresql/$POSTGRESQL_CLIENT/bin/pg_dump" "/usr/lib/postgresql/$POSTGRESQL_CLIENT/bin/pg_restore" \
      /usr/bin/git /usr/lib/git-core/git /usr/lib/git-core/git-remote-http /usr/lib/git-core/git-remote-https /usr/share/git-core/templates \
      /usr/bin/ssh /etc/ssl /usr/lib/ssl /usr/share/ca-certificates /usr/share/zoneinfo

FROM ${BASE}
# ssh requires a passwd entry for its user. The folders belong to that user in case no volume is mounted over them.
RUN groupadd --gid 65532 athanor \
    && useradd --uid 65532 --gid athanor --no-log-init --home-dir /tmp --no-create-home --shell /usr/sbin/nologin athanor \
    && install -d -o athanor -g athanor -m 0750 /var/cache/athanor /var/lib/athanor /var/lib/athanor/backups \
    && find / -xdev -type f -perm /6000 -exec chmod a-s {} +
COPY --from=files /image/ /
# Call pg_dump itself, not Debian's wrapper that searches for local clusters. Git must never prompt, and must ignore the
# system's configuration.
ENV PATH=/usr/local/bin:/usr/lib/postgresql/current/bin:/usr/bin:/bin \
    HOME=/tmp \
    GIT_TERMINAL_PROMPT=0 \
    GIT_CONFIG_NOSYSTEM=1
USER 65532:65532
WORKDIR /
EXPOSE 8080
ENTRYPOINT ["athanor-operator"]
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Athanor" \
      org.opencontainers.image.description="Keeps PostgreSQL schemas at the revision that Git declares" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
