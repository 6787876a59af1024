# syntax=docker/dockerfile:1
# The version of Rust is the rust-version of Cargo.toml.
FROM rust:1.95-slim-bookworm AS builder

# Compilers for librdkafka, its zlib and zstd, and the OpenSSL that is linked into the binary.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends g++ make perl pkg-config \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /build
COPY . .

# Sources, registry and compiled dependencies stay in the builder's cache between builds; the binary leaves it.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/build/target,sharing=locked \
    cargo build --release --locked --features ssl-vendored --bin driftd \
    && cp target/release/driftd /usr/local/bin/driftd

# The non-root user of the final image must be able to write here; a new volume starts as a copy of it.
RUN mkdir -p /image/state


# glibc, libgcc and certificates; no shell, no package manager.
FROM gcr.io/distroless/cc-debian12:nonroot

LABEL org.opencontainers.image.title="driftd" \
      org.opencontainers.image.description="Watches machine-learning models in production" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"

COPY --from=builder /usr/local/bin/driftd /usr/local/bin/driftd
COPY --from=builder --chown=65532:65532 /image/state /var/lib/driftd
COPY LICENSE-APACHE LICENSE-MIT /usr/share/doc/driftd/

# "nonroot" of the base image, as numbers, so that an orchestrator can see that it is not root
USER 65532:65532
WORKDIR /var/lib/driftd
VOLUME ["/var/lib/driftd"]

# 0.0.0.0 inside of the container: publishing the port, or not, is the decision that counts.
ENV DRIFTD__DAEMON__LISTEN=0.0.0.0:9464 \
    DRIFTD__DAEMON__STATE_DIR=/var/lib/driftd
EXPOSE 9464

HEALTHCHECK --interval=15s --timeout=3s --start-period=30s --retries=3 \
    CMD ["driftd", "health", "--url", "http://127.0.0.1:9464/livez"]

ENTRYPOINT ["driftd"]
CMD ["run", "--config", "/etc/driftd/driftd.toml"]
